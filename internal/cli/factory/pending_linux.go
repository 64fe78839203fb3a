package factory

import "golang.org/x/sys/unix"

// hideInput switches the terminal's echo off.
func hideInput(fd int) error {
	state, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	state.Lflag &^= unix.ECHO
	return unix.IoctlSetTermios(fd, unix.TCSETS, state)
}

// discardPending throws away what was typed or pasted but not read, which the
// shell would run as commands and keep in its history, and says whether there
// was any.
func discardPending(fd int) (bool, error) {
	waiting, err := unix.IoctlGetInt(fd, unix.TIOCINQ)
	if err != nil || waiting == 0 {
		return false, err
	}
	return true, unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH)
}
