package verdict

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/terminal"
)

// Wait says what to wait for.
type Wait struct {
	Clock clock.Clock
	// Reviewed is the change as Submit returned it.
	Reviewed *v1alpha1.SecretChange
	Given    v1alpha1.Verdict
	Timeout  time.Duration
	// Program is how sr was called.
	Program string
	// Tell is called with each new message of the controller.
	Tell func(message string)
}

// Await waits until the review has had its effect: until an approved change is
// live, needs more approvals or has ended otherwise, and a rejected one has
// ended. It returns the change as it is then, and an exit.Error if that is not
// what the verdict wanted, if it took too long, or if the person gave up.
func Await(ctx context.Context, kube client.WithWatch, w Wait) (*v1alpha1.SecretChange, error) {
	limited, cancel := context.WithTimeout(ctx, w.Timeout)
	defer cancel()
	f := follower{kube: kube, clock: w.Clock, reviewed: w.Reviewed, tell: w.Tell, final: func(_ *v1alpha1.SecretChange, s Stage) bool {
		return s == Ended || s == NeedsMore && w.Given == v1alpha1.VerdictApproved
	}}
	change, err := f.follow(limited)
	recorded := strings.ToLower(string(w.Given))
	switch {
	case err == nil:
		return change, outcome(change, w.Given)
	case ctx.Err() != nil:
		return nil, exit.Errorf(exit.Cancelled, "stopped waiting: that you %s change %q is recorded, and it goes on without you", recorded, w.Reviewed.Name)
	case errors.Is(err, context.DeadlineExceeded):
		last := f.told
		if last == "" {
			last = "the controller has not looked at your review yet"
		}
		return nil, exit.Errorf(exit.Unavailable, "after %s nothing has come of change %q yet, which you %s: %s; see \"%s status %s -n %s\"",
			w.Timeout, w.Reviewed.Name, recorded, strings.TrimSuffix(last, "."), w.Program, w.Reviewed.Name, w.Reviewed.Namespace)
	default:
		return nil, fmt.Errorf("wait for change %q, which you %s: %w", w.Reviewed.Name, recorded, err)
	}
}

// maxCheck is how long a reviewer waits for the controller's check of a change
// that was proposed a moment ago.
const maxCheck = 30 * time.Second

// AwaitCheck waits until the controller has checked the change, and returns it as
// it is then. It fails with an exit.Error of Unavailable where that takes longer
// than a change usually needs.
func AwaitCheck(ctx context.Context, kube client.WithWatch, w Wait) (*v1alpha1.SecretChange, error) {
	limited, cancel := context.WithTimeout(ctx, min(w.Timeout, maxCheck))
	defer cancel()
	f := follower{kube: kube, clock: w.Clock, reviewed: w.Reviewed, tell: w.Tell, final: func(c *v1alpha1.SecretChange, _ Stage) bool {
		return c.Status.Phase != ""
	}}
	change, err := f.follow(limited)
	if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
		return change, err
	}
	why := f.told
	if why == "" {
		why = "see whether it runs, and try again"
	}
	return nil, exit.Errorf(exit.Unavailable, "the controller has not checked change %q yet, so there is nothing to review: %s",
		w.Reviewed.Name, strings.TrimSuffix(why, "."))
}

// Told says in a sentence what came of a verdict that has had its effect.
func Told(change *v1alpha1.SecretChange, user string) string {
	status := change.Status
	message := terminal.Escape(strings.TrimSuffix(status.Message, "."))
	switch {
	case status.Phase == v1alpha1.PhaseApplied:
		return fmt.Sprintf("Change %s is applied. %s.", change.Name, message)
	case status.Phase.Finished():
		return fmt.Sprintf("Change %s has ended as %s. %s.", change.Name, status.Phase, message)
	case status.Decision == nil || !slices.Contains(status.Decision.Approvers, user):
		return fmt.Sprintf("Change %s is not approved yet. %s.", change.Name, message)
	default:
		missing := int(status.Decision.RequiredApprovals) - len(status.Decision.Approvers)
		return fmt.Sprintf("Change %s has %s approvals: %d more needed.", change.Name, status.Approvals, missing)
	}
}
