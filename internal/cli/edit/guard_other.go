//go:build !unix

package edit

import "syscall"

func ownSession() *syscall.SysProcAttr { return nil }
