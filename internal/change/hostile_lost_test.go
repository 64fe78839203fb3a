package change_test

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
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

func TestALabelThatAWSLetsNobodyTakeOffHoldsNothing(t *testing.T) {
	for name, spoil := range map[string]func(w *world){
		"the secret is another team's":         func(w *world) { w.secret.Tags = map[string]string{naming.TagOwner: "blue/another"} },
		"the secret is scheduled for deletion": func(w *world) { w.secret.DeletedAt = &w.now },
	} {
		for how, ends := range map[string]func(w *world, c *v1alpha1.SecretChange){
			"rejected": func(w *world, c *v1alpha1.SecretChange) { w.review(c, "carol", v1alpha1.VerdictRejected) },
			"deleted":  func(w *world, c *v1alpha1.SecretChange) { c.DeletionTimestamp = &metav1.Time{Time: w.now} },
		} {
			t.Run(name+", and the change is "+how, func(t *testing.T) {
				w := newWorld(1)
				c := w.propose("alice", setA)
				w.settle()
				w.review(c, "bob", v1alpha1.VerdictApproved)
				w.until(c, change.MoveLabel)
				spoil(w)
				ends(w, c)
				for range 10 {
					if _, a := w.decide(c); a.Effect.Kind == change.MoveLabel {
						t.Fatal("it moves a label, which AWS refuses")
					}
					w.reconcile(c)
					w.now = w.now.Add(time.Minute)
				}
				if _, staged := w.staged[c.Spec.Staged.SecretARN]; staged {
					t.Error("its values are staged still")
				}
				if c.DeletionTimestamp != nil {
					if len(c.Finalizers) > 0 {
						t.Error("it is not let go")
					}
					return
				}
				w.secret.Tags, w.secret.DeletedAt = map[string]string{naming.TagOwner: naming.Owner(cluster, namespace)}, nil
				w.settle()
				if label := w.with(naming.VersionLabel(string(c.UID))); label != "" || len(c.Finalizers) > 0 {
					t.Errorf("once AWS lets it, its label is on %q, and its finalizers are %v", label, c.Finalizers)
				}
			})
		}
	}
}

func TestAClockThatWasAheadAtTheEndHoldsNothing(t *testing.T) {
	w := newWorld(1)
	c := w.propose("alice", setA)
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	now := w.now
	w.now = w.now.Add(48 * time.Hour)
	w.until(c, change.MoveLabel)
	w.review(c, "carol", v1alpha1.VerdictRejected)
	w.reconcile(c)
	w.reconcile(c)
	w.now = now.Add(time.Hour)
	w.settle()
	if _, staged := w.staged[c.Spec.Staged.SecretARN]; staged || len(c.Finalizers) > 0 {
		t.Errorf("staged still: %v; finalizers: %v; %s", staged, c.Finalizers, c.Status.Phase)
	}
}

func TestAMoveThatIsNotMadeIsTold(t *testing.T) {
	w := newWorld(1)
	c := w.propose("alice", setA)
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.until(c, change.MoveLabel)
	refusals := 0
	for range 100 {
		facts, a := w.decide(c)
		w.record(c, a.Status)
		if a.Effect.MakesLive() {
			refusals++
			facts.Change = c.DeepCopy()
			w.record(c, change.MoveRefused(w.settings, facts, v1alpha1.ReasonThrottled, "Waiting: too many calls").Status)
		}
		if refusals == 0 {
			continue
		}
		ready := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady)
		if c.Status.Message != "Waiting: too many calls" || ready == nil || ready.Reason != v1alpha1.ReasonThrottled || ready.Message != c.Status.Message {
			t.Fatalf("after %d refusals it says %q, and %+v", refusals, c.Status.Message, ready)
		}
		w.now = w.now.Add(20 * time.Second)
	}
	if refusals < 10 {
		t.Errorf("tried %d times", refusals)
	}
}
