package propose

import (
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/cli/exit"
)

func TestParseEdits(t *testing.T) {
	const marked = "canary-5521"
	for name, tc := range map[string]struct {
		set, unset []string
		origins    []origin
		argument   string
		wrong      bool
	}{
		"a value":                      {set: []string{"A=" + marked}, origins: []origin{fromArgument}, argument: marked},
		"an empty value":               {set: []string{"A="}, origins: []origin{fromArgument}},
		"a value with an equals sign":  {set: []string{"A=b=c=="}, origins: []origin{fromArgument}, argument: "b=c=="},
		"a value with a comma":         {set: []string{"A=b,C=d"}, origins: []origin{fromArgument}, argument: "b,C=d"},
		"a value that begins with -":   {set: []string{"A=-b"}, origins: []origin{fromArgument}, argument: "-b"},
		"a question":                   {set: []string{"A"}, origins: []origin{fromPrompt}},
		"a file":                       {set: []string{"A=@dir/key.pem"}, origins: []origin{fromFile}, argument: "dir/key.pem"},
		"standard input":               {set: []string{"A=-"}, origins: []origin{fromStdin}, argument: ""},
		"several":                      {set: []string{"A=1", "B=-"}, unset: []string{"C"}, origins: []origin{fromArgument, fromStdin}, argument: "1"},
		"a key to unset with any text": {unset: []string{"not a key"}},

		"no key":                   {set: []string{"=" + marked}, wrong: true},
		"a key that is none":       {set: []string{"A B=" + marked}, wrong: true},
		"a value without its key":  {set: []string{"two words " + marked}, wrong: true},
		"a value for a key":        {set: []string{marked + "!=A"}, wrong: true},
		"a key set twice":          {set: []string{"A=" + marked, "A=" + marked}, wrong: true},
		"a key unset twice":        {unset: []string{"A", "A"}, wrong: true},
		"a key both set and unset": {set: []string{"A=" + marked}, unset: []string{"A"}, wrong: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseEdits(tc.set, tc.unset)
			if (err != nil) != tc.wrong {
				t.Fatalf("unexpected: %v", err)
			}
			if err != nil {
				if exit.CodeOf(err) != exit.Usage || strings.Contains(err.Error(), marked) {
					t.Errorf("code %d: %v", exit.CodeOf(err), err)
				}
				return
			}
			if len(got.set) != len(tc.origins) || len(got.unset) != len(tc.unset) {
				t.Fatalf("%d set and %d unset", len(got.set), len(got.unset))
			}
			for i, want := range tc.origins {
				if got.set[i].origin != want {
					t.Errorf("origin %d instead of %d", got.set[i].origin, want)
				}
			}
			if len(got.set) > 0 && got.set[0].argument.Reveal() != tc.argument {
				t.Errorf("argument %q instead of %q", got.set[0].argument.Reveal(), tc.argument)
			}
		})
	}
}
