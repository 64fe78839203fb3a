package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// newPlayer plays without a cluster: everybody is only called by their name, and every change is checked at once.
func newPlayer(t *testing.T) (*player, *bytes.Buffer) {
	t.Helper()
	dir := t.TempDir()
	env := filepath.Join(dir, "env")
	content := "as() ( export WHO=\"$1\"; shift; \"$@\" )\nkubectl() { true; }\nexport -f kubectl\n"
	if err := os.WriteFile(env, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	return &player{out: &out, envFile: env, dir: dir, words: map[string]string{"run": "r1"}}, &out
}

func TestPlayFailsWhereTheAnswerIsNotTheExpectedOne(t *testing.T) {
	for name, c := range map[string]struct {
		step step
		want string
	}{
		"as expected":                 {step: step{command: "echo 'one  {run}'; exit 3", code: 3, says: "one {run}"}},
		"an answer on stderr":         {step: step{command: "echo no >&2; exit 1", code: 1, says: "no"}},
		"another code":                {step: step{command: "echo one", code: 3, says: "one"}, want: "ended with code 0 instead of 3"},
		"a failure":                   {step: step{command: "false"}, want: "ended with code 1 instead of 0"},
		"another answer":              {step: step{command: "echo two", says: "one"}, want: `does not answer "one"`},
		"a change to keep":            {step: step{command: "echo Proposed backend-api-dev-x1y2z", keep: "it"}},
		"no change to keep":           {step: step{command: "echo Proposed", keep: "it"}, want: "names no change"},
		"a command that there is not": {step: step{command: "nonesuch"}, want: "ended with code 127 instead of 0"},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := newPlayer(t)
			c.step.who = "alice"
			err := p.play(t.Context(), c.step)
			if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestPlayPrintsATranscriptAndRemembersChanges(t *testing.T) {
	p, out := newPlayer(t)
	for _, s := range []step{
		{headline: "Alice begins."},
		{who: "alice", command: "echo Proposed backend-api-dev-x1y2z", keep: "first"},
		{who: "bob", command: `echo "$WHO in $(basename "$PWD") takes {first}"; exit 4`, code: 4, says: "bob in bob takes backend-api-dev-x1y2z"},
	} {
		if err := p.play(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	want := `
# Alice begins.

alice$ echo Proposed backend-api-dev-x1y2z
Proposed backend-api-dev-x1y2z

bob$ echo "$WHO in $(basename "$PWD") takes backend-api-dev-x1y2z"; exit 4
bob in bob takes backend-api-dev-x1y2z
(exit code 4)

`
	if out.String() != want {
		t.Errorf("got\n%s", out)
	}
}
