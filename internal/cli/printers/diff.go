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
	markCarets   = "?"
)

const (
	keyIndent   = 2
	valueIndent = 6
	// needsCarets is how long a line must be, in columns, for carets to help.
	needsCarets = 24
	// context is how many lines are shown around those that differ.
	context = 3
)

var keyMarks = map[document.ChangeType]string{
	document.Added: markAdded, document.Modified: markModified, document.Removed: markRemoved, "": markSame,
}

// Print writes a line a key and, if values are shown, one or more for each of
// its values. Lines that an old and a new value of several lines have in common
// are written once, and left out far from a change. What differs within a line is
// marked: by colour, or by carets below it.
func (d *Diff) Print(w io.Writer, width int, styles terminal.Styles) error {
	p := diffPrinter{width: width, colored: styles.Colored, styles: map[string]func(string) string{
		markAdded: styles.Added, markModified: styles.Modified, markRemoved: styles.Removed,
		markSame: styles.Dim, markContext: styles.Dim,
	}, covered: map[string]func(string) string{markAdded: styles.AddedPart, markRemoved: styles.RemovedPart}}
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
	out     strings.Builder
	width   int
	colored bool
	// styles are of whole lines by their mark, covered of what differs in them.
	styles, covered map[string]func(string) string
}

// line writes a text that is safe, wrapped, behind a mark.
func (p *diffPrinter) line(indent int, mark, text string) {
	head := strings.Repeat(" ", indent) + mark + " "
	for _, piece := range terminal.Wrap(text, textWidth(p.width, len(head))) {
		p.out.WriteString(strings.Repeat(" ", indent) + p.styles[mark](head[indent:]+piece) + "\n")
		head = strings.Repeat(" ", len(head))
	}
}

// marked writes a text like line, with what spans cover of it marked.
func (p *diffPrinter) marked(mark, text string, spans []span) {
	if len(spans) == 0 || !p.colored && terminal.Width(text) < needsCarets {
		p.line(valueIndent, mark, text)
		return
	}
	head, blank := mark+" ", strings.Repeat(" ", len(mark)+1)
	indent := strings.Repeat(" ", valueIndent)
	from := 0
	for _, piece := range terminal.Wrap(text, textWidth(p.width, valueIndent+len(head))) {
		inside := within(spans, from, from+len(piece))
		from += len(piece)
		if p.colored {
			p.out.WriteString(indent + p.styles[mark](head) + emphasize(piece, inside, p.styles[mark], p.covered[mark]) + "\n")
		} else {
			p.out.WriteString(indent + head + piece + "\n")
			if len(inside) > 0 {
				p.out.WriteString(indent + markCarets + " " + carets(piece, inside) + "\n")
			}
		}
		head = blank
	}
}

func (p *diffPrinter) lines(mark string, lines []string) {
	for _, line := range lines {
		p.line(valueIndent, mark, line)
	}
}

func (p *diffPrinter) values(e Entry) {
	before, after := shownLines(e.Old), shownLines(e.New)
	if e.Type == "" {
		p.lines(markSame, after)
		return
	}
	all := hunks(before, after)
	for i, h := range all {
		if h.same == nil {
			p.replaced(h)
			continue
		}
		first, last := context, context
		if i == 0 {
			first = 0
		}
		if i == len(all)-1 {
			last = 0
		}
		p.lines(markContext, elide(h.same, first, last))
	}
}

// replaced writes old lines and those that replace them. Where there are as many
// of both, they are compared one by one.
func (p *diffPrinter) replaced(h hunk) {
	inOld, inNew := make([][]span, len(h.old)), make([][]span, len(h.new))
	if len(h.old) == len(h.new) {
		for i := range h.old {
			inOld[i], inNew[i] = spans(h.old[i], h.new[i])
		}
	}
	for i, line := range h.old {
		p.marked(markRemoved, line, inOld[i])
	}
	for i, line := range h.new {
		p.marked(markAdded, line, inNew[i])
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
