package policy_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/policy"
)

func TestFor(t *testing.T) {
	project := &v1alpha1.SecretProject{Spec: v1alpha1.SecretProjectSpec{
		PreventSelfApproval: ptr.To(false),
		ChangeTTL:           &metav1.Duration{Duration: time.Hour},
		ConflictPolicy:      v1alpha1.ConflictByKey,
		Suspend:             ptr.To(true),
		Environments: []v1alpha1.Environment{
			{Name: "dev"},
			{
				Name: "production", RequiredApprovals: ptr.To[int32](2), PreventSelfApproval: ptr.To(true),
				ChangeTTL: &metav1.Duration{Duration: time.Minute}, ConflictPolicy: v1alpha1.ConflictStrict,
				Rollback:       &v1alpha1.RollbackPolicy{RequireReview: ptr.To(true)},
				VersionHistory: ptr.To[int32](3), HistoryLimit: ptr.To[int32](4), PendingLimit: ptr.To[int32](5),
				Suspend: ptr.To(false),
			},
		},
	}}
	for name, tc := range map[string]struct {
		project     *v1alpha1.SecretProject
		environment string
		want        policy.Effective
		missing     bool
	}{
		"an environment without exceptions has the project's policy and the defaults": {
			project: project, environment: "dev", want: policy.Effective{
				RequiredApprovals: 1, ChangeTTL: time.Hour, ConflictPolicy: v1alpha1.ConflictByKey,
				VersionHistory: 10, HistoryLimit: 500, PendingLimit: 20, Suspended: true,
			}},
		"an environment's exceptions go before the project's policy": {
			project: project, environment: "production", want: policy.Effective{
				RequiredApprovals: 2, PreventSelfApproval: true, ChangeTTL: time.Minute,
				ConflictPolicy: v1alpha1.ConflictStrict, RollbackRequiresReview: true,
				VersionHistory: 3, HistoryLimit: 4, PendingLimit: 5,
			}},
		"a project that sets nothing has the safe defaults": {
			project: &v1alpha1.SecretProject{Spec: v1alpha1.SecretProjectSpec{
				Environments: []v1alpha1.Environment{{Name: "dev"}}}}, environment: "dev",
			want: policy.Effective{
				RequiredApprovals: 1, PreventSelfApproval: true, ChangeTTL: 168 * time.Hour,
				ConflictPolicy: v1alpha1.ConflictStrict, VersionHistory: 10, HistoryLimit: 500, PendingLimit: 20,
			}},
		"an environment that the project lacks": {project: project, environment: "staging", missing: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := policy.For(tc.project, tc.environment)
			if ok == tc.missing || got != tc.want {
				t.Errorf("got %+v, %t; want %+v", got, ok, tc.want)
			}
		})
	}
}
