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
			RequestTags: map[string]string{
				naming.TagStaging: naming.StagingTrue, naming.TagProject: t.Project, naming.TagCluster: ClusterName, naming.TagNamespace: t.Namespace,
				naming.TagEnvironment: "*", naming.TagChange: "*", naming.TagKeepUntil: "*",
			},
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

// keepTags denies tagging what is there already: CreateSecret needs TagResource as well, but names no SecretId.
var keepTags = emulator.Rule{Actions: []string{"TagResource"}, Resources: []string{"*"}, SecretID: true}

// managerRights are those of the role that infra/cdk makes.
func managerRights() []emulator.Rule {
	prefix, staging := naming.DefaultPrefix+"*", naming.StagingPrefix(naming.DefaultPrefix)+"*"
	return []emulator.Rule{
		{Actions: []string{"ListSecrets"}, Resources: []string{"*"}},
		{Actions: []string{"DescribeSecret"}, Resources: []string{prefix}},
		{Actions: []string{"GetSecretValue"}, Resources: []string{staging}},
		{
			Actions: []string{"GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"}, Resources: []string{prefix},
			ResourceTags: map[string]string{naming.TagOwner: naming.Owner(ClusterName, "*")},
		},
		{
			Actions: []string{"DeleteSecret", "RestoreSecret"}, Resources: []string{staging},
			ResourceTags: map[string]string{naming.TagStaging: naming.StagingTrue, naming.TagCluster: ClusterName},
		},
		{Actions: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resources: []string{"*"}},
	}
}

// managerDenials keep what is staged as it is.
func managerDenials() []emulator.Rule {
	return []emulator.Rule{{
		Actions: []string{"PutSecretValue", "UpdateSecretVersionStage"}, Resources: []string{naming.StagingPrefix(naming.DefaultPrefix) + "*"},
	}}
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
		{AccessKeyID: ManagerAccount, Allow: managerRights(), Deny: managerDenials()},
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
			if slices.Contains(t.auditors, name) {
				p.Allow = append(p.Allow, emulator.Rule{Actions: []string{"DescribeSecret"}, Resources: []string{t.LiveName("*")}})
			}
		}
		all = append(all, p)
	}
	for i := range all {
		all[i].Expired = slices.Contains(expired, all[i].AccessKeyID)
	}
	return all
}
