package change_test

import (
	"testing"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/audit"
	"github.com/secretreview/secretreview/internal/change"
)

func TestAVersionCommitsToWhatIsLiveBeforeIt(t *testing.T) {
	w := newWorld(1)
	first := w.propose("alice", set("A", "one"))
	w.review(first, "bob", v1alpha1.VerdictApproved)
	w.settle()
	w.review(w.propose("alice", set("A", "no")), "bob", v1alpha1.VerdictRejected)
	w.settle()
	second := w.propose("alice", set("A", "two"))
	w.review(second, "carol", v1alpha1.VerdictApproved)
	w.settle()

	place := second.Status.Attempt.Commitment
	if place.Sequence != 2 || place.Previous != first.Status.Audit.Digest || place.Ended == nil || place.Ended.Sequence != 1 {
		t.Errorf("it commits to %+v", place)
	}
	if len(place.Approvers) != 1 || place.Approvers[0] != "carol" {
		t.Errorf("it commits to the approvers %v", place.Approvers)
	}
	if second.Status.AppliedVersionID != audit.VersionID(second.UID, second, second.Status.Attempt, nil) {
		t.Error("the version's id is not what it commits to")
	}
	if report := w.verify(); len(report.Breaks) > 0 || report.Witnessed != 2 {
		t.Errorf("reports %+v", report)
	}
}

func TestARecordThatAnotherManagerHasJustMadeCountsByItsLabel(t *testing.T) {
	cases := map[string]struct {
		label change.Label
		waits bool
		want  int64
	}{
		"it is in the cache":                     {change.Label{Known: true, Record: v1alpha1.ChainLink{Sequence: 7, Digest: "d"}}, false, 8},
		"the cache shows it being made live yet": {change.Label{Known: true, Unfinished: true, Applying: true}, true, 0},
		"it was live before chains were kept":    {change.Label{Known: true}, false, 4},
	}
	for sentence, c := range cases {
		t.Run(sentence, func(t *testing.T) {
			w := newWorld(1)
			live := w.with("AWSCURRENT")
			w.versions[live].labels["sr-other"] = true
			mine := w.propose("alice", set("A", "mine"))
			w.review(mine, "bob", v1alpha1.VerdictApproved)
			for mine.Status.Phase != v1alpha1.PhaseApproved {
				w.reconcile(mine)
			}
			facts := w.facts(mine)
			for range 10 {
				a := change.Decide(w.settings, facts)
				if a.Effect.Kind == change.MoveLabel { // it keeps what it replaces
					if err := w.effect(mine, a.Effect); err != nil {
						t.Fatal(err)
					}
					facts = w.facts(mine)
					continue
				}
				if a.Read == change.ReadNothing {
					if waits := a.Status.Attempt == nil; waits != c.waits {
						t.Fatalf("waits: %v, %q", waits, a.Status.Message)
					}
					if !c.waits && (a.Status.Attempt.Commitment.Sequence != c.want) {
						t.Errorf("commits to place %d, want %d", a.Status.Attempt.Commitment.Sequence, c.want)
					}
					return
				}
				w.read(&facts, a)
				if a.Read == change.ReadHeads {
					facts.Heads.Live.Sequence = 3
				}
				if a.Read == change.ReadLive {
					label := c.label
					label.VersionID, label.ChangeUID = live, "other"
					facts.Live.Labels = []change.Label{label}
				}
			}
			t.Fatal("no decision")
		})
	}
}
