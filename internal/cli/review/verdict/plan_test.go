package verdict

import (
	"encoding/json"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
)

const digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"

func pending(reviews ...v1alpha1.Review) *v1alpha1.SecretChange {
	return &v1alpha1.SecretChange{
		ObjectMeta: metav1.ObjectMeta{Name: "x", UID: "u-1", Generation: 3},
		Spec:       v1alpha1.SecretChangeSpec{Staged: &v1alpha1.StagedSource{Digest: digest}, Reviews: reviews},
		Status:     v1alpha1.SecretChangeStatus{Phase: v1alpha1.PhasePending},
	}
}

func ended(phase v1alpha1.Phase) *v1alpha1.SecretChange {
	c := pending()
	c.Status.Phase, c.Status.Message = phase, "It is over."
	return c
}

func review(reviewer string, verdict v1alpha1.Verdict) v1alpha1.Review {
	return v1alpha1.Review{Reviewer: reviewer, Verdict: verdict}
}

func many(n int) []v1alpha1.Review {
	var reviews []v1alpha1.Review
	for i := range n {
		reviews = append(reviews, review(strings.Repeat("x", i+1), v1alpha1.VerdictApproved))
	}
	return reviews
}

func TestPlan(t *testing.T) {
	const pins = `{"op":"test","path":"/metadata/uid","value":"u-1"},{"op":"test","path":"/spec/staged/digest","value":"` + digest + `"}`
	approved, rejected := v1alpha1.VerdictApproved, v1alpha1.VerdictRejected
	restore := pending()
	restore.Spec.Staged = nil
	for name, c := range map[string]struct {
		change *v1alpha1.SecretChange
		review v1alpha1.Review
		patch  string
		code   exit.Code
	}{
		"a review is added to what was shown": {
			change: pending(review("carol", approved)), review: v1alpha1.Review{Reviewer: "bob", Verdict: approved, Comment: "fine"},
			patch: `[` + pins + `,{"op":"add","path":"/spec/reviews/-","value":{"reviewer":"bob","verdict":"Approved","comment":"fine"}}]`,
		},
		"a change without staged values is pinned by its UID": {
			change: restore, review: review("bob", approved),
			patch: `[{"op":"test","path":"/metadata/uid","value":"u-1"},{"op":"add","path":"/spec/reviews/-","value":{"reviewer":"bob","verdict":"Approved"}}]`,
		},
		"an approval turns into a rejection": {
			change: pending(review("carol", approved), review("bob", approved)), review: review("bob", rejected),
			patch: `[` + pins + `,{"op":"test","path":"/spec/reviews/1/reviewer","value":"bob"},{"op":"test","path":"/spec/reviews/1/verdict","value":"Approved"},` +
				`{"op":"replace","path":"/spec/reviews/1","value":{"reviewer":"bob","verdict":"Rejected"}}]`,
		},
		"the same again is nothing to do":     {change: pending(review("bob", approved)), review: review("bob", approved)},
		"a rejection cannot be taken back":    {change: pending(review("bob", rejected)), review: review("bob", approved), code: exit.Refused},
		"sixteen reviews are enough":          {change: pending(many(16)...), review: review("bob", approved), code: exit.Refused},
		"what is live takes no review":        {change: ended(v1alpha1.PhaseApplied), review: review("bob", rejected), code: exit.Refused},
		"what is in conflict takes no review": {change: ended(v1alpha1.PhaseConflicted), review: review("bob", approved), code: exit.Conflict},
		"what is approved can still be stopped": {
			change: func() *v1alpha1.SecretChange {
				c := restore.DeepCopy()
				c.Status.Phase = v1alpha1.PhaseApproved
				return c
			}(),
			review: review("bob", rejected),
			patch:  `[{"op":"test","path":"/metadata/uid","value":"u-1"},{"op":"add","path":"/spec/reviews/-","value":{"reviewer":"bob","verdict":"Rejected"}}]`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			patch, err := plan(c.change, c.review)
			if exit.CodeOf(err) != c.code || string(patch) != c.patch {
				t.Errorf("got %s, %v (%d)", patch, err, exit.CodeOf(err))
			}
			if patch != nil && !json.Valid(patch) {
				t.Errorf("%s is not JSON", patch)
			}
		})
	}
}

func TestCommentHasALimitInBytes(t *testing.T) {
	if err := CheckComment(strings.Repeat("ä", 1024)); err != nil {
		t.Error(err)
	}
	if err := CheckComment(strings.Repeat("ä", 1024) + "."); exit.CodeOf(err) != exit.Usage {
		t.Errorf("got %v", err)
	}
}

