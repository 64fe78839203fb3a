package world

import (
	"slices"

	"github.com/onsi/ginkgo/v2"

	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

// Stack is the name of the CloudFormation stack that says where the secrets are.
const Stack = "secretreview"

// ManagerAccount is the manager's access key.
const ManagerAccount = "manager"

// key is the KMS key of a team's live secrets.
func (t *Team) key() string {
	return "arn:aws:kms:" + Region + ":" + emulator.DefaultAccountID + ":key/of-" + t.Project
}

// proposeRights are what docs/security.md gives a proposer. Deleting is not among them.
func (t *Team) proposeRights() []emulator.Rule {
	staged := []string{t.StagedName("*")}
	return []emulator.Rule{
		{Actions: []string{"GetSecretValue"}, Resources: append(staged, t.LiveName("*"))},
		{
			Actions: []string{"CreateSecret", "TagResource"}, Resources: staged,
			RequestTags: map[string]string{naming.TagStaging: naming.StagingTrue, naming.TagProject: t.Project},
		},
		{Actions: []string{"DescribeSecret"}, Resources: staged},
		{Actions: []string{"kms:GenerateDataKey", "kms:Decrypt"}, Resources: []string{t.key()}},
		{Actions: []string{"cloudformation:DescribeStacks"}, Resources: []string{Stack}},
	}
}

// reviewRights are what docs/security.md gives a reviewer.
func (t *Team) reviewRights() []emulator.Rule {
	return []emulator.Rule{
		{Actions: []string{"GetSecretValue"}, Resources: []string{t.StagedName("*"), t.LiveName("*")}},
		{Actions: []string{"kms:Decrypt"}, Resources: []string{t.key()}},
	}
}

// keepTags denies tagging anew what is staged already: CreateSecret needs TagResource, and cannot be told from it.
var keepTags = emulator.Rule{
	Actions: []string{"TagResource"}, Resources: []string{"*"},
	ResourceTags: map[string]string{naming.TagStaging: "*"},
}

func managerRights() []emulator.Rule {
	return []emulator.Rule{
		{Actions: []string{"ListSecrets"}, Resources: []string{"*"}},
		{
			Actions:   []string{"DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"},
			Resources: []string{naming.DefaultPrefix + "*"},
		},
		{
			Actions:      []string{"DeleteSecret", "RestoreSecret"},
			Resources:    []string{naming.StagingPrefix(naming.DefaultPrefix) + "*"},
			ResourceTags: map[string]string{naming.TagStaging: naming.StagingTrue},
		},
		{Actions: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resources: []string{"*"}},
	}
}

// Expire lets the credentials in AWS of people, or of ManagerAccount, expire until the running spec ends, or the
// returned function is called.
func (w *World) Expire(names ...string) (renew func()) {
	ginkgo.GinkgoHelper()
	var keys []string
	for _, name := range names {
		keys = append(keys, keyOf(name))
	}
	renew = func() {
		ginkgo.GinkgoHelper()
		w.AWS.setPrincipals(w.principals())
	}
	w.AWS.setPrincipals(w.principals(keys...))
	ginkgo.DeferCleanup(renew)
	return renew
}

// principals are all who have a right in AWS, but for those in expired, who can no longer sign in.
func (w *World) principals(expired ...string) []emulator.Principal {
	all := []emulator.Principal{
		{AccessKeyID: Admin, Allow: []emulator.Rule{{Actions: []string{"*:*"}, Resources: []string{"*"}}}},
		{AccessKeyID: ManagerAccount, Allow: managerRights()},
	}
	for name, person := range w.people {
		if name == Admin {
			continue
		}
		p := emulator.Principal{AccessKeyID: person.key(), Deny: []emulator.Rule{keepTags}}
		for _, t := range w.teams {
			if slices.Contains(t.proposers, name) {
				p.Allow = append(p.Allow, t.proposeRights()...)
			}
			if slices.Contains(t.approvers, name) || slices.Contains(t.rollbackers, name) {
				p.Allow = append(p.Allow, t.reviewRights()...)
			}
		}
		all = append(all, p)
	}
	for i := range all {
		all[i].Expired = slices.Contains(expired, all[i].AccessKeyID)
	}
	return all
}
