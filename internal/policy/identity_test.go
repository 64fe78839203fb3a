package policy_test

import (
	"regexp"
	"strings"
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

// FuzzPerson compares with the form that EKS documents for the name of an IAM role's session.
func FuzzPerson(f *testing.F) {
	session := regexp.MustCompile(`(?s)^(.*:assumed-role/[^/]+)/[^/]+$`)
	for _, user := range []string{
		"", "alice", role, role + "/one", role + "/", role + "//one", role + "/a/b", ":assumed-role/a/b", "assumed-role/a/b",
		"x:assumed-role/a/y:assumed-role/b/c", ":assumed-role//a", "arn:aws:sts::111122223333:assumed-role/a\n/b", "/", "//",
	} {
		f.Add(user)
	}
	f.Fuzz(func(t *testing.T, user string) {
		want := user
		if m := session.FindStringSubmatch(user); m != nil {
			want = m[1]
		}
		if got := policy.NewIdentities(policy.Listed{}).Person(user); got != want {
			t.Fatalf("%q is %q, want %q", user, got, want)
		}
		if enforced := policy.NewIdentities(policy.Listed{SessionEnforcedRoles: []string{want}}); strings.HasPrefix(want, "arn:aws:sts:") && enforced.Person(user) != user {
			t.Fatalf("%q is %q, where the sessions of %q are told apart", user, enforced.Person(user), want)
		}
	})
}
