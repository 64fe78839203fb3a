package world

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"

	"github.com/creack/pty"
	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
)

// Terminal is a command on a terminal of its own.
type Terminal struct {
	// Screen gets everything that the command writes, and what is typed where it is echoed.
	Screen *gbytes.Buffer

	shell    *Shell
	cmd      *exec.Cmd
	keyboard *os.File
	cancel   context.CancelFunc
	drained  chan struct{}
}

// Terminal runs a program on a terminal of 100 columns.
func (s *Shell) Terminal(program string, args ...string) *Terminal {
	ginkgo.GinkgoHelper()
	// Several things are waited for while it runs.
	ctx, cancel := context.WithTimeout(context.Background(), 3*Patience)
	t := &Terminal{shell: s, Screen: gbytes.NewBuffer(), cancel: cancel, drained: make(chan struct{})}
	t.cmd = exec.CommandContext(ctx, s.world.program(program), args...)
	t.cmd.Dir, t.cmd.Env = s.Dir, append(s.environment(), "TERM=xterm-256color")
	blocking, err := pty.StartWithSize(t.cmd, &pty.Winsize{Rows: 50, Cols: 100})
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	t.keyboard, err = closable(blocking)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	go func() {
		defer close(t.drained)
		// It ends with an error once nobody has the other end open.
		_, _ = io.Copy(t.Screen, t.keyboard)
	}()
	return t
}

// closable returns a file whose Close ends a Read that waits. That of the pty package is closed only once its Read ends.
func closable(blocking *os.File) (*os.File, error) {
	syscall.ForkLock.RLock()
	fd, err := syscall.Dup(int(blocking.Fd()))
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, err
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "terminal"), blocking.Close()
}

// Type types a line once the screen shows a prompt, which is a regular expression.
func (t *Terminal) Type(prompt, line string) {
	ginkgo.GinkgoHelper()
	gomega.Eventually(t.Screen).WithTimeout(Patience).Should(gbytes.Say(prompt))
	_, err := io.WriteString(t.keyboard, line+"\r")
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
}

// Close closes the terminal's window, and returns how the command ends then.
func (t *Terminal) Close() (code int) {
	ginkgo.GinkgoHelper()
	gomega.Expect(t.keyboard.Close()).To(gomega.Succeed())
	_ = t.cmd.Wait()
	t.cancel()
	<-t.drained
	return t.cmd.ProcessState.ExitCode()
}

// Wait waits for the command's end and returns all that was on the screen.
func (t *Terminal) Wait() (screen string, code int) {
	ginkgo.GinkgoHelper()
	err := t.cmd.Wait()
	t.cancel()
	var exited *exec.ExitError
	if err != nil {
		gomega.Expect(errors.As(err, &exited) && exited.Exited()).To(gomega.BeTrue(), "%v\n%s", err, t.Screen.Contents())
	}
	<-t.drained
	gomega.Expect(t.keyboard.Close()).To(gomega.Succeed())
	return string(t.Screen.Contents()), t.cmd.ProcessState.ExitCode()
}
