package change_test

import (
	"testing"
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// The live secret is deleted for good and made anew in the middle of an attempt.
func TestASecretMadeAnewHoldsNobody(t *testing.T) {
	for name, tc := range map[string]struct {
		until  change.EffectKind
		done   bool
		phase  v1alpha1.Phase
		reason string
	}{
		"nothing was asked for yet, so it is made live there": {change.Put, true, v1alpha1.PhaseApplied, v1alpha1.ReasonApplied},
		"it was asked for, so what came of it is unknown":     {change.MoveLabel, true, v1alpha1.PhaseConflicted, v1alpha1.ReasonOutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(1)
			w.project.Spec.ConflictPolicy = v1alpha1.ConflictByKey
			c := w.propose("alice", setC)
			later := w.propose("bob", func(doc document.Document) { doc["D"] = doc["A"] })
			w.settle()
			w.review(c, "bob", v1alpha1.VerdictApproved)
			w.until(c, tc.until)
			w.reconcile(c)
			live := w.versions[w.with(secretstore.LabelCurrent)].value
			w.secret.ARN = liveARN[:len(liveARN)-1] + "g"
			w.versions = map[string]*version{"made-anew": {value: live, labels: map[string]bool{secretstore.LabelCurrent: true}}}
			w.refreshProject()
			w.review(later, "carol", v1alpha1.VerdictApproved)
			for range 5 {
				w.now = w.now.Add(time.Minute)
				w.settle()
			}
			if c.Status.Phase != tc.phase || readyReason(c) != tc.reason {
				t.Errorf("is %s because of %s: %s", c.Status.Phase, readyReason(c), c.Status.Message)
			}
			if later.Status.Phase != v1alpha1.PhaseApplied {
				t.Errorf("the one that comes later is %s: %s", later.Status.Phase, later.Status.Message)
			}
		})
	}
}
