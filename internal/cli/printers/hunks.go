package printers

import (
	"slices"
	"unicode/utf8"

	"github.com/sergi/go-diff/diffmatchpatch"
)

// maxWork bounds how long two texts are compared, in pairs of characters, or of
// lines, between what they have in common at their beginning and end.
const maxWork = 4_000_000

// hunk is a run of lines: those that stay, or old ones and what replaces them.
type hunk struct{ same, old, new []string }

// hunks returns what becomes of lines, in their order. Runs that stay and runs
// that do not take turns.
func hunks(before, after []string) []hunk {
	var all []hunk
	codes := coder{codes: map[string]rune{}}
	oldAt, newAt := 0, 0
	for _, d := range differences(codes.encode(before), codes.encode(after), false) {
		n := utf8.RuneCountInString(d.Text)
		if d.Type == diffmatchpatch.DiffEqual {
			all = append(all, hunk{same: after[newAt : newAt+n]})
			oldAt, newAt = oldAt+n, newAt+n
			continue
		}
		if len(all) == 0 || all[len(all)-1].same != nil {
			all = append(all, hunk{})
		}
		last := &all[len(all)-1]
		if d.Type == diffmatchpatch.DiffDelete {
			last.old = append(last.old, before[oldAt:oldAt+n]...)
			oldAt += n
		} else {
			last.new = append(last.new, after[newAt:newAt+n]...)
			newAt += n
		}
	}
	return all
}

// coder gives each line a character of its own.
type coder struct {
	codes map[string]rune
	next  rune
}

func (c *coder) encode(lines []string) []rune {
	out := make([]rune, len(lines))
	for i, line := range lines {
		if _, known := c.codes[line]; !known {
			c.next++
			if c.next == surrogateMin {
				c.next = surrogateMax + 1 // they are no characters
			}
			c.codes[line] = c.next
		}
		out[i] = c.codes[line]
	}
	return out
}

const (
	surrogateMin = 0xD800
	surrogateMax = 0xDFFF
)

// differences compares two texts; where that would take too long, all between
// their common beginning and end differs. What is to be readable has no crumbs in
// common that mean nothing to people.
func differences(a, b []rune, readable bool) []diffmatchpatch.Diff {
	head, tail := common(a, b)
	if (len(a)-head-tail)*(len(b)-head-tail) > maxWork {
		return slices.DeleteFunc([]diffmatchpatch.Diff{
			{Type: diffmatchpatch.DiffEqual, Text: string(a[:head])},
			{Type: diffmatchpatch.DiffDelete, Text: string(a[head : len(a)-tail])},
			{Type: diffmatchpatch.DiffInsert, Text: string(b[head : len(b)-tail])},
			{Type: diffmatchpatch.DiffEqual, Text: string(a[len(a)-tail:])},
		}, func(d diffmatchpatch.Diff) bool { return d.Text == "" })
	}
	differ := diffmatchpatch.New()
	differ.DiffTimeout = 0 // or the result would hang on how busy the machine is
	found := differ.DiffMainRunes(a, b, false)
	if readable {
		found = differ.DiffCleanupSemantic(found)
	}
	return found
}

// common counts the characters that a and b share at their beginning and, of
// those left, at their end.
func common(a, b []rune) (head, tail int) {
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	return head, tail
}
