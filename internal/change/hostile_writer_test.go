package change_test

import (
	"testing"
	"time"

	"k8s.io/utils/ptr"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// write is somebody who may write versions in AWS, and does so under an id that
// is on record as a change's.
func (w *world) write(c *v1alpha1.SecretChange, id, value string) {
	w.changing()
	w.versions[id] = &version{value: sensitive.New(value), labels: map[string]bool{naming.VersionLabel(string(c.UID)): true}}
}

// attempting is a change whose attempt is on record, and of which nothing is
// written.
func attempting() (*world, *v1alpha1.SecretChange, change.Action) {
	w := newWorld(1)
	c := w.propose("alice", setA)
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.until(c, change.Put)
	_, a := w.decide(c)
	w.record(c, a.Status)
	return w, c, a
}

func TestOtherValuesUnderTheIDOfAnAttemptNeverBecomeLive(t *testing.T) {
	approved := edited(newWorld(1).live(), setA)
	for name, value := range map[string]string{
		"other values":               `{"A":"evil","B":"2"}`,
		"one more key":               `{"A":"` + approved["A"].Reveal() + `","B":"2","EVIL":"1"}`,
		"no document":                `evil`,
		"nothing but what is edited": `{"A":"` + approved["A"].Reveal() + `"}`,
	} {
		for when, meet := range map[string]func(w *world, c *v1alpha1.SecretChange, a change.Action){
			"the manager ended before its put": func(*world, *v1alpha1.SecretChange, change.Action) {},
			"its put is refused, which nobody writes down": func(w *world, c *v1alpha1.SecretChange, a change.Action) {
				if err := w.effect(c, a.Effect); err == nil {
					t.Error("the put is not refused")
				}
			},
		} {
			t.Run(name+", and "+when, func(t *testing.T) {
				w, c, a := attempting()
				id := c.Status.Attempt.VersionID
				w.write(c, id, value)
				meet(w, c, a)
				w.settle()
				w.now = w.now.Add(5 * time.Minute)
				w.settle()
				if c.Status.Phase != v1alpha1.PhaseApplied || c.Status.AppliedVersionID == id {
					t.Errorf("it is %s as %s: %s", c.Status.Phase, c.Status.AppliedVersionID, c.Status.Message)
				}
				if len(document.Diff(w.live(), approved)) > 0 || len(w.violations) > 0 {
					t.Errorf("live is what nobody approved; %v", w.violations)
				}
				if breaks := w.verify().Breaks; len(breaks) > 0 {
					t.Errorf("the chain breaks: %v", breaks)
				}
			})
		}
	}
}

func TestAFirstVersionOfOtherValuesIsNotTheChanges(t *testing.T) {
	w := newWorld(1)
	c := w.propose("alice", setC)
	clear(w.versions)
	w.refreshProject()
	c.Spec.BaseVersionID, c.Spec.Staged.Digest = "", restage(w, c)
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.until(c, change.Put)
	_, a := w.decide(c)
	w.record(c, a.Status)
	w.write(c, c.Status.Attempt.VersionID, `{"A":"evil"}`)
	w.moveCurrent(c.Status.Attempt.VersionID)
	w.settle()
	w.now = w.now.Add(5 * time.Minute)
	w.settle()
	if c.Status.Phase != v1alpha1.PhaseConflicted {
		t.Errorf("it is %s: %s", c.Status.Phase, c.Status.Message)
	}
}

func TestWhoWroteUnderTheIDOfAnAttemptIsTold(t *testing.T) {
	w, c, _ := attempting()
	w.write(c, c.Status.Attempt.VersionID, `{"A":"evil"}`)
	_, a := w.decide(c)
	if len(a.Events) != 1 || !a.Events[0].Warning || a.Events[0].Reason != v1alpha1.ReasonForeignVersion {
		t.Errorf("it tells %+v", a.Events)
	}
}

func TestThePolicyOfTheLastMomentDecidesOnAMovedBase(t *testing.T) {
	w := newWorld(1)
	w.project.Spec.ConflictPolicy = v1alpha1.ConflictByKey
	c := w.propose("alice", setA)
	w.settle()
	w.external(edited(w.live(), setC))
	w.now = w.now.Add(5 * time.Minute)
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.until(c, change.MoveLabel)
	w.project.Spec.Suspend, w.project.Spec.ConflictPolicy = ptr.To(true), v1alpha1.ConflictStrict
	w.project.Generation++
	w.settle()
	w.now = w.now.Add(time.Hour)
	w.project.Spec.Suspend = nil
	w.project.Generation++
	w.settle()
	if c.Status.Phase != v1alpha1.PhaseConflicted || w.moves[string(c.UID)] > 0 {
		t.Errorf("it is %s after %d moves: %s", c.Status.Phase, w.moves[string(c.UID)], c.Status.Message)
	}
}

func TestOtherValuesThatSomebodyMakesLiveUnderTheIDOfAnAttemptAreNotTheChanges(t *testing.T) {
	for kind, source := range sources {
		for what, phase := range map[string]v1alpha1.Phase{"other values": v1alpha1.PhaseConflicted, "no document": v1alpha1.PhaseConflicted, "what was approved": v1alpha1.PhaseApplied} {
			t.Run(kind+" under whose id stands "+what, func(t *testing.T) {
				w := newWorld(1)
				c := source(w)
				w.settle()
				w.review(c, "carol", v1alpha1.VerdictApproved)
				w.until(c, change.Put)
				_, a := w.decide(c)
				w.record(c, a.Status)
				id, value := c.Status.Attempt.VersionID, map[string]string{"other values": `{"A":"evil"}`, "no document": "evil"}[what]
				if what == "what was approved" {
					value = a.Effect.Put.Value.Reveal()
				}
				w.write(c, id, value)
				w.moveCurrent(id)
				w.settle()
				w.now = w.now.Add(5 * time.Minute)
				w.settle()
				if c.Status.Phase != phase {
					t.Errorf("it is %s: %s", c.Status.Phase, c.Status.Message)
				}
				if labelled := w.with(naming.VersionLabel(string(c.UID))) != ""; labelled != (phase == v1alpha1.PhaseApplied) {
					t.Errorf("labelled as the change's: %v", labelled)
				}
			})
		}
	}
}
