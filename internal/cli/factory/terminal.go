package factory

import (
	"os"
	"strconv"

	"golang.org/x/term"
)

// Terminal is what is known of where input comes from and output goes.
type Terminal struct {
	// StdinTTY, StdoutTTY and StderrTTY say which streams are a terminal.
	StdinTTY, StdoutTTY, StderrTTY bool
	// Width is how many columns Out has; 0 where lines have no limit.
	Width int
	// Color is whether Out may be coloured: it is a terminal and TERM is not
	// "dumb", or CLICOLOR_FORCE (bixense.com/clicolors) is set, and NO_COLOR
	// (no-color.org) is not.
	Color bool
	// Animate is whether ErrOut may be drawn over: it is a terminal, TERM is not
	// "dumb", and NO_COLOR is not set. ErrWidth is how many columns it has then.
	Animate  bool
	ErrWidth int
}

// CanAsk reports whether there is a person who can read and answer a question.
func (t Terminal) CanAsk() bool { return t.StdinTTY && t.StderrTTY }

const fallbackWidth = 80

// detectTerminal looks at the process's own streams.
func detectTerminal() Terminal {
	t := Terminal{
		StdinTTY:  isTerminal(os.Stdin),
		StdoutTTY: isTerminal(os.Stdout),
		StderrTTY: isTerminal(os.Stderr),
	}
	t.Color = mayColor(t.StdoutTTY, os.Getenv)
	if t.StdoutTTY {
		t.Width = width(os.Stdout)
	}
	if t.Animate = t.StderrTTY && mayAnimate(os.Getenv); t.Animate {
		t.ErrWidth = width(os.Stderr)
	}
	return t
}

func mayAnimate(getenv func(string) string) bool {
	return getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
}

func mayColor(terminal bool, getenv func(string) string) bool {
	if getenv("NO_COLOR") != "" {
		return false
	}
	force := getenv("CLICOLOR_FORCE")
	return force != "" && force != "0" || terminal && getenv("TERM") != "dumb"
}

func isTerminal(file *os.File) bool { return term.IsTerminal(int(file.Fd())) }

func width(file *os.File) int {
	if columns, _, err := term.GetSize(int(file.Fd())); err == nil && columns > 0 {
		return columns
	}
	if columns, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && columns > 0 {
		return columns
	}
	return fallbackWidth
}