// observed returns a change as the controller leaves it.
func observed(phase v1alpha1.Phase, generation int64, reason string) *v1alpha1.SecretChange {
	c := pending()
	c.Status = v1alpha1.SecretChangeStatus{
		Phase: phase, ObservedGeneration: generation, Message: "A message",
		Conditions: []metav1.Condition{{Type: v1alpha1.ConditionReady, Reason: reason}},
	}
	return c
}

func TestStageOf(t *testing.T) {
	const generation = 3
	for name, c := range map[string]struct {
		change *v1alpha1.SecretChange
		want   Stage
	}{
		"the controller has not looked yet":          {observed(v1alpha1.PhasePending, 2, v1alpha1.ReasonAwaitingReview), Unseen},
		"more approvals are needed":                  {observed(v1alpha1.PhasePending, 3, v1alpha1.ReasonAwaitingReview), NeedsMore},
		"pending, and held by weakened policies":     {observed(v1alpha1.PhasePending, 3, v1alpha1.ReasonPoliciesWeakened), Working},
		"approved and being applied":                 {observed(v1alpha1.PhaseApproved, 3, v1alpha1.ReasonProgressing), Working},
		"approved and frozen":                        {observed(v1alpha1.PhaseApproved, 3, v1alpha1.ReasonFrozen), Working},
		"approved and waiting for its turn":          {observed(v1alpha1.PhaseApproved, 3, v1alpha1.ReasonWaitingForTurn), Working},
		"live":                                       {observed(v1alpha1.PhaseApplied, 3, v1alpha1.ReasonApplied), Ended},
		"ended before the controller saw the review": {observed(v1alpha1.PhaseExpired, 2, v1alpha1.ReasonExpired), Ended},
		"a pending change without conditions":        {&v1alpha1.SecretChange{Status: v1alpha1.SecretChangeStatus{Phase: v1alpha1.PhasePending, ObservedGeneration: 3}}, Working},
	} {
		t.Run(name, func(t *testing.T) {
			if got := StageOf(c.change, generation); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestOutcome(t *testing.T) {
	for name, c := range map[string]struct {
		phase v1alpha1.Phase
		given v1alpha1.Verdict
		code  exit.Code
	}{
		"approved and live":               {v1alpha1.PhaseApplied, v1alpha1.VerdictApproved, exit.OK},
		"approved, more needed":           {v1alpha1.PhasePending, v1alpha1.VerdictApproved, exit.OK},
		"approved, but rejected":          {v1alpha1.PhaseRejected, v1alpha1.VerdictApproved, exit.Refused},
		"approved, but in conflict":       {v1alpha1.PhaseConflicted, v1alpha1.VerdictApproved, exit.Conflict},
		"approved, but expired":           {v1alpha1.PhaseExpired, v1alpha1.VerdictApproved, exit.Refused},
		"approved, but invalid":           {v1alpha1.PhaseInvalid, v1alpha1.VerdictApproved, exit.Refused},
		"rejected":                        {v1alpha1.PhaseRejected, v1alpha1.VerdictRejected, exit.OK},
		"rejected, but expired anyway":    {v1alpha1.PhaseExpired, v1alpha1.VerdictRejected, exit.OK},
		"rejected, but live all the same": {v1alpha1.PhaseApplied, v1alpha1.VerdictRejected, exit.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			if err := outcome(observed(c.phase, 3, ""), c.given); exit.CodeOf(err) != c.code || (err != nil) != (c.code != exit.OK) {
				t.Errorf("got %v (%d), want %d", err, exit.CodeOf(err), c.code)
			}
		})
	}
}

func TestTold(t *testing.T) {
	waiting := observed(v1alpha1.PhasePending, 3, v1alpha1.ReasonAwaitingReview)
	waiting.Status.Approvals = "1/3"
	waiting.Status.Decision = &v1alpha1.Decision{Approvers: []string{"bob"}, RequiredApprovals: 3}
	hostile := ended(v1alpha1.PhaseApplied)
	hostile.Status.Message = "Live\x1b[2J"
	for name, c := range map[string]struct {
		change *v1alpha1.SecretChange
		user   string
		want   string
	}{
		"live":                        {ended(v1alpha1.PhaseApplied), "bob", "Change x is applied. It is over."},
		"ended":                       {ended(v1alpha1.PhaseRejected), "bob", "Change x has ended as Rejected. It is over."},
		"the approval counts":         {waiting, "bob", "Change x has 1/3 approvals: 2 more needed."},
		"the approval does not count": {waiting, "carol", "Change x is not approved yet. A message."},
		"a message cannot repaint":    {hostile, "bob", `Change x is applied. "Live\x1b[2J".`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Told(c.change, c.user); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
