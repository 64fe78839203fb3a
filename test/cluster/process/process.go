// Package process runs a program as a child that cannot outlive its parent, with its output in a file.
//
// Tests and the local cluster start etcd, kube-apiserver and this project's own binaries with it. A child
// gets a process group of its own, so that an interrupt typed at a terminal reaches the parent alone, which
// then stops its children in order. On Linux the kernel also kills the child when the parent dies without
// stopping it.
package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// stopGrace is how long Stop waits for a child to end by itself before it is killed.
const stopGrace = 90 * time.Second

// tailBytes is how much of the end of a log file is quoted in an error.
const tailBytes = 4096

// Command says what to run.
type Command struct {
	// Name is used in errors.
	Name string
	// Path is the program, Args its arguments without the program's own name.
	Path string
	Args []string
	// Env is the whole environment, as in exec.Cmd. Nil passes on the parent's.
	Env []string
	// Dir is the working directory. Empty is the parent's.
	Dir string
	// LogFile gets standard output and standard error, appended.
	LogFile string
}

// Process is a running or ended child.
type Process struct {
	command Command
	cmd     *exec.Cmd
	done    chan struct{}
	// err is how the child ended. It may be read once done is closed.
	err error
	// ended says that it was asked to end, or killed.
	ended atomic.Bool
}

// Start starts the program and returns as soon as it runs.
func Start(command Command) (*Process, error) {
	if err := os.MkdirAll(filepath.Dir(command.LogFile), 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the folder for the log of %s: %w", command.Name, err)
	}
	log, err := os.OpenFile(command.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the log of %s: %w", command.Name, err)
	}
	cmd := exec.Command(command.Path, command.Args...)
	cmd.Env, cmd.Dir = command.Env, command.Dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = attributes()

	p := &Process{command: command, cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// The kernel sends the parent-death signal when the thread that forked ends, so this one must last.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer func() { _ = log.Close() }()
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", command.Name, err)
	}
	return p, nil
}

// PID is the child's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Running tells whether the child has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// LogFile is the file that the child's output goes to.
func (p *Process) LogFile() string { return p.command.LogFile }

// Exited is the error to report for a child that has ended when it should not have: how it ended, and the
// end of its log. It waits for the child to end.
func (p *Process) Exited() error {
	<-p.done
	how := "with success"
	if p.err != nil {
		how = p.err.Error()
	}
	return fmt.Errorf("%s ended by itself (%s); the end of %s:\n%s", p.command.Name, how, p.command.LogFile, Tail(p.command.LogFile))
}

// Crashed is Exited for a child that has ended although nobody stopped or killed it, and nil for all others.
func (p *Process) Crashed() error {
	if p.Running() || p.ended.Load() {
		return nil
	}
	return p.Exited()
}

// Stop asks the child to end and waits until it has. One that has not ended after 90 seconds, or when ctx
// ends, is killed, and that is an error. Stopping an ended child does nothing.
func (p *Process) Stop(ctx context.Context) error {
	if !p.Running() {
		return nil
	}
	p.ended.Store(true)
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, stopGrace)
	defer cancel()
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
	}
	if err := p.Kill(); err != nil {
		return err
	}
	return fmt.Errorf("%s did not stop when asked and was killed; the end of %s:\n%s", p.command.Name, p.command.LogFile, Tail(p.command.LogFile))
}

// Kill ends the child at once, as a power cut would, and waits until it has ended.
func (p *Process) Kill() error {
	if !p.Running() {
		return nil
	}
	p.ended.Store(true)
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.done
	return nil
}

// End ends the child by a signal that it does not survive, waits until it has ended, and returns how.
func (p *Process) End(signal syscall.Signal) (syscall.WaitStatus, error) {
	p.ended.Store(true)
	if err := p.signal(signal); err != nil {
		return 0, err
	}
	<-p.done
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok {
		return 0, fmt.Errorf("cannot tell how %s ended", p.command.Name)
	}
	return status, nil
}

// signal goes to the child's whole process group.
func (p *Process) signal(signal syscall.Signal) error {
	if err := syscall.Kill(-p.PID(), signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("cannot send %s to %s: %w", signal, p.command.Name, err)
	}
	return nil
}

// Tail is the last 4 KiB of a log file, or a sentence saying why it cannot be read.
func Tail(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Sprintf("(no log: %v)", err)
	}
	if len(content) > tailBytes {
		content = content[len(content)-tailBytes:]
	}
	return strings.TrimSpace(string(content))
}
