package printers

import (
	"fmt"
	"io"
	"strings"

	"github.com/secretreview/secretreview/internal/cli/terminal"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// Entry is one key of a Diff. Type is empty for a key that stays as it is.
type Entry struct {
	Key  string
	Type document.ChangeType
	// Old and New are nil where the key has no such value.
	Old, New *sensitive.Value
}

// Diff is what happens to keys.
type Diff struct {
	Entries []Entry
	// ShowValues writes the values too, and only then.
	ShowValues bool
}

// Marks of lines. A line of text that is too long goes on in lines without one,
// so that no value can look like a line of its own.
const (
	markAdded    = "+"
	markModified = "~"
	markRemoved  = "-"
	markSame     = "="
	markContext  = " "
)

const (
	keyIndent   = 2
	valueIndent = 6
	// context is how many lines are shown around those that differ.
	context = 3
)

var keyMarks = map[document.ChangeType]string{
	document.Added: markAdded, document.Modified: markModified, document.Removed: markRemoved, "": markSame,
}

// Print writes a line a key and, if values are shown, one or more for each of
// its values. Lines that an old and a new value of several lines have in common
// at their beginning and end are written once, and left out far from the change.
func (d *Diff) Print(w io.Writer, width int, styles terminal.Styles) error {
	p := diffPrinter{width: width, styles: map[string]func(string) string{
		markAdded: styles.Added, markModified: styles.Modified, markRemoved: styles.Removed,
		markSame: styles.Dim, markContext: styles.Dim,
	}}
	for _, e := range d.Entries {
		p.line(keyIndent, keyMarks[e.Type], terminal.Escape(e.Key))
		if d.ShowValues {
			p.values(e)
		}
	}
	if _, err := io.WriteString(w, p.out.String()); err != nil {
		return fmt.Errorf("write the diff: %w", err)
	}
	return nil
}

type diffPrinter struct {
	out    strings.Builder
	width  int
	styles map[string]func(string) string
}

// line writes a text that is safe, wrapped, behind a mark.
func (p *diffPrinter) line(indent int, mark, text string) {
	head := strings.Repeat(" ", indent) + mark + " "
	for _, piece := range terminal.Wrap(text, textWidth(p.width, len(head))) {
		p.out.WriteString(strings.Repeat(" ", indent) + p.styles[mark](head[indent:]+piece) + "\n")
		head = strings.Repeat(" ", len(head))
	}
}

func (p *diffPrinter) lines(mark string, lines []string) {
	for _, line := range lines {
		p.line(valueIndent, mark, line)
	}
}

func (p *diffPrinter) values(e Entry) {
	switch before, after := shownLines(e.Old), shownLines(e.New); e.Type {
	case "":
		p.lines(markSame, after)
	default:
		head, tail := common(before, after)
		p.lines(markContext, elide(before[:head], 0, context))
		p.lines(markRemoved, before[head:len(before)-tail])
		p.lines(markAdded, after[head:len(after)-tail])
		p.lines(markContext, elide(before[len(before)-tail:], context, 0))
	}
}

func shownLines(v *sensitive.Value) []string {
	if v == nil {
		return nil
	}
	if text := v.Reveal(); !strings.Contains(text, "\n") {
		return []string{terminal.Escape(text)}
	}
	return terminal.Lines(v.Reveal())
}

// common counts the lines that a and b share at their beginning and, of those
// left, at their end.
func common(a, b []string) (head, tail int) {
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	return head, tail
}

// elide leaves out what lies between the first and the last lines, unless it is
// a single one.
func elide(lines []string, first, last int) []string {
	left := len(lines) - first - last
	if left <= 1 {
		return lines
	}
	shown := append([]string{}, lines[:first]...)
	shown = append(shown, fmt.Sprintf("… %d lines stay as they are", left))
	return append(shown, lines[len(lines)-last:]...)
}
