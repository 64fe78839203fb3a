package run

import (
	"slices"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/sensitive"
)

func TestTheEnvironmentOfTheProgram(t *testing.T) {
	const canary = "canary-5b"
	doc := func(pairs ...string) document.Document {
		d := document.Document{}
		for i := 0; i < len(pairs); i += 2 {
			d[pairs[i]] = sensitive.New(pairs[i+1])
		}
		return d
	}
	for name, tc := range map[string]struct {
		environment []string
		values      document.Document
		want        []string
	}{
		"what is live is added":                 {[]string{"PATH=/bin"}, doc("A", canary), []string{"PATH=/bin", "A=" + canary}},
		"what is live goes before":              {[]string{"A=old", "B=b", "A=older"}, doc("A", "new"), []string{"B=b", "A=new"}},
		"a longer name stays":                   {[]string{"AB=x"}, doc("A", "new"), []string{"AB=x", "A=new"}},
		"values of several lines, and empty":    {nil, doc("A", "x\ny", "B", ""), []string{"A=x\ny", "B="}},
		"nothing is live":                       {[]string{"A=a"}, doc(), []string{"A=a"}},
		"a key that is no shell variable's":     {nil, doc("a.b-c", "x"), []string{"a.b-c=x"}},
		"a variable without = is left as it is": {[]string{"ODD"}, doc("A", "x"), []string{"ODD", "A=x"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := merge(tc.environment, tc.values)
			if err != nil || !slices.Equal(got, tc.want) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	for name, values := range map[string]document.Document{
		"= in a key": doc("A=B", canary), "NUL in a value": doc("A", canary+"\x00"), "an empty key": doc("", canary), "NUL in a key": doc("A\x00", canary),
	} {
		if _, err := merge(nil, values); exit.CodeOf(err) != exit.Refused || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
