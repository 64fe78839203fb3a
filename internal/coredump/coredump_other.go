//go:build !unix

package coredump

// Disable does nothing: Windows keeps a process's memory only where the registry's LocalDumps asks for that.
func Disable() error { return nil }
