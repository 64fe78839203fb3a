package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// state is the folder that the local cluster is kept in.
type state struct{ dir string }

func (s state) lockFile() string   { return filepath.Join(s.dir, "lock") }
func (s state) statusFile() string { return filepath.Join(s.dir, "status.json") }
func (s state) logFile() string    { return filepath.Join(s.dir, "dev.log") }

// status is what the supervisor tells those who wait for it.
type status struct {
	// PID is the supervisor's process id.
	PID int `json:"pid"`
	// KubernetesVersion is the minor release that runs.
	KubernetesVersion string `json:"kubernetesVersion"`
	// Steps are what was begun so far, in order.
	Steps []string `json:"steps"`
	// Ready is set when everything runs, Error when it cannot.
	Ready bool   `json:"ready"`
	Error string `json:"error,omitempty"`
	// EnvFile is the file to be sourced by a shell, once Ready.
	EnvFile string `json:"envFile,omitempty"`
}

// readStatus returns the zero status where there is none yet.
func (s state) readStatus() (status, error) {
	var current status
	content, err := os.ReadFile(s.statusFile())
	if errors.Is(err, fs.ErrNotExist) {
		return current, nil
	}
	if err != nil {
		return current, fmt.Errorf("cannot read the local cluster's status: %w", err)
	}
	if err := json.Unmarshal(content, &current); err != nil {
		return current, fmt.Errorf("cannot understand %s; remove it: %w", s.statusFile(), err)
	}
	return current, nil
}

// writeStatus never lets a reader see half of it.
func (s state) writeStatus(current status) error {
	content, err := json.MarshalIndent(current, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot encode the local cluster's status: %w", err)
	}
	fresh := s.statusFile() + ".new"
	if err := os.WriteFile(fresh, content, 0o600); err != nil {
		return fmt.Errorf("cannot write the local cluster's status: %w", err)
	}
	if err := os.Rename(fresh, s.statusFile()); err != nil {
		return fmt.Errorf("cannot replace the local cluster's status: %w", err)
	}
	return nil
}

// lock takes the lock that a supervisor holds while it lives. It returns nil when somebody else has it. The kernel
// lets go of it however its holder ends.
func (s state) lock() (*os.File, error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the local cluster's folder: %w", err)
	}
	file, err := os.OpenFile(s.lockFile(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the local cluster's lock: %w", err)
	}
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case err == nil:
		return file, nil
	case errors.Is(err, unix.EWOULDBLOCK):
		return nil, file.Close()
	default:
		return nil, errors.Join(fmt.Errorf("cannot lock %s: %w", s.lockFile(), err), file.Close())
	}
}

// running tells whether a supervisor lives.
func (s state) running() (bool, error) {
	if _, err := os.Stat(s.lockFile()); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	lock, err := s.lock()
	if err != nil || lock == nil {
		return lock == nil && err == nil, err
	}
	return false, lock.Close()
}

// clear removes what an earlier local cluster left, but not the lock, which the caller holds, nor the log.
func (s state) clear() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("cannot look into the local cluster's folder: %w", err)
	}
	for _, entry := range entries {
		path := filepath.Join(s.dir, entry.Name())
		if path == s.lockFile() || path == s.logFile() {
			continue
		}
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("cannot remove what an earlier local cluster left: %w", err)
		}
	}
	return nil
}
