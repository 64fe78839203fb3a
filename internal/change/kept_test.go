package change_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
)

// TestKept looks at what is left staged of a change that has ended.
func TestKept(t *testing.T) {
	conflict := func(w *world, _ *v1alpha1.SecretChange) {
		w.settle()
		w.external(edited(w.live(), setC))
		w.now = w.now.Add(time.Minute)
	}
	for name, tc := range map[string]struct {
		story func(*world, *v1alpha1.SecretChange)
		kept  bool
	}{
		"a conflicted change keeps its values, to be rebased": {story: conflict, kept: true},
		"one that conflicts before it is checked keeps them, too": {story: func(w *world, _ *v1alpha1.SecretChange) {
			w.external(edited(w.live(), setC))
			w.now = w.now.Add(time.Minute)
		}, kept: true},
		"no longer than until it would have expired": {story: func(w *world, c *v1alpha1.SecretChange) {
			conflict(w, c)
			w.settle()
			w.now = c.Status.ExpiresAt.Time
		}},
		"a conflicted one that is deleted takes them with it": {story: func(w *world, c *v1alpha1.SecretChange) {
			conflict(w, c)
			w.settle()
			c.DeletionTimestamp = &metav1.Time{Time: w.now}
		}},
		"one that may have been live for a moment does not keep them": {story: func(w *world, c *v1alpha1.SecretChange) {
			w.review(c, "bob", v1alpha1.VerdictApproved)
			w.until(c, change.MoveLabel)
			_, a := w.decide(c)
			c.Status = a.Status // AWS is asked, and the manager dies
			w.external(edited(w.live(), setC))
			w.external(edited(w.live(), setC))
			w.now = w.now.Add(5 * time.Minute)
		}},
		"a rejected one does not": {story: func(w *world, c *v1alpha1.SecretChange) {
			w.review(c, "bob", v1alpha1.VerdictRejected)
		}},
		"an applied one does not": {story: func(w *world, c *v1alpha1.SecretChange) {
			w.review(c, "bob", v1alpha1.VerdictApproved)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(1)
			c := w.propose("alice", setA)
			tc.story(w, c)
			w.settle()
			if !c.Status.Phase.Finished() {
				t.Fatalf("is %s (%s)", c.Status.Phase, c.Status.Message)
			}
			_, staged := w.staged[c.Spec.Staged.SecretARN]
			if staged != tc.kept || len(c.Finalizers) > 0 != tc.kept {
				t.Errorf("is %s (%s), staged: %t, finalizers: %v", c.Status.Phase, c.Status.Message, staged, c.Finalizers)
			}
			if len(w.violations) > 0 {
				t.Error(w.violations)
			}
		})
	}
}
