package change_test

import (
	"testing"
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
)

func TestADeadlineLiesBeforeWhatAWSShowsIsBelieved(t *testing.T) {
	w := newWorld(1)
	c := w.propose("alice", setC)
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.until(c, change.MoveLabel)
	facts, a := w.decide(c)
	stepped := a.Status.Attempt.SteppedAt.Time
	if got := w.settings.Deadline(change.Facts{Change: &v1alpha1.SecretChange{Status: a.Status}}, a.Effect); !got.Equal(stepped.Add(15 * time.Second)) {
		t.Errorf("a move may take effect until %s, having been decided at %s", got, stepped)
	}
	limited := w.settings
	limited.DecisionHolds = 10 * time.Second
	if got := limited.Deadline(change.Facts{Change: &v1alpha1.SecretChange{Status: a.Status}}, a.Effect); !got.Equal(stepped.Add(10 * time.Second)) {
		t.Errorf("a leader that is sure to lead for ten seconds may move until %s, having decided at %s", got, stepped)
	}
	put := change.Effect{Kind: change.Put}
	if got := w.settings.Deadline(facts, put); !got.Equal(facts.Change.Status.Attempt.SteppedAt.Add(30 * time.Second)) {
		t.Errorf("a put may take effect until %s", got)
	}
	if got := w.settings.Deadline(change.Facts{Change: &v1alpha1.SecretChange{Status: a.Status}}, change.Effect{Kind: change.DeleteStaged}); !got.IsZero() {
		t.Errorf("a deletion may take effect until %s", got)
	}
}
