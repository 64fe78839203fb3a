package printers_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/secretreview/secretreview/internal/cli/terminal"
)

var update = flag.Bool("update", false, "write the golden files")

var (
	plain = terminal.NewStyles(false)
	now   = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
)

// golden compares what was printed with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// fits fails for a line that is wider than width, or that a terminal would act
// on.
func fits(t *testing.T, width int, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if width > 0 && terminal.Width(line) > width {
			t.Errorf("%q takes %d columns of %d", line, terminal.Width(line), width)
		}
		for _, r := range line {
			if r != ' ' && !unicode.IsPrint(r) {
				t.Errorf("%q holds %U", line, r)
			}
		}
	}
}
