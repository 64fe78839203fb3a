package stack

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

// Who there is. Each name is a user in Kubernetes and an access key in AWS.
const (
	Admin = "admin" // may do anything, in both
	Alice = "alice" // proposes
	Bob   = "bob"   // approves
	Carol = "carol" // approves
	Eve   = "eve"   // may do nothing, in either
)

// People are all of them, the administrator first.
var People = []string{Admin, Alice, Bob, Carol, Eve}

// roles says which of the roles that secretreview ships with are bound to whom in the namespace.
var roles = map[string][]string{
	"secretreview-proposer": {Alice},
	"secretreview-approver": {Bob, Carol},
}

// keys are the KMS keys of the live secrets, by environment.
var keys = map[string]string{
	"dev":        "arn:aws:kms:" + Region + ":" + emulator.DefaultAccountID + ":key/3b1f2c7e-5d0a-4d53-9c60-5b8f0a1d2e01",
	"production": "arn:aws:kms:" + Region + ":" + emulator.DefaultAccountID + ":key/9e4d6a20-7f3c-4b8e-8a15-c2d7e6f5b402",
}

// KeyOf returns the ARN of the KMS key of an environment's live secret.
func KeyOf(environment string) string { return keys[environment] }

func (s *Stack) grant(ctx context.Context) error {
	if err := s.admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Namespace}}); err != nil {
		return fmt.Errorf("cannot create namespace %s: %w", Namespace, err)
	}
	for role, people := range roles {
		binding := &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: role},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		}
		for _, name := range people {
			binding.Subjects = append(binding.Subjects, rbacv1.Subject{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: name})
		}
		if err := s.admin.Create(ctx, binding); err != nil {
			return fmt.Errorf("cannot give role %s: %w", role, err)
		}
	}
	return nil
}

// principals are who may call the emulator, with the least rights in IAM that each needs. A proposer cannot delete
// or retag what is staged, which could be somebody else's: the manager sweeps what is left behind.
func principals() []emulator.Principal {
	const (
		all    = naming.DefaultPrefix + "*"
		mine   = naming.DefaultPrefix + Project + "/*"
		staged = naming.DefaultPrefix + naming.StagingProject + "/" + Project + "/*"
	)
	everyKey := []string{keys["dev"], keys["production"]}
	read := []emulator.Rule{
		{Actions: []string{"DescribeSecret", "GetSecretValue"}, Resources: []string{mine, staged}},
		{Actions: []string{"kms:Decrypt"}, Resources: everyKey},
	}
	propose := append([]emulator.Rule{
		{
			Actions:     []string{"CreateSecret", "TagResource"},
			Resources:   []string{staged},
			RequestTags: map[string]string{naming.TagStaging: naming.StagingTrue, naming.TagProject: Project},
		},
		{Actions: []string{"kms:GenerateDataKey"}, Resources: everyKey},
	}, read...)
	// CreateSecret with tags needs TagResource, so tagging what is there already is denied: that names a SecretId.
	keepTags := emulator.Rule{Actions: []string{"TagResource"}, Resources: []string{"*"}, SecretID: true}
	return []emulator.Principal{
		{AccessKeyID: Admin, Allow: []emulator.Rule{{Actions: []string{"*:*"}, Resources: []string{"*"}}}},
		{AccessKeyID: Alice, Allow: propose, Deny: []emulator.Rule{keepTags}},
		{AccessKeyID: Bob, Allow: read},
		{AccessKeyID: Carol, Allow: read},
		{AccessKeyID: Eve},
		{AccessKeyID: managerName, Allow: []emulator.Rule{
			{Actions: []string{"ListSecrets"}, Resources: []string{"*"}},
			{Actions: []string{"DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"}, Resources: []string{all}},
			{
				Actions:      []string{"DeleteSecret", "RestoreSecret"},
				Resources:    []string{naming.StagingPrefix(naming.DefaultPrefix) + "*"},
				ResourceTags: map[string]string{naming.TagStaging: naming.StagingTrue},
			},
			{Actions: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resources: everyKey},
		}},
	}
}
