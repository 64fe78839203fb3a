package printers

import (
	"strings"

	"github.com/sergi/go-diff/diffmatchpatch"

	"github.com/secretreview/secretreview/internal/cli/terminal"
)

// span is a part of a line, in bytes: what differs from the line that it is
// compared with.
type span struct{ from, to int }

// inCommon is what part of the longer line both lines must have in common, one
// in so many characters: in others all is new, and nothing worth marking.
const inCommon = 3

// spans returns what differs in each of two lines, nothing where too little is
// the same.
func spans(before, after string) (inOld, inNew []span) {
	a, b := []rune(before), []rune(after)
	same, oldAt, newAt := 0, 0, 0
	for _, d := range differences(a, b, true) {
		n := len(d.Text)
		switch d.Type {
		case diffmatchpatch.DiffEqual:
			same += len([]rune(d.Text))
			oldAt, newAt = oldAt+n, newAt+n
		case diffmatchpatch.DiffDelete:
			inOld = append(inOld, span{oldAt, oldAt + n})
			oldAt += n
		case diffmatchpatch.DiffInsert:
			inNew = append(inNew, span{newAt, newAt + n})
			newAt += n
		}
	}
	if same*inCommon < max(len(a), len(b)) {
		return nil, nil
	}
	return inOld, inNew
}

// within returns the parts of spans that lie in the piece of a line from one byte
// to another, counted from the piece's beginning.
func within(spans []span, from, to int) []span {
	var inside []span
	for _, s := range spans {
		if a, b := max(s.from, from), min(s.to, to); a < b {
			inside = append(inside, span{a - from, b - from})
		}
	}
	return inside
}

// emphasize styles a piece: what its spans cover, and the rest.
func emphasize(piece string, spans []span, rest, covered func(string) string) string {
	var out strings.Builder
	at := 0
	for _, s := range spans {
		if at < s.from {
			out.WriteString(rest(piece[at:s.from]))
		}
		out.WriteString(covered(piece[s.from:s.to]))
		at = s.to
	}
	if at < len(piece) {
		out.WriteString(rest(piece[at:]))
	}
	return out.String()
}

// carets returns a line that points at what spans cover of the piece above it.
func carets(piece string, spans []span) string {
	var out strings.Builder
	at := 0
	for _, s := range spans {
		out.WriteString(strings.Repeat(" ", terminal.Width(piece[at:s.from])))
		out.WriteString(strings.Repeat("^", terminal.Width(piece[s.from:s.to])))
		at = s.to
	}
	return out.String()
}
