package change_test

import (
	"testing"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
)

// Each write to the API server stands between an approval and its effect.
func TestAnApprovalIsRecordedWithTheAttemptWhereNobodyElseWaits(t *testing.T) {
	for name, tc := range map[string]struct {
		others int
		acts   bool
	}{
		"alone":         {0, true},
		"among several": {1, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(1)
			c := w.propose("alice", setA)
			for range tc.others {
				w.propose("alice", setC)
			}
			w.settle()
			w.review(c, "bob", v1alpha1.VerdictApproved)
			_, a := w.decide(c)
			if acts := a.Effect.Kind != change.NoEffect; a.Status.Phase != v1alpha1.PhaseApproved || a.Status.DecidedAt == nil || acts != tc.acts {
				t.Fatalf("it is %s, and %q is to be done", a.Status.Phase, a.Effect.Kind)
			}
			w.until(c, change.Put)
			facts, a := w.decide(c)
			if facts.Fresh == tc.acts {
				t.Errorf("who else is approved was read past the cache: %v", facts.Fresh)
			}
			if !a.StatusFirst || a.Status.Attempt == nil || a.Status.Phase != v1alpha1.PhaseApproved {
				t.Error("approval and attempt are not on record before it begins")
			}
			w.settle()
			if c.Status.Phase != v1alpha1.PhaseApplied {
				t.Errorf("it ends %s: %s", c.Status.Phase, c.Status.Message)
			}
		})
	}
}
