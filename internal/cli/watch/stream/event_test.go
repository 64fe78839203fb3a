package stream

import (
	"slices"
	"testing"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

func state(phase v1alpha1.Phase, reviews ...v1alpha1.Review) *v1alpha1.SecretChange {
	c := &v1alpha1.SecretChange{}
	c.Name, c.Spec.ProposedBy, c.Spec.Reason = "x", "alice", "because"
	c.Spec.Reviews, c.Status.Phase, c.Status.Message = reviews, phase, "message"
	return c
}

func TestWhatHasHappenedBetweenTwoStates(t *testing.T) {
	yes := v1alpha1.Review{Reviewer: "bob", Verdict: v1alpha1.VerdictApproved, Comment: "fine"}
	no := v1alpha1.Review{Reviewer: "bob", Verdict: v1alpha1.VerdictRejected, Comment: "no"}
	carol := v1alpha1.Review{Reviewer: "carol", Verdict: v1alpha1.VerdictApproved}
	for name, tc := range map[string]struct {
		before, after *v1alpha1.SecretChange
		want          []string
	}{
		"a new one":                               {nil, state(""), []string{"proposed alice because"}},
		"a new one that is checked":               {nil, state("Pending"), []string{"proposed alice because", "waiting  message"}},
		"a new one with its own approval":         {nil, state("", yes), []string{"proposed alice because", "approved bob fine"}},
		"a new one that is invalid":               {nil, state("Invalid"), []string{"proposed alice because", "ended  message"}},
		"it is checked":                           {state(""), state("Pending"), []string{"waiting  message"}},
		"nothing that counts":                     {state("Pending", yes), state("Pending", yes), nil},
		"an approval":                             {state("Pending"), state("Pending", yes), []string{"approved bob fine"}},
		"the last approval":                       {state("Pending", yes), state("Approved", yes, carol), []string{"approved carol ", "decided  message"}},
		"it is live":                              {state("Approved", yes), state("Applied", yes), []string{"live  message"}},
		"it is live at once":                      {state("Pending"), state("Applied", yes), []string{"approved bob fine", "live  message"}},
		"a rejection":                             {state("Pending"), state("Rejected", no), []string{"rejected bob no", "ended  message"}},
		"an approval that turns into a rejection": {state("Approved", yes), state("Rejected", no), []string{"rejected bob no", "ended  message"}},
		"it expires":                              {state("Pending"), state("Expired"), []string{"ended  message"}},
		"back from Approved":                      {state("Approved", yes), state("Pending", yes), nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, e := range Between(tc.before, tc.after) {
				got = append(got, string(e.Kind)+" "+e.By+" "+e.Text)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %q", got)
			}
		})
	}
}
