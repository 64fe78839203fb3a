package login

import (
	"context"
	"reflect"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

func TestEachQuestionIsAskedOnceAndNoneInVain(t *testing.T) {
	var asked []authorizationv1.ResourceAttributes
	allowed := map[string]bool{"create": true, v1alpha1.VerbPropose: true}
	r := &rights{known: map[authorizationv1.ResourceAttributes]*question{}, ask: func(_ context.Context, what authorizationv1.ResourceAttributes) (bool, error) {
		asked = append(asked, what)
		return allowed[what.Verb], nil
	}}
	for _, name := range []string{"dev", "production"} {
		e := &environment{Namespace: "demo", Project: "api", Environment: name}
		for verb, want := range map[string]answer{v1alpha1.VerbPropose: yes, v1alpha1.VerbApprove: no, v1alpha1.VerbRollback: no} {
			if got, err := r.holds(t.Context(), verb, e); got != want || err != nil {
				t.Errorf("%s %s: %s, %v", verb, name, got, err)
			}
		}
	}
	// create, patch, propose, and rollback for all environments and for each.
	if len(asked) != 6 {
		t.Errorf("%d questions: %+v", len(asked), asked)
	}
}

func TestNeeds(t *testing.T) {
	at := func(namespace, project, name string, propose, approve, rollback, read answer) environment {
		return environment{
			Namespace: namespace, Project: project, Environment: name, Propose: propose, Approve: approve, Rollback: rollback, Read: read,
			region: "eu-central-1", secret: "x/" + project + "/" + name, key: "arn:key",
		}
	}
	for name, tc := range map[string]struct {
		environments []environment
		want         []need
	}{
		"nothing where all may be done":    {[]environment{at("a", "api", "dev", yes, yes, yes, yes)}, []need{}},
		"nothing for what nobody answered": {[]environment{at("a", "api", "dev", unknown, unknown, unknown, unknown)}, []need{}},
		"a role for each verb and namespace": {
			[]environment{at("a", "api", "dev", no, yes, yes, yes), at("b", "web", "dev", no, yes, no, yes), at("a", "api", "prod", no, yes, yes, yes)},
			[]need{
				{"propose", []string{"api/dev", "api/prod"}, "in Kubernetes, a RoleBinding to the ClusterRole secretreview-proposer in namespace a (for api/dev, api/prod)"},
				{"propose", []string{"web/dev"}, "in Kubernetes, a RoleBinding to the ClusterRole secretreview-proposer in namespace b (for web/dev)"},
				{"rollback", []string{"web/dev"}, "in Kubernetes, a RoleBinding to the ClusterRole secretreview-rollbacker in namespace b (for web/dev)"},
			},
		},
		"a permission for each secret": {
			[]environment{at("a", "api", "dev", yes, no, yes, no)},
			[]need{
				{"approve", []string{"api/dev"}, "in Kubernetes, a RoleBinding to the ClusterRole secretreview-approver in namespace a (for api/dev)"},
				{"read", []string{"api/dev"}, "in AWS, secretsmanager:GetSecretValue on the secret x/api/dev in eu-central-1, and kms:Decrypt on its key arn:key"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := needs(tc.environments); !reflect.DeepEqual(got, tc.want) {
				t.Errorf("%+v", got)
			}
		})
	}
}
