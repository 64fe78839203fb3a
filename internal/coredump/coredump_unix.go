//go:build unix && !linux

package coredump

import (
	"fmt"
	"syscall"
)

// Disable switches off core dumps of this process. The programs that it starts inherit the limit, and may raise it
// again.
func Disable() error {
	var limit syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_CORE, &limit)
	if err == nil {
		limit.Cur = 0
		err = syscall.Setrlimit(syscall.RLIMIT_CORE, &limit)
	}
	if err != nil {
		return fmt.Errorf("cannot switch off core dumps: %w", err)
	}
	return nil
}
