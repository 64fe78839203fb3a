package change_test

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// Without a project nothing looks at the name in the ARN: any secret of the
// account is described, in the manager's name.
func TestNoSecretIsDescribedByAnArnThatCannotBeAStagedOnes(t *testing.T) {
	w := newWorld(1)
	c := w.propose("eve", setA)
	c.Spec.Staged.SecretARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:somebody-elses-database-AbCdEf"
	w.project = nil
	w.now = w.now.Add(time.Hour)
	w.reconcile(c) // the finalizer
	w.reconcile(c) // Invalid
	c.DeletionTimestamp = &metav1.Time{Time: w.now}
	facts := w.facts(c)
	if a := change.Decide(w.settings, facts); a.Read == change.ReadStaged {
		t.Errorf("%s wants to describe %s; where IAM denies that, the finalizer stays for ever", c.Status.Phase, c.Spec.Staged.SecretARN)
	}
}

// What waits for a change of project api, printed for Git and not merged yet, is
// named by a change to a project that does not exist.
func TestAChangeWithoutAProjectDeletesNothingThatIsAnothersToBe(t *testing.T) {
	w := newWorld(1)
	unborn := w.propose("alice", setA) // staged; its change is to come from Git
	w.changes = nil
	api := w.project
	squatter := unborn.DeepCopy()
	squatter.UID, squatter.Spec.ProposedBy, squatter.Spec.Project = "uid-eve", "eve", "ghost"
	w.changes = append(w.changes, squatter)
	w.project = nil // there is no SecretProject ghost
	w.settle()
	w.now = w.now.Add(time.Hour)
	w.settle()
	w.project = api
	if _, left := w.staged[unborn.Spec.Staged.SecretARN]; !left {
		t.Errorf("a change to project ghost, %s (%s), has had %s deleted at once", squatter.Status.Phase, squatter.Status.Message,
			strings.TrimSuffix(unborn.Spec.Staged.SecretARN, "-GhIjKl"))
	}
}

// The same within one project: whoever may propose there copies name and ARN
// from a manifest that waits for its merge, and withdraws at once.
func TestAWithdrawalDeletesNothingThatSomebodyElseStaged(t *testing.T) {
	w := newWorld(1)
	unborn := w.propose("alice", setA)
	w.changes = nil
	squatter := unborn.DeepCopy()
	squatter.UID, squatter.Spec.ProposedBy = "uid-eve", "eve"
	squatter.Spec.Staged.Digest = "sha256:" + strings.Repeat("0", 64)
	w.changes = append(w.changes, squatter)
	w.settle()
	if _, left := w.staged[unborn.Spec.Staged.SecretARN]; !left {
		t.Errorf("eve's change, %s (%s), has had what alice staged deleted at once", squatter.Status.Phase, squatter.Status.Message)
	}
}

// The project is deleted while a change is being made live.
func TestAnAttemptRemembersWhereItWasMade(t *testing.T) {
	w := newWorld(1)
	c := w.propose("alice", setA)
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.until(c, change.MoveLabel)
	if c.Status.Attempt.SecretARN != liveARN {
		t.Errorf("the attempt is about %q", c.Status.Attempt.SecretARN)
	}
}

// events.k8s.io takes 1,024 bytes; what is longer is refused, and nobody is told.
func TestNoEventIsTooLongForTheApiServer(t *testing.T) {
	w := newWorld(1)
	c := w.propose("alice", setA)
	w.settle()
	w.review(c, strings.Repeat("\u00e9", 340), v1alpha1.VerdictRejected)
	_, a := w.decide(c)
	for _, e := range a.Events {
		if len(e.Message) > 1024 {
			t.Errorf("%s has a note of %d bytes", e.Reason, len(e.Message))
		}
	}
	w = newWorld(1)
	c = w.propose("alice", func(d document.Document) {
		for _, k := range []string{"A1", "B1", "C1", "D1", "E1"} {
			d[k+strings.Repeat("x", 250)] = sensitive.New("v")
		}
	})
	for range 3 {
		_, a = w.decide(c)
		for _, e := range a.Events {
			if len(e.Message) > 1024 {
				t.Errorf("%s has a note of %d bytes", e.Reason, len(e.Message))
			}
		}
		w.reconcile(c)
	}
}
