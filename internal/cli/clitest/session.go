package clitest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"os/exec"
	"strings"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/clock"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/root"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// Session is a person at a shell. Its fields may be set before each Run.
type Session struct {
	User string
	// KubeContext is the kubeconfig's context, by default the person's own.
	KubeContext string
	// Dir is the working directory.
	Dir   string
	Stdin string
	// Terminal says what the streams are; nothing is a terminal by default.
	Terminal factory.Terminal
	// Answers are given to questions in turn; each must be used.
	Answers []string
	// Context returns what ends when the person presses Ctrl-C.
	Context func() context.Context
	Vars    map[string]string
	// Alter changes the factory before a command runs.
	Alter func(*factory.Factory)

	scene *Scene
}

// Result is what a command did.
type Result struct {
	Out, Err  string
	Code      exit.Code
	Questions []string
}

// As returns a Session of a person, who has a working directory of their own.
func (s *Scene) As(user string) *Session {
	s.t.Helper()
	return &Session{User: user, Dir: s.t.TempDir(), Context: s.t.Context, scene: s}
}

// AtTerminal says that all three streams are a terminal of 80 columns, and
// gives the answers to what is asked there.
func (p *Session) AtTerminal(answers ...string) *Session {
	p.Terminal = factory.Terminal{StdinTTY: true, StdoutTTY: true, StderrTTY: true, Width: 80}
	p.Answers = answers
	return p
}

// Run runs a command line.
func (p *Session) Run(args ...string) Result {
	p.scene.t.Helper()
	var out, errOut bytes.Buffer
	asked := &prompter{answers: p.Answers}
	f := &factory.Factory{
		IOStreams: genericiooptions.IOStreams{In: strings.NewReader(p.Stdin), Out: &out, ErrOut: &errOut},
		Program:   "sr", Version: "test", Directory: p.Dir,
		Terminal: p.Terminal, Prompter: asked, Clock: clock.RealClock{}, Rand: rand.Reader,
		Getenv:     func(name string) string { return p.Vars[name] },
		NewStore:   func(ctx context.Context, _ string) (secretstore.Store, error) { return p.scene.awsOf(ctx, p.User) },
		NewAccount: func(ctx context.Context, _ string) (secretstore.Account, error) { return p.scene.awsOf(ctx, p.User) },
		KubeFlags:  factory.NewKubeFlags(),
	}
	f.Child = func(ctx context.Context, args []string) error {
		child := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // A test says what runs.
		child.Dir, child.Stdout, child.Stderr = p.Dir, &errOut, &errOut
		return child.Run()
	}
	*f.KubeFlags.KubeConfig = p.scene.kubeconfig
	*f.KubeFlags.Context = cmp.Or(p.KubeContext, p.User)
	*f.KubeFlags.Namespace = p.scene.Namespace
	if p.Alter != nil {
		p.Alter(f)
	}
	code := root.Run(p.Context(), f, args)
	if len(asked.answers) > 0 {
		p.scene.t.Errorf("%v asked %d questions too few", args, len(asked.answers))
	}
	return Result{Out: out.String(), Err: errOut.String(), Code: code, Questions: asked.questions}
}

// prompter is a person who has made up their mind.
type prompter struct{ answers, questions []string }

func (p *prompter) next(question string) (string, error) {
	p.questions = append(p.questions, question)
	if len(p.answers) == 0 {
		return "", fmt.Errorf("unexpected question %q", question)
	}
	answer := p.answers[0]
	p.answers = p.answers[1:]
	return answer, nil
}

func (p *prompter) Confirm(_ context.Context, question string) (bool, error) {
	answer, err := p.next(question)
	return answer == "y", err
}

func (p *prompter) Hidden(_ context.Context, label string) (sensitive.Value, error) {
	answer, err := p.next(label)
	return sensitive.New(answer), err
}
