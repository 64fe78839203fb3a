package coredump

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Disable switches off core dumps of this process. Its programs are not affected: exec makes them dumpable again.
//
// By prctl(2), a process that is not dumpable leaves no core, whatever kernel.core_pattern and RLIMIT_CORE say, and can
// be neither traced nor have its memory or environment read by others of its user. By core(5), a limit of 0 alone does
// not keep a program that the core is piped to, as systemd-coredump, from getting it.
func Disable() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("cannot switch off core dumps: %w", err)
	}
	return nil
}
