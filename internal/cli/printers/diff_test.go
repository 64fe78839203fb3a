package printers_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/cli/printers"
	"github.com/secretreview/secretreview/internal/cli/terminal"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/sensitive"
)

func value(s string) *sensitive.Value {
	v := sensitive.New(s)
	return &v
}

func lines(n int, changed string) string {
	var text strings.Builder
	for i := range n {
		if i == n/2 {
			text.WriteString(changed + "\n")
			continue
		}
		fmt.Fprintf(&text, "line %d\n", i)
	}
	return text.String()
}

var entries = []printers.Entry{
	{Key: "ADDED", Type: document.Added, New: value("sk_live_1234567890")},
	{Key: "CERTIFICATE", Type: document.Modified, Old: value(lines(21, "old")), New: value(lines(21, "new"))},
	{Key: "DATABASE_URL", Type: document.Modified,
		Old: value("postgres://app:hunter2@db.internal.example.com:5432/app?sslmode=require&pool=10"),
		New: value("postgres://app:correct-horse-battery-staple@db.internal.example.com:5432/app?sslmode=require&pool=10")},
	{Key: "EMPTY", Type: document.Modified, Old: value(""), New: value(" ")},
	{Key: "FORGERY", Type: document.Added, New: value(strings.Repeat(" ", 72) + "+ ADMIN                          + yes")},
	{Key: "HOSTILE\x1b[2K", Type: document.Removed, Old: value("\x1b]0;owned\x07\u202e\xff\n+ ADMIN=yes\r\n")},
	{Key: "JAPANESE", Type: document.Added, New: value(strings.Repeat("秘密の値", 12))},
	{Key: "NEWLINE", Type: document.Modified, Old: value("a"), New: value("a\n")},
	{Key: "REMOVED", Type: document.Removed, Old: value("gone")},
	{Key: "SAME", Old: value("as before"), New: value("as before")},
	{Key: "constructor", Type: document.Removed, Old: value("built-in")},
}

func TestDiffAtEveryWidth(t *testing.T) {
	for _, width := range []int{40, 80, 200, 0} {
		for _, show := range []bool{true, false} {
			t.Run(fmt.Sprintf("width %d, values %v", width, show), func(t *testing.T) {
				var out strings.Builder
				if err := (&printers.Diff{Entries: entries, ShowValues: show}).Print(&out, width, plain); err != nil {
					t.Fatal(err)
				}
				fits(t, width, out.String())
				if show {
					golden(t, fmt.Sprintf("diff-%d", width), out.String())
				} else {
					golden(t, fmt.Sprintf("diff-hidden-%d", width), out.String())
				}
			})
		}
	}
}

func TestColoursMarkWhatDiffersInALine(t *testing.T) {
	var out strings.Builder
	diff := printers.Diff{ShowValues: true, Entries: []printers.Entry{{Key: "K", Type: document.Modified, Old: value("a=1;b"), New: value("a=2;b")}}}
	if err := diff.Print(&out, 80, terminal.NewStyles(true)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a=\x1b[0m\x1b[7;31m1\x1b[0m\x1b[31m;b", "a=\x1b[0m\x1b[7;32m2\x1b[0m\x1b[32m;b"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q lacks %q", out.String(), want)
		}
	}
}

// Marks stand in two columns, and nothing that a value holds can stand there.
func TestNoValueLooksLikeAnotherKey(t *testing.T) {
	for width := range 120 {
		var out strings.Builder
		if err := (&printers.Diff{Entries: entries, ShowValues: true}).Print(&out, width, plain); err != nil {
			t.Fatal(err)
		}
		keys := 0
		for line := range strings.Lines(out.String()) {
			if !strings.HasPrefix(line, "    ") {
				keys++
			}
		}
		if keys != len(entries) {
			t.Fatalf("width %d: %d keys are shown of %d:\n%s", width, keys, len(entries), out.String())
		}
	}
}

func TestHiddenValuesDoNotShowThrough(t *testing.T) {
	var one, other strings.Builder
	for out, v := range map[*strings.Builder]string{&one: "a", &other: strings.Repeat("long\n", 100)} {
		d := printers.Diff{Entries: []printers.Entry{{Key: "K", Type: document.Modified, Old: value("x"), New: value(v)}}}
		if err := d.Print(out, 80, plain); err != nil {
			t.Fatal(err)
		}
	}
	if one.String() != other.String() || one.String() != "  ~ K\n" {
		t.Errorf("got %q and %q", one.String(), other.String())
	}
}

func TestDiffIsColoured(t *testing.T) {
	var out strings.Builder
	d := printers.Diff{ShowValues: true, Entries: []printers.Entry{{Key: "K", Type: document.Modified, Old: value("a"), New: value("b")}}}
	if err := d.Print(&out, 80, terminal.NewStyles(true)); err != nil {
		t.Fatal(err)
	}
	want := "  \x1b[33m~ K\x1b[0m\n      \x1b[31m- a\x1b[0m\n      \x1b[32m+ b\x1b[0m\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
