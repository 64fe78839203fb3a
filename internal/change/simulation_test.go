package change_test

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"k8s.io/utils/ptr"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/sensitive"
)

var (
	seeds = flag.Int("simulations", 3000, "how many random schedules to run")
	only  = flag.Uint64("seed", 0, "replay this schedule alone")
)

// TestSimulation runs random schedules of proposers, reviewers, external
// editors, policy changes, lost answers and crashes, and checks after each that
// nothing unapproved went live, nothing twice, and nothing was lost.
func TestSimulation(t *testing.T) {
	if *only != 0 {
		simulate(t, *only)
		return
	}
	for seed := uint64(1); seed <= uint64(*seeds); seed++ {
		simulate(t, seed)
		if t.Failed() {
			t.Fatalf("replay with: go test ./internal/change -run TestSimulation -seed %d", seed)
		}
	}
}

func simulate(t *testing.T, seed uint64) {
	t.Helper()
	w := newWorld(seed)
	r := w.random
	chance := func(percent int) func() bool { return func() bool { return r.IntN(100) < percent } }
	if r.IntN(2) == 0 {
		w.project.Spec.ConflictPolicy = v1alpha1.ConflictByKey
	}
	w.project.Spec.Environments[0].RequiredApprovals = ptr.To(int32(r.IntN(3)))
	w.lose, w.crash = chance(r.IntN(20)), chance(r.IntN(20))
	w.stale = chance(r.IntN(30))
	w.forgetful = chance(r.IntN(100))
	edit := func(doc document.Document) {
		key := []string{"A", "C", "D", "E"}[r.IntN(4)]
		doc[key] = sensitive.New(fmt.Sprint(r.IntN(1_000_000)))
		if r.IntN(4) == 0 {
			delete(doc, "B")
		}
	}
	people := []string{"alice", "bob", "carol", "dave"}
	somebody := func() string { return people[r.IntN(len(people))] }
	actions := []func(){
		func() {
			if len(w.changes) < 6 {
				w.propose(somebody(), edit)
			}
		},
		func() {
			if len(w.changes) > 0 && len(w.changes) < 8 {
				who, spec := somebody(), w.anyRevert()
				if r.IntN(3) == 0 {
					spec.Reviews = []v1alpha1.Review{{Reviewer: who, Verdict: v1alpha1.VerdictApproved}}
				}
				w.revert(who, spec)
			}
		},
		func() { w.external(edited(w.live(), edit)) },
		func() { w.now = w.now.Add(time.Duration(r.IntN(int(40 * time.Hour)))) },
		func() { w.project.Spec.Suspend = ptr.To(r.IntN(3) == 0); w.project.Generation++ },
		w.undo,
		func() { w.undo(); w.external(edited(w.live(), edit)); w.undo() },
		w.lapse,
		w.mend,
		func() {
			w.project.Spec.Environments[0].RequiredApprovals = ptr.To(int32(r.IntN(3)))
			w.project.Generation++
		},
	}
	for range 120 {
		if len(w.changes) == 0 || r.IntN(20) == 0 {
			actions[r.IntN(len(actions))]()
			continue
		}
		c := w.changes[r.IntN(len(w.changes))]
		switch r.IntN(12) {
		case 0, 1:
			w.review(c, somebody(), v1alpha1.VerdictApproved)
		case 2:
			if r.IntN(6) == 0 {
				w.review(c, somebody(), v1alpha1.VerdictRejected)
			}
		default:
			w.now = w.now.Add(time.Duration(r.IntN(5)) * time.Second)
			w.reconcile(c)
		}
	}
	w.project.Spec.Suspend = nil
	w.mend()
	w.settle()
	w.now = w.now.Add(1000 * time.Hour)
	w.settle()
	w.check(t, seed)
}

// anyRevert goes back by any change or version, also by one that it cannot.
func (w *world) anyRevert() v1alpha1.SecretChangeSpec {
	var spec v1alpha1.SecretChangeSpec
	named := w.changes[w.random.IntN(len(w.changes))].Name
	switch w.random.IntN(3) {
	case 0:
		spec.Restore = &v1alpha1.RestoreSource{Change: named}
	case 1:
		ids := slices.Sorted(maps.Keys(w.versions))
		spec.Restore = &v1alpha1.RestoreSource{VersionID: v1alpha1.VersionID(ids[w.random.IntN(len(ids))])}
	default:
		spec.Rollback = &v1alpha1.RollbackSource{Change: named}
	}
	return spec
}

func edited(doc document.Document, edit func(document.Document)) document.Document {
	out := doc.Clone()
	edit(out)
	return out
}

// check holds what must be true once everything has come to rest.
func (w *world) check(t *testing.T, seed uint64) {
	t.Helper()
	for _, v := range w.violations {
		t.Errorf("seed %d: %s", seed, v)
	}
	for _, c := range w.changes {
		moves := w.moves[string(c.UID)]
		unknown := c.Status.Phase == v1alpha1.PhaseConflicted && readyReason(c) == v1alpha1.ReasonOutcomeUnknown
		switch {
		case !c.Status.Phase.Finished():
			t.Errorf("seed %d: %s never ended: %s %s", seed, c.Name, c.Status.Phase, c.Status.Message)
		case moves > 1:
			t.Errorf("seed %d: %s went live %d times", seed, c.Name, moves)
		case c.Status.Phase == v1alpha1.PhaseApplied && moves != 1 && (c.Spec.Staged != nil || c.Status.Revert != nil):
			t.Errorf("seed %d: %s is Applied but went live %d times", seed, c.Name, moves)
		case c.Status.Phase != v1alpha1.PhaseApplied && moves != 0 && !unknown:
			t.Errorf("seed %d: %s is %s but went live", seed, c.Name, c.Status.Phase)
		case c.Status.Message == "":
			t.Errorf("seed %d: %s ended as %s without a word", seed, c.Name, c.Status.Phase)
		case len(c.Finalizers) != 0:
			t.Errorf("seed %d: %s keeps its finalizer", seed, c.Name)
		// What an adoption has labelled stays so where an old answer ends it; the label goes when it is the oldest.
		case c.Status.Phase != v1alpha1.PhaseApplied && (c.Spec.Staged != nil || c.Status.Revert != nil) && w.with(naming.VersionLabel(string(c.UID))) != "" && moves == 0:
			t.Errorf("seed %d: %s lost but keeps its label", seed, c.Name)
		}
	}
	for _, b := range w.verify().Breaks {
		t.Errorf("seed %d: the audit chain is broken: %+v", seed, b)
	}
	if len(w.staged) != 0 {
		t.Errorf("seed %d: %d staged secrets are left", seed, len(w.staged))
	}
}

func readyReason(c *v1alpha1.SecretChange) string {
	for _, cond := range c.Status.Conditions {
		if cond.Type == v1alpha1.ConditionReady {
			return cond.Reason
		}
	}
	return ""
}
