package change_test

import (
	"testing"
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// A backup of etcd brings a change back with its UID as it was before it was
// applied. Its label on what is live tells what became of it, whatever the
// status knows, and whatever ends it. Not so of an adoption, see below.
func TestAChangeThatABackupMakesYoungerEndsAsWhatItWas(t *testing.T) {
	reject := func(w *world, c *v1alpha1.SecretChange) { w.review(c, "bob", v1alpha1.VerdictRejected) }
	expire := func(w *world, _ *v1alpha1.SecretChange) { w.now = w.now.Add(200 * time.Hour) }
	lapse := func(w *world, _ *v1alpha1.SecretChange) { w.now = w.now.Add(5 * time.Minute); w.lapse(); w.mend() }
	unchecked := func(w *world, c *v1alpha1.SecretChange) {
		c.Status = v1alpha1.SecretChangeStatus{Admission: c.Status.Admission}
		w.now = w.now.Add(time.Minute)
	}
	for ends, then := range map[string][]func(*world, *v1alpha1.SecretChange){
		"rejected":                                 {reject},
		"expired":                                  {expire},
		"rejected after a lapse of the policies":   {lapse, reject},
		"expired after a lapse of the policies":    {lapse, expire},
		"rejected, and was not checked by then":    {unchecked, reject},
		"approved once more, and was not checked":  {unchecked},
		"checked anew after a lapse, and rejected": {lapse, unchecked, reject},
	} {
		for kind, source := range sources {
			t.Run(kind+" is "+ends, func(t *testing.T) {
				w := newWorld(1)
				c := source(w)
				w.settle()
				before := c.DeepCopy()
				w.review(c, "carol", v1alpha1.VerdictApproved)
				w.settle()
				if c.Status.Phase != v1alpha1.PhaseApplied {
					t.Fatalf("it is %s: %s", c.Status.Phase, c.Status.Message)
				}
				version, moves := c.Status.AppliedVersionID, w.moves[string(c.UID)]
				before.DeepCopyInto(c)
				for _, step := range then {
					step(w, c)
				}
				w.settle()
				w.now = w.now.Add(5 * time.Minute)
				w.settle()
				if ends == "approved once more, and was not checked" && !c.Status.Phase.Finished() {
					w.review(c, "carol", v1alpha1.VerdictApproved)
					w.settle()
				}
				if c.Status.Phase != v1alpha1.PhaseApplied || c.Status.AppliedVersionID != version {
					t.Errorf("it is %s as %q: %s", c.Status.Phase, c.Status.AppliedVersionID, c.Status.Message)
				}
				if again := w.moves[string(c.UID)]; again != moves {
					t.Errorf("it became live %d times more", again-moves)
				}
				if w.with(naming.VersionLabel(string(c.UID))) != version {
					t.Error("what is live has lost its label")
				}
			})
		}
	}
}

// Nothing but the label tells that a version was adopted, and whoever may move
// labels in AWS can put it there: an adoption that is not approved, or no more, adopts nothing.
func TestALabelAloneAdoptsNothing(t *testing.T) {
	for ends, then := range map[string]func(*world, *v1alpha1.SecretChange){
		"is withdrawn": func(w *world, c *v1alpha1.SecretChange) { w.review(c, "alice", v1alpha1.VerdictRejected) },
		"is rejected":  func(w *world, c *v1alpha1.SecretChange) { w.review(c, "bob", v1alpha1.VerdictRejected) },
		"expires":      func(w *world, _ *v1alpha1.SecretChange) { w.now = w.now.Add(200 * time.Hour) },
		"is checked":   func(*world, *v1alpha1.SecretChange) {},
	} {
		for what, restored := range map[string]func(drift, before string) string{
			"an adoption":          func(drift, _ string) string { return drift },
			"a restore of another": func(_, before string) string { return before },
		} {
			for checked, first := range map[string]func(*world){"checked": (*world).settle, "unchecked": func(*world) {}} {
				t.Run(what+" that "+ends+", "+checked+" before the label is moved", func(t *testing.T) {
					w := newWorld(1)
					before := w.with(secretstore.LabelCurrent)
					w.external(edited(w.live(), setC))
					drift := w.with(secretstore.LabelCurrent)
					c := w.revert("alice", v1alpha1.SecretChangeSpec{Restore: &v1alpha1.RestoreSource{VersionID: v1alpha1.VersionID(restored(drift, before))}})
					first(w)
					w.versions[drift].labels[naming.VersionLabel(string(c.UID))] = true
					then(w, c)
					w.settle()
					w.now = w.now.Add(5 * time.Minute)
					w.settle()
					if c.Status.Phase == v1alpha1.PhaseApplied {
						t.Errorf("without an approval it is %s", c.Status.Message)
					}
					if c.Status.Phase.Finished() && w.with(naming.VersionLabel(string(c.UID))) != "" {
						t.Error("the label stays")
					}
				})
			}
		}
	}
}

// Who ends a change may die before its label is off.
func TestALabelThatSomebodyMovedComesOffAlsoAfterACrash(t *testing.T) {
	w := newWorld(1)
	c := w.propose("alice", setA)
	w.settle()
	w.versions[w.with(secretstore.LabelCurrent)].labels[naming.VersionLabel(string(c.UID))] = true
	w.review(c, "bob", v1alpha1.VerdictRejected)
	_, a := w.decide(c)
	if a.StatusFirst {
		w.record(c, a.Status)
	}
	w.settle()
	if c.Status.Phase != v1alpha1.PhaseRejected || w.with(naming.VersionLabel(string(c.UID))) != "" {
		t.Errorf("it is %s, and its label on %q", c.Status.Phase, w.with(naming.VersionLabel(string(c.UID))))
	}
}
