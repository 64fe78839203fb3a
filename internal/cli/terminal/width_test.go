package terminal_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/cli/terminal"
)

func TestTruncateCountsColumns(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		width int
		want  string
	}{
		"what fits stays":                   {"abc", 3, "abc"},
		"what does not is cut":              {"abcd", 3, "ab…"},
		"wide characters count twice":       {"日本語", 5, "日本…"},
		"half of a wide character is left":  {"日本語", 4, "日…"},
		"a letter keeps its mark":           {"e\u0301e\u0301e\u0301", 2, "e\u0301…"},
		"nothing fits into nothing":         {"abc", 0, ""},
		"one column is enough for the mark": {"abc", 1, "…"},
	} {
		t.Run(name, func(t *testing.T) {
			got := terminal.Truncate(c.text, c.width)
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if terminal.Width(got) > c.width {
				t.Errorf("%q takes %d columns, not %d", got, terminal.Width(got), c.width)
			}
		})
	}
}

func TestTruncateLeftKeepsTheEnd(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		width int
		want  string
	}{
		"what fits stays":               {"abc", 3, "abc"},
		"what does not is cut":          {"abcd", 3, "…cd"},
		"wide characters count twice":   {"日本語", 5, "…本語"},
		"nothing fits into nothing":     {"abc", 0, ""},
		"half of a wide one is a space": {"日本語", 4, "… 語"},
	} {
		t.Run(name, func(t *testing.T) {
			got := terminal.TruncateLeft(c.text, c.width)
			if got != c.want || terminal.Width(got) > c.width {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestWrapKeepsEveryCharacter(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		width int
		want  []string
	}{
		"what fits is one piece":         {"abc", 3, []string{"abc"}},
		"no width is no limit":           {"abc", 0, []string{"abc"}},
		"spaces stay":                    {"ab  cd", 3, []string{"ab ", " cd"}},
		"wide characters are not halved": {"a日本語", 4, []string{"a日", "本語"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := terminal.Wrap(c.text, c.width)
			if !slices.Equal(got, c.want) || strings.Join(got, "") != c.text {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestWrapWordsBreaksAtSpaces(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		width int
		want  []string
	}{
		"what fits is one line":   {"ab cd", 5, []string{"ab cd"}},
		"words stay whole":        {"ab cd ef", 5, []string{"ab cd", "ef"}},
		"a word that is too long": {"a bcdefgh i", 4, []string{"a", "bcde", "fgh", "i"}},
		"wide words":              {"日本 語", 5, []string{"日本", "語"}},
		"no width is no limit":    {"ab cd", 0, []string{"ab cd"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := terminal.WrapWords(c.text, c.width); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestStylesDoNothingWithoutColour(t *testing.T) {
	if got := terminal.NewStyles(false).Added("x"); got != "x" {
		t.Errorf("got %q", got)
	}
	if got := terminal.NewStyles(true).Added("x"); got != "\x1b[32mx\x1b[0m" {
		t.Errorf("got %q", got)
	}
}
