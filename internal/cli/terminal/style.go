package terminal

import (
	"io"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
)

// Styles colour single lines. They use the 16 colours that each terminal's
// theme sets, and do nothing where colour is off.
type Styles struct {
	// Colored is false where all of them do nothing.
	Colored bool
	// AddedPart and RemovedPart are of what differs within a line.
	AddedPart, RemovedPart                                  func(string) string
	Bold, Dim, Added, Modified, Removed, Good, Bad, Warning func(string) string
}

// NewStyles returns Styles that colour or, if not color, do nothing.
func NewStyles(color bool) Styles {
	renderer := lipgloss.NewRenderer(io.Discard, termenv.WithProfile(termenv.Ascii))
	if color {
		renderer.SetColorProfile(termenv.ANSI)
	}
	plain := renderer.NewStyle().TabWidth(lipgloss.NoTabConversion)
	render := func(s lipgloss.Style) func(string) string {
		return func(text string) string { return s.Render(text) }
	}
	colored := func(ansi string) func(string) string { return render(plain.Foreground(lipgloss.Color(ansi))) }
	const red, green, yellow = "1", "2", "3"
	reversed := func(ansi string) func(string) string {
		return render(plain.Foreground(lipgloss.Color(ansi)).Reverse(true))
	}
	return Styles{
		Colored: color, AddedPart: reversed(green), RemovedPart: reversed(red),
		Bold: render(plain.Bold(true)), Dim: render(plain.Faint(true)),
		Added: colored(green), Modified: colored(yellow), Removed: colored(red),
		Good: colored(green), Bad: colored(red), Warning: colored(yellow),
	}
}
