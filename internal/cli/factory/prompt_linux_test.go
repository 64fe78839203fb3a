package factory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/secretreview/secretreview/internal/cli/exit"
)

// patience bounds waiting for what a terminal shows.
const patience = 10 * time.Second

// openTerminal returns both ends of a new pseudo-terminal.
func openTerminal(t *testing.T) (person, process *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { _ = person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	process, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Close() })
	return person, process
}

// screen collects what a terminal shows, typed text included.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func watch(person *os.File) *screen {
	s := &screen{}
	go func() {
		chunk := make([]byte, 4096)
		for {
			n, err := person.Read(chunk)
			s.mu.Lock()
			s.text.Write(chunk[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return s
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// await waits until the screen shows text.
func (s *screen) await(t *testing.T, text string) {
	t.Helper()
	gomega.NewWithT(t).Eventually(s.String, patience).Should(gomega.ContainSubstring(text))
}

func echoes(t *testing.T, terminal *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// awaitHidden waits until what is typed is no longer shown.
func awaitHidden(t *testing.T, terminal *os.File) {
	t.Helper()
	gomega.NewWithT(t).Eventually(func() bool { return echoes(t, terminal) }, patience).Should(gomega.BeFalse())
}

func TestHiddenTextIsNotShown(t *testing.T) {
	person, process := openTerminal(t)
	s := watch(person)
	type answer struct {
		text string
		err  error
	}
	done := make(chan answer)
	go func() {
		value, err := newTerminalPrompter(process, process).Hidden(t.Context(), "Value of A")
		done <- answer{value.Reveal(), err}
	}()
	s.await(t, "Value of A: ")
	awaitHidden(t, process)
	_, _ = person.WriteString("canary $x \\ ü\n")
	got := <-done
	if got.err != nil || got.text != "canary $x \\ ü" {
		t.Errorf("%q, %v", got.text, got.err)
	}
	if strings.Contains(s.String(), "canary") || !echoes(t, process) {
		t.Errorf("the screen shows %q, echo %v", s, echoes(t, process))
	}
}

func TestSeveralPastedLinesAreRefusedAndThrownAway(t *testing.T) {
	person, process := openTerminal(t)
	s := watch(person)
	done := make(chan error)
	go func() {
		_, err := newTerminalPrompter(process, process).Hidden(t.Context(), "Value of A")
		done <- err
	}()
	s.await(t, "Value of A: ")
	awaitHidden(t, process)
	_, _ = person.WriteString("canary one\ncanary two\ncanary three\n")
	if err := <-done; exit.CodeOf(err) != exit.Usage || strings.Contains(err.Error(), "canary") {
		t.Errorf("unexpected: %v", err)
	}
	if waiting, err := unix.IoctlGetInt(int(process.Fd()), unix.TIOCINQ); err != nil || waiting != 0 {
		t.Errorf("%d bytes wait for the shell, %v", waiting, err)
	}
}

func TestCtrlCRestoresTheTerminal(t *testing.T) {
	person, process := openTerminal(t)
	s := watch(person)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := newTerminalPrompter(process, process).Hidden(ctx, "Value of A")
		done <- err
	}()
	s.await(t, "Value of A: ")
	awaitHidden(t, process)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("unexpected: %v", err)
	}
	if !echoes(t, process) || !term.IsTerminal(int(process.Fd())) {
		t.Error("what is typed stays hidden")
	}
}

func TestConfirm(t *testing.T) {
	for name, tc := range map[string]struct {
		typed string
		want  bool
	}{
		"y is yes":                {"y\n", true},
		"Y is yes":                {"Y\n", true},
		"yes is yes":              {"yes\n", true},
		"spaces do not count":     {" yes \n", true},
		"nothing is no":           {"\n", false},
		"n is no":                 {"n\n", false},
		"anything else is no":     {"yep\n", false},
		"the end of it all is no": {"\x04", false},
	} {
		t.Run(name, func(t *testing.T) {
			person, process := openTerminal(t)
			s := watch(person)
			done := make(chan bool)
			go func() {
				yes, err := newTerminalPrompter(process, process).Confirm(t.Context(), "Remove?")
				done <- yes && err == nil
			}()
			s.await(t, "Remove? [y/N] ")
			_, _ = person.WriteString(tc.typed)
			if got := <-done; got != tc.want {
				t.Errorf("%v instead of %v", got, tc.want)
			}
		})
	}
}

func TestConfirmEndsWithCtrlC(t *testing.T) {
	_, process := openTerminal(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if yes, err := newTerminalPrompter(process, process).Confirm(ctx, "Remove?"); yes || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", yes, err)
	}
}

// looking says, of each text that is written, whether the terminal would have shown what is typed then.
type looking struct {
	t        *testing.T
	terminal *os.File
	shown    []string
}

func (l *looking) Write(text []byte) (int, error) {
	if echoes(l.t, l.terminal) {
		l.shown = append(l.shown, string(text))
	}
	return len(text), nil
}

func TestNobodyIsAskedForAValueWhileItWouldShow(t *testing.T) {
	person, process := openTerminal(t)
	out := &looking{t: t, terminal: process}
	if _, err := person.WriteString("typed ahead\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := newTerminalPrompter(process, out).Hidden(t.Context(), "Value"); err != nil {
		t.Fatal(err)
	}
	if len(out.shown) > 0 && out.shown[0] != "\n" {
		t.Errorf("what is typed shows while it prints %q", out.shown)
	}
	if !echoes(t, process) {
		t.Error("the echo stays off")
	}
}
