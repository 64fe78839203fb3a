//go:build !linux

package factory

// hideInput leaves it to the reading to switch the echo off, a moment later.
func hideInput(int) error { return nil }

// discardPending has no portable form; here it is left to the terminal.
func discardPending(int) (bool, error) { return false, nil }
