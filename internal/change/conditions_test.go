package change_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
)

func TestSameFacts(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*v1alpha1.SecretChangeStatus)
		want bool
	}{
		"nothing":            {func(*v1alpha1.SecretChangeStatus) {}, true},
		"another message":    {func(s *v1alpha1.SecretChangeStatus) { s.Message = "Being made live" }, true},
		"another condition":  {func(s *v1alpha1.SecretChangeStatus) { s.Conditions[0].Reason = v1alpha1.ReasonProgressing }, true},
		"another phase":      {func(s *v1alpha1.SecretChangeStatus) { s.Phase = v1alpha1.PhaseApproved }, false},
		"an attempt":         {func(s *v1alpha1.SecretChangeStatus) { s.Attempt = &v1alpha1.Attempt{} }, false},
		"another approver":   {func(s *v1alpha1.SecretChangeStatus) { s.Decision.Approvers = []string{"carol"} }, false},
		"a later generation": {func(s *v1alpha1.SecretChangeStatus) { s.ObservedGeneration++ }, false},
	} {
		t.Run(name, func(t *testing.T) {
			before := v1alpha1.SecretChangeStatus{
				Phase: v1alpha1.PhasePending, Message: "Waiting", Decision: &v1alpha1.Decision{Approvers: []string{"bob"}},
				Conditions: []metav1.Condition{{Type: v1alpha1.ConditionApplied, Reason: v1alpha1.ReasonThrottled}},
			}
			after := *before.DeepCopy()
			c.edit(&after)
			untouched := before.DeepCopy()
			if got := change.SameFacts(before, after); got != c.want {
				t.Errorf("got %t", got)
			}
			if before.Message != untouched.Message || len(before.Conditions) != len(untouched.Conditions) {
				t.Error("the status itself was changed")
			}
		})
	}
}
