package policy_test

import (
	"testing"

	"github.com/secretreview/secretreview/internal/policy"
)

func TestNamesOfTheSystemActOnlyWhereTheyAreListed(t *testing.T) {
	ids := policy.NewIdentities(policy.Listed{
		ReviewingAccounts: []string{"system:serviceaccount:ci:reviewer"},
		ProposingAccounts: []string{"system:serviceaccount:ci:proposer", "system:admin"},
	})
	for user, want := range map[string]struct{ review, propose bool }{
		"alice":                              {true, true},
		role + "/one":                        {true, true},
		"System:anonymous":                   {true, true},
		"systemd":                            {true, true},
		"system:anonymous":                   {false, false},
		"system:node:one":                    {false, false},
		"system:serviceaccount:ci:other":     {false, false},
		"system:serviceaccount:ci:reviewer":  {true, false},
		"system:serviceaccount:ci:proposer":  {false, true},
		"system:admin":                       {false, true},
		"system:serviceaccount:ci:reviewer2": {false, false},
	} {
		if review, propose := ids.CanReview(user), ids.CanPropose(user); review != want.review || propose != want.propose {
			t.Errorf("%q may review: %t, propose: %t; want %+v", user, review, propose, want)
		}
	}
}
