package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/secretreview/secretreview/test/dev/stack"
)

const superviseCommand = "supervise"

// supervise runs everything until ctx ends. It ends at once where another supervisor lives: two `make up` at a time
// then wait for the same one.
func supervise(ctx context.Context, s state) error {
	lock, err := s.lock()
	if err != nil || lock == nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	if err := s.clear(); err != nil {
		return err
	}
	told := &report{state: s}
	if err := told.update(func(now *status) { now.PID, now.KubernetesVersion = os.Getpid(), wantedVersion() }); err != nil {
		return err
	}
	running, err := stack.Start(ctx, stack.Options{Dir: s.dir, KubernetesVersion: wantedVersion(), Progress: told.step})
	if err != nil {
		return errors.Join(err, told.update(func(now *status) { now.Error = err.Error() }))
	}
	err = told.update(func(now *status) { now.Ready, now.EnvFile = true, running.EnvFile() })
	if err == nil {
		<-ctx.Done()
	}
	return errors.Join(err, running.Stop(context.WithoutCancel(ctx)))
}

// report keeps the status file. Steps come from several goroutines.
type report struct {
	state state

	mu  sync.Mutex
	now status
}

func (r *report) update(change func(*status)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.now)
	return r.state.writeStatus(r.now)
}

// step goes to the log as well, which is the supervisor's standard output.
func (r *report) step(name string) {
	fmt.Println(name)
	if err := r.update(func(now *status) { now.Steps = append(now.Steps, name) }); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
