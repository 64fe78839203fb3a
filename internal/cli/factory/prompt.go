package factory

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// Prompter asks the person. Callers look at Terminal.CanAsk first.
type Prompter interface {
	// Confirm asks a question that "y" or "yes" answers with yes, and all else
	// with no.
	Confirm(ctx context.Context, question string) (bool, error)
	// Line asks for one line, and returns it without spaces around it. The end
	// of the input is an empty line.
	Line(ctx context.Context, question string) (string, error)
	// Hidden asks for one line that is not shown while it is typed.
	Hidden(ctx context.Context, label string) (sensitive.Value, error)
}

// terminalPrompter asks on the process's own terminal. All of its methods
// return at once, with context.Canceled, when ctx ends.
type terminalPrompter struct {
	in    *os.File
	lines *bufio.Reader
	out   io.Writer
}

func newTerminalPrompter(in *os.File, out io.Writer) *terminalPrompter {
	return &terminalPrompter{in: in, lines: bufio.NewReader(in), out: out}
}

func (p *terminalPrompter) Confirm(ctx context.Context, question string) (bool, error) {
	line, err := p.Line(ctx, question+" [y/N]")
	if err != nil {
		return false, err
	}
	switch strings.ToLower(line) {
	case "y", "yes":
		return true, nil
	default:
		return false, nil
	}
}

func (p *terminalPrompter) Line(ctx context.Context, question string) (string, error) {
	_, _ = fmt.Fprintf(p.out, "%s ", question)
	line, err := wait(ctx, func() (string, error) { return p.lines.ReadString('\n') })
	if err != nil {
		_, _ = fmt.Fprintln(p.out) // the cursor is still behind the question
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimSpace(line), nil
}

func (p *terminalPrompter) Hidden(ctx context.Context, label string) (sensitive.Value, error) {
	fd := int(p.in.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return sensitive.Value{}, fmt.Errorf("prepare the terminal: %w", err)
	}
	// Whoever types as soon as they are asked must not be shown.
	if err := hideInput(fd); err != nil {
		return sensitive.Value{}, fmt.Errorf("prepare the terminal: %w", err)
	}
	defer func() { _ = term.Restore(fd, before) }()
	_, _ = fmt.Fprintf(p.out, "%s: ", label)
	typed, err := wait(ctx, func() (sensitive.Value, error) {
		line, err := term.ReadPassword(fd)
		return sensitive.New(string(line)), err
	})
	_, _ = fmt.Fprintln(p.out)
	if err != nil {
		return sensitive.Value{}, err
	}
	more, err := discardPending(fd)
	if err != nil {
		return sensitive.Value{}, fmt.Errorf("prepare the terminal: %w", err)
	}
	if more {
		return sensitive.Value{}, exit.Errorf(exit.Usage,
			"what was pasted has more than one line, and none of it is used: give it as KEY=@FILE or KEY=-")
	}
	return typed, nil
}

// wait runs a read that cannot be interrupted until it ends or ctx does.
func wait[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		value, err := read()
		done <- answer{value, err}
	}()
	select {
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	case a := <-done:
		return a.value, a.err
	}
}
