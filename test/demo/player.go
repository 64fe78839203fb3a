package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/creack/pty"
)

// player plays steps, each by its person in a directory of their own.
type player struct {
	out io.Writer
	// screen is the terminal that out is, or nil.
	screen *os.File
	color  bool
	// envFile is what `make up` wrote.
	envFile string
	// dir holds the people's directories.
	dir string
	// words are what stands for the names in braces.
	words map[string]string
}

// configuration is what everybody's .sr.json says.
const configuration = `{"project": "backend-api", "environment": "production"}` + "\n"

// asSomebody lets a shell become one of the people, by the function that the environment's file defines.
const asSomebody = `source "$0" && as "$1" bash -c "$2"`

var changeName = regexp.MustCompile(`backend-api-(dev|production)-[0-9a-z]{5}\b`)

// play plays one step, and fails when the answer is not the expected one.
func (p *player) play(ctx context.Context, s step) error {
	if s.headline != "" {
		_, err := fmt.Fprintf(p.out, "\n%s\n\n", p.styled("1", "# "+s.headline))
		return err
	}
	command := p.fill(s.command)
	if _, err := fmt.Fprintf(p.out, "%s %s\n", p.styled("1;36", s.who+"$"), p.styled("1", command)); err != nil {
		return err
	}
	answer, code, err := p.run(ctx, s.who, command)
	if err != nil {
		return err
	}
	if code != 0 {
		if _, err := fmt.Fprintln(p.out, p.styled("2", fmt.Sprintf("(exit code %d)", code))); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintln(p.out); err != nil {
		return err
	}
	if err := p.check(s, command, answer, code); err != nil || s.keep == "" {
		return err
	}
	return p.know(ctx, s, answer)
}

func (p *player) check(s step, command, answer string, code int) error {
	if code != s.code {
		return fmt.Errorf("%s$ %s: ended with code %d instead of %d", s.who, command, code, s.code)
	}
	// A terminal's lines break wherever they are full.
	if says := p.fill(s.says); !strings.Contains(strings.Join(strings.Fields(answer), " "), says) {
		return fmt.Errorf("%s$ %s: does not answer %q", s.who, command, says)
	}
	if s.keep != "" && !changeName.MatchString(answer) {
		return fmt.Errorf("%s$ %s: names no change", s.who, command)
	}
	return nil
}

// know keeps a change's name, and returns once the manager has checked the change: people are not that quick.
func (p *player) know(ctx context.Context, s step, answer string) error {
	name := changeName.FindString(answer)
	p.words[s.keep] = name
	wait := exec.CommandContext(ctx, "bash", "-c", asSomebody, p.envFile, "admin",
		"kubectl wait secretchange "+name+" --for=jsonpath='{.status.phase}'=Pending --timeout=60s")
	if said, err := wait.CombinedOutput(); err != nil {
		return fmt.Errorf("the manager does not check change %q: %w: %s", name, err, said)
	}
	return nil
}

func (p *player) fill(text string) string {
	for name, word := range p.words {
		text = strings.ReplaceAll(text, "{"+name+"}", word)
	}
	return text
}

// run runs a command line as somebody, shows what it writes and returns it, without colours.
func (p *player) run(ctx context.Context, who, command string) (answer string, code int, err error) {
	home := filepath.Join(p.dir, who)
	if err := prepare(home); err != nil {
		return "", 0, err
	}
	cmd := exec.CommandContext(ctx, "bash", "-c", asSomebody, p.envFile, who, command)
	cmd.Dir = home
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home)
	var said bytes.Buffer
	out := io.MultiWriter(p.out, &said)
	if p.screen == nil {
		cmd.Stdout, cmd.Stderr = out, out
		err = cmd.Run()
	} else {
		err = p.onTerminal(cmd, out)
	}
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		return "", 0, fmt.Errorf("cannot run %q: %w", command, err)
	}
	if ctx.Err() != nil {
		return "", 0, ctx.Err()
	}
	return escapes.ReplaceAllString(said.String(), ""), cmd.ProcessState.ExitCode(), nil
}

// prepare makes somebody's directory when they are first heard of.
func prepare(home string) error {
	if err := os.MkdirAll(home, 0o700); err != nil {
		return fmt.Errorf("cannot make a directory to work in: %w", err)
	}
	if err := os.WriteFile(filepath.Join(home, ".sr.json"), []byte(configuration), 0o600); err != nil {
		return fmt.Errorf("cannot write the configuration: %w", err)
	}
	return nil
}

// minColumns keeps what is looked for in answers from being broken up.
const minColumns = 80

// onTerminal gives a command a terminal of its own to write to, so that it writes as it would to ours. It cannot ask.
func (p *player) onTerminal(cmd *exec.Cmd, out io.Writer) error {
	ours, theirs, err := pty.Open()
	if err != nil {
		return err
	}
	defer func() { _ = ours.Close() }()
	size, err := pty.GetsizeFull(p.screen)
	if err != nil {
		size = &pty.Winsize{Rows: 24}
	}
	size.Cols = max(size.Cols, minColumns)
	if err := pty.Setsize(theirs, size); err != nil {
		return errors.Join(err, theirs.Close())
	}
	cmd.Stdout, cmd.Stderr = theirs, theirs
	if err := cmd.Start(); err != nil {
		return errors.Join(err, theirs.Close())
	}
	if err := theirs.Close(); err != nil {
		return err
	}
	// It ends with an error once nobody has the other end open.
	_, _ = io.Copy(out, ours)
	return cmd.Wait()
}

// escapes are the colours of an answer.
var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

func (p *player) styled(style, text string) string {
	if !p.color {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}
