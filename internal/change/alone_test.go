package change_test

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/live"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// Two that were approved at once must not both begin, and one alone need not ask.
func TestWhoGoesFirstIsReadPastTheCacheWhereSomebodyElseWaits(t *testing.T) {
	for name, tc := range map[string]struct {
		others int
		alone  bool
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
			// Each write to the API server stands between an approval and its effect.
			if _, a := w.decide(c); a.Status.Phase != v1alpha1.PhaseApproved || a.Status.DecidedAt == nil || (a.Effect.Kind != change.NoEffect) != tc.alone {
				t.Fatalf("it is %s, and %q is to be done", a.Status.Phase, a.Effect.Kind)
			}
			w.until(c, change.Put)
			facts, a := w.decide(c)
			if facts.Fresh == tc.alone {
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

func TestAnApprovalIsOnRecordAlsoWhereAWSHindersWhatFollows(t *testing.T) {
	w := newWorld(1)
	c := w.propose("alice", setA)
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	facts := w.facts(c)
	if a := change.Decide(w.settings, facts); a.Read != change.ReadLive {
		t.Fatalf("wants %+v", a)
	}
	a := change.Blocked(w.settings, facts, live.Reasons[secretstore.KindUnavailable], "AWS does not answer")
	if a.Status.Phase != v1alpha1.PhaseApproved || a.Status.DecidedAt == nil || a.Status.Message != "AWS does not answer" || len(a.Events) != 1 {
		t.Errorf("it is %s since %v: %s, events %v", a.Status.Phase, a.Status.DecidedAt, a.Status.Message, a.Events)
	}
	c.Status = a.Status
	w.settle()
	if c.Status.Phase != v1alpha1.PhaseApplied {
		t.Errorf("it ends %s: %s", c.Status.Phase, c.Status.Message)
	}
}

// The second of two approvals arrives while a move is tried again, which is not told of.
func TestWhatIsApprovedWhileItIsTriedAgainSaysSo(t *testing.T) {
	w := newWorld(1)
	c := w.propose("alice", setA)
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.until(c, change.MoveLabel)
	_, a := w.decide(c)
	w.record(c, a.Status) // and the move is lost
	w.project.Spec.Environments[0].RequiredApprovals = ptr.To[int32](2)
	w.now = w.now.Add(2 * time.Minute)
	w.reconcile(c)
	w.review(c, "carol", v1alpha1.VerdictApproved)
	_, a = w.decide(c)
	approved := meta.FindStatusCondition(a.Status.Conditions, v1alpha1.ConditionApproved)
	if a.Status.Phase != v1alpha1.PhaseApproved || approved.Status != metav1.ConditionTrue {
		t.Errorf("is %s, but its condition says %+v", a.Status.Phase, approved)
	}
}
