package terminal

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

// columns measures as terminals do nowadays whatever the locale: characters of
// ambiguous width take one column.
var columns = &runewidth.Condition{StrictEmojiNeutral: true}

const ellipsis = "…"

// Width returns how many columns s takes, which Escape has made safe.
func Width(s string) int { return columns.StringWidth(s) }

// Truncate returns s, or as much of its beginning as fits into width columns
// together with an ellipsis.
func Truncate(s string, width int) string {
	if Width(s) <= width {
		return s
	}
	if width < 1 {
		return ""
	}
	return columns.Truncate(s, width, ellipsis)
}

// TruncateLeft returns s, or as much of its end as fits into width columns
// together with an ellipsis.
func TruncateLeft(s string, width int) string {
	if Width(s) <= width {
		return s
	}
	if width < 1 {
		return ""
	}
	return columns.TruncateLeft(s, Width(s)-width+Width(ellipsis), ellipsis)
}

// Wrap cuts s into pieces of at most width columns, between any two
// characters: it is for values, of which no space may vanish. No width, 0,
// leaves s whole.
func Wrap(s string, width int) []string {
	if width <= 0 || Width(s) <= width {
		return []string{s}
	}
	return strings.Split(columns.Wrap(s, width), "\n")
}

// WrapWords cuts s into pieces of at most width columns, where it can at
// spaces, which vanish there. It is for prose.
func WrapWords(s string, width int) []string {
	if width <= 0 || Width(s) <= width {
		return []string{s}
	}
	var lines []string
	line := ""
	for _, word := range strings.Split(s, " ") {
		if line != "" && Width(line)+1+Width(word) <= width {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		pieces := Wrap(word, width)
		lines = append(lines, pieces[:len(pieces)-1]...)
		line = pieces[len(pieces)-1]
	}
	return append(lines, line)
}
