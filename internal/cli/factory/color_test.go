package factory

import "testing"

func TestColourFollowsTheConventions(t *testing.T) {
	for name, c := range map[string]struct {
		terminal bool
		vars     map[string]string
		want     bool
	}{
		"a terminal is coloured":                 {true, map[string]string{"TERM": "xterm"}, true},
		"a pipe is not":                          {false, map[string]string{"TERM": "xterm"}, false},
		"a terminal that cannot is not":          {true, map[string]string{"TERM": "dumb"}, false},
		"NO_COLOR says no":                       {true, map[string]string{"NO_COLOR": "1"}, false},
		"CLICOLOR_FORCE says yes for a pipe too": {false, map[string]string{"CLICOLOR_FORCE": "1"}, true},
		"CLICOLOR_FORCE=0 says nothing":          {false, map[string]string{"CLICOLOR_FORCE": "0"}, false},
		"NO_COLOR goes before CLICOLOR_FORCE":    {true, map[string]string{"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := mayColor(c.terminal, func(name string) string { return c.vars[name] })
			if got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestOnlyATerminalThatCanIsAnimated(t *testing.T) {
	for name, c := range map[string]struct {
		vars map[string]string
		want bool
	}{
		"a terminal":             {map[string]string{"TERM": "xterm"}, true},
		"one that cannot":        {map[string]string{"TERM": "dumb"}, false},
		"one with NO_COLOR":      {map[string]string{"TERM": "xterm", "NO_COLOR": "1"}, false},
		"CLICOLOR_FORCE is moot": {map[string]string{"TERM": "dumb", "CLICOLOR_FORCE": "1"}, false},
	} {
		if got := mayAnimate(func(name string) string { return c.vars[name] }); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
