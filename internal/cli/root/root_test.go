package root_test

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/root"
	"github.com/secretreview/secretreview/internal/cli/terminal"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// run runs a command line that must neither ask the cluster nor AWS.
func run(t *testing.T, program string, args ...string) (out, errOut string, code exit.Code) {
	t.Helper()
	var stdout, stderr strings.Builder
	f := &factory.Factory{
		IOStreams: genericiooptions.IOStreams{In: strings.NewReader(""), Out: &stdout, ErrOut: &stderr},
		Program:   program, Version: "v1.2.3", Directory: t.TempDir(),
		KubeFlags: factory.NewKubeFlags(),
		Getenv:    func(string) string { return "" },
		NewStore: func(context.Context, string) (secretstore.Store, error) {
			return nil, errors.New("AWS was asked")
		},
	}
	code = root.Run(t.Context(), f, args)
	return stdout.String(), stderr.String(), code
}

func TestMistakesInTheCommandLineExitWith2(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"an unknown command":           {[]string{"prose"}, `unknown command "prose" for "sr": see "sr --help"`},
		"an unknown flag":              {[]string{"--nothing"}, `unknown flag: --nothing: see "sr --help"`},
		"an unknown flag of a command": {[]string{"pull", "--nothing"}, `unknown flag: --nothing: see "sr pull --help"`},
		"a flag without its value":     {[]string{"propose", "--reason"}, `see "sr propose --help"`},
		"help on nothing":              {[]string{"help", "prose"}, `there is no command "prose": see "sr help --help"`},
		"an argument too many":         {[]string{"propose", "A=canary"}, `it takes no arguments, only flags: see "sr propose --help"`},
	} {
		t.Run(name, func(t *testing.T) {
			out, errOut, code := run(t, "sr", tc.args...)
			if code != exit.Usage || out != "" {
				t.Errorf("code %d, %q", code, out)
			}
			if !strings.HasPrefix(errOut, "sr: ") || !strings.Contains(errOut, tc.want) || strings.Count(errOut, "\n") != 1 || strings.Contains(errOut, "canary") {
				t.Errorf("unexpected: %q", errOut)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	for name, tc := range map[string]struct {
		program string
		args    []string
		want    []string
	}{
		"by itself":              {"sr", nil, []string{"Exit codes:", "propose", "pull", "Usage:\n  sr "}},
		"as a plugin":            {"kubectl sr", nil, []string{"Usage:\n  kubectl sr "}},
		"of propose":             {"sr", []string{"propose", "--help"}, []string{"Usage:\n  sr propose -r REASON", `sr propose -r "Rotate`, "--unset"}},
		"of propose as a plugin": {"kubectl sr", []string{"help", "propose"}, []string{"Usage:\n  kubectl sr propose", `kubectl sr propose -r "Rotate`}},
		"of pull":                {"sr", []string{"pull", "-h"}, []string{"Usage:\n  sr pull [-o FILE]", "--keys-only", "--namespace"}},
	} {
		t.Run(name, func(t *testing.T) {
			out, errOut, code := run(t, tc.program, tc.args...)
			if code != exit.OK || errOut != "" {
				t.Errorf("code %d, %q", code, errOut)
			}
			for _, want := range tc.want {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in:\n%s", want, out)
				}
			}
			if strings.Contains(out, "{{") {
				t.Errorf("a template's mark in:\n%s", out)
			}
		})
	}
}

// TestHelpFits looks at the help of every command but for examples and usage lines, which are to be copied.
func TestHelpFits(t *testing.T) {
	for _, width := range []int{60, 80, 0} {
		streams := genericiooptions.NewTestIOStreamsDiscard()
		top := root.New(&factory.Factory{
			IOStreams: streams, Program: "kubectl sr", KubeFlags: factory.NewKubeFlags(), Terminal: factory.Terminal{Width: width},
		})
		most := cmp.Or(width, 88)
		for _, command := range append(top.Commands(), top) {
			for _, line := range strings.Split(command.Long+"\n"+command.LocalFlags().FlagUsagesWrapped(most), "\n") {
				if terminal.Width(line) > most {
					t.Errorf("%s: %d columns of %d: %s", command.Name(), terminal.Width(line), most, line)
				}
			}
		}
	}
}

func TestVersion(t *testing.T) {
	for program, want := range map[string]string{"sr": "sr v1.2.3\n", "kubectl sr": "kubectl sr v1.2.3\n"} {
		if out, _, code := run(t, program, "--version"); out != want || code != exit.OK {
			t.Errorf("%q, code %d", out, code)
		}
	}
}

func TestInvocation(t *testing.T) {
	for path, want := range map[string]struct{ program, args string }{
		"sr":                                  {"sr", "pull -h"},
		"/usr/bin/sr":                         {"sr", "pull -h"},
		"./dist/sr-linux-amd64":               {"sr", "pull -h"},
		"kubectl-sr":                          {"kubectl sr", "pull -h"},
		"/home/x/.krew/bin/kubectl-sr":        {"kubectl sr", "pull -h"},
		`C:\bin\kubectl-sr.exe`:               {"kubectl sr", "pull -h"},
		"/bin/kubectl-secret_review":          {"kubectl secret-review", "pull -h"},
		"/bin/kubectl_complete-secret_review": {"kubectl secret-review", "__complete pull -h"},
		"/bin/kubectl_complete-sr":            {"kubectl sr", "__complete pull -h"},
	} {
		program, args := root.Invocation(path, []string{"pull", "-h"})
		if program != want.program || strings.Join(args, " ") != want.args {
			t.Errorf("%s: %q %v instead of %+v", path, program, args, want)
		}
	}
}
