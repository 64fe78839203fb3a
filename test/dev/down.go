package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// stopTimeout is more than all programs may take that are asked to stop one after the other.
const stopTimeout = 8 * time.Minute

// down stops the supervisor, where one lives, and removes the local cluster's folder.
func down(ctx context.Context, s state) error {
	if _, err := os.Stat(s.dir); errors.Is(err, os.ErrNotExist) {
		fmt.Println("the local cluster is not up")
		return nil
	}
	lock, err := s.lock()
	if err != nil {
		return err
	}
	if lock == nil {
		if lock, err = s.stop(ctx); err != nil {
			return err
		}
	}
	defer func() { _ = lock.Close() }()
	if err := os.RemoveAll(s.dir); err != nil {
		return fmt.Errorf("cannot remove the local cluster's folder: %w", err)
	}
	fmt.Println("the local cluster is down")
	return nil
}

// stop asks the supervisor to end and returns its lock once it has.
func (s state) stop(ctx context.Context) (*os.File, error) {
	current, err := s.readStatus()
	if err != nil {
		return nil, err
	}
	if current.PID == 0 {
		return nil, fmt.Errorf("the local cluster has only begun to start: try again in a moment")
	}
	// Whoever holds the lock wrote this id, so it is not some later process's.
	if err := syscall.Kill(current.PID, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return nil, fmt.Errorf("cannot stop the local cluster's supervisor, process %d: %w", current.PID, err)
	}
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		lock, err := s.lock()
		if err != nil || lock != nil {
			return lock, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the local cluster's supervisor, process %d, does not end: see %s", current.PID, s.logFile())
		case <-ticker.C:
		}
	}
}
