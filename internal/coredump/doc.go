// Package coredump keeps the memory of a process that holds secret values from being written to a file when it dies.
package coredump
