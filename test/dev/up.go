package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/cluster/process"
)

const (
	pollInterval = 100 * time.Millisecond
	// appearTimeout is how long a new supervisor may take to say its first word.
	appearTimeout = 30 * time.Second
)

// up starts a supervisor where none lives, and follows the one that does until it is ready.
func up(ctx context.Context, s state) error {
	running, err := s.running()
	if err != nil {
		return err
	}
	if !running {
		if err := s.spawn(); err != nil {
			return err
		}
	}
	current, err := s.follow(ctx, wantedVersion())
	if err != nil {
		return err
	}
	fmt.Printf("ready, with Kubernetes %s. To use it: source %s\n", current.KubernetesVersion, current.EnvFile)
	return nil
}

func wantedVersion() string {
	return cmp.Or(os.Getenv("K8S_VERSION"), cluster.DefaultKubernetesVersion)
}

// spawn starts a supervisor in a session of its own, so that nothing typed at this terminal reaches it.
func (s state) spawn() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("cannot make the local cluster's folder: %w", err)
	}
	// An old status would be taken for the new supervisor's.
	if err := os.Remove(s.statusFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("cannot remove the status of an earlier local cluster: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("cannot tell which program this is: %w", err)
	}
	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("cannot open the local cluster's log: %w", err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(self, superviseCommand)
	cmd.Env = withoutAccess(os.Environ())
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("cannot start the local cluster's supervisor: %w", err)
	}
	return cmd.Process.Release()
}

// withoutAccess leaves out what tells an SDK whom to speak as, and to whom: an earlier local cluster's, or a real one's.
func withoutAccess(environment []string) []string {
	return slices.DeleteFunc(slices.Clone(environment), func(variable string) bool {
		return strings.HasPrefix(variable, "AWS_") || strings.HasPrefix(variable, "KUBECONFIG=")
	})
}

// follow prints the supervisor's steps as they begin, and returns when it is ready. It fails when the supervisor does,
// or runs another version of Kubernetes than the one that is wanted.
func (s state) follow(ctx context.Context, wanted string) (status, error) {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	shown, begin := 0, time.Now()
	for {
		current, err := s.readStatus()
		if err != nil {
			return current, err
		}
		if running := current.KubernetesVersion; running != "" && running != wanted {
			return current, fmt.Errorf("the local cluster runs Kubernetes %s, not %s: run `make down` first", running, wanted)
		}
		for ; shown < len(current.Steps); shown++ {
			fmt.Printf("%4.0fs  %s\n", time.Since(begin).Seconds(), current.Steps[shown])
		}
		if current.Error != "" {
			return current, errors.New(current.Error)
		}
		if current.Ready {
			return current, nil
		}
		if err := s.checkAlive(current, time.Since(begin)); err != nil {
			return current, err
		}
		select {
		case <-ctx.Done():
			return current, fmt.Errorf("stopped waiting; the local cluster goes on starting, `make down` stops it")
		case <-ticker.C:
		}
	}
}

// checkAlive fails when the supervisor ended without a word, or has never said one.
func (s state) checkAlive(current status, waited time.Duration) error {
	running, err := s.running()
	if err != nil || running {
		return err
	}
	if current.PID == 0 && waited < appearTimeout {
		return nil
	}
	// It may have said its last word since current was read.
	if current, err = s.readStatus(); err != nil || current.Ready || current.Error != "" {
		return err
	}
	return fmt.Errorf("the local cluster's supervisor is gone; the end of %s:\n%s", s.logFile(), process.Tail(s.logFile()))
}
