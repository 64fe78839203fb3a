// Package printers lays out what commands show: tables, fields, diffs and
// machine formats. Whatever it is given is escaped here, and nowhere before.
package printers

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/secretreview/secretreview/internal/cli/terminal"
)

// Column is one column of a Table.
type Column struct {
	Title string
	// Min is how narrow it may be made to fit a terminal; 0 means that it is
	// never cut.
	Min int
	// Drop above 0 lets it be left out where cutting is not enough, the highest
	// first.
	Drop int
	// Name says that its text is typed again: it is cut only when nothing else
	// helps.
	Name bool
	// End says that it is cut at the beginning, because the end says more.
	End bool
}

// Cell is one text of a Table. Style, if set, colours it.
type Cell struct {
	Text  string
	Style func(string) string
}

// Text returns a Cell without a style.
func Text(s string) Cell { return Cell{Text: s} }

// Table is rows of as many cells as there are columns.
type Table struct {
	Columns []Column
	Rows    [][]Cell
}

// gap is what stands between two columns.
const gap = "  "

// Print writes the table so that no line is wider than width columns; 0 means
// that lines have no limit.
func (t *Table) Print(w io.Writer, width int, styles terminal.Styles) error {
	escaped := t.escape()
	shown, widths := layout(t.Columns, natural(t.Columns, escaped), width)
	var out strings.Builder
	header := make([]Cell, len(t.Columns))
	for i, column := range t.Columns {
		header[i] = Cell{column.Title, styles.Bold}
	}
	for _, row := range append([][]Cell{header}, escaped...) {
		t.writeRow(&out, row, shown, widths)
	}
	if _, err := io.WriteString(w, out.String()); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}

// escape makes every text safe. An empty one stays a blank.
func (t *Table) escape() [][]Cell {
	rows := make([][]Cell, len(t.Rows))
	for r, row := range t.Rows {
		rows[r] = slices.Clone(row)
		for c := range row {
			if row[c].Text != "" {
				rows[r][c].Text = terminal.Escape(row[c].Text)
			}
		}
	}
	return rows
}

func (t *Table) writeRow(out *strings.Builder, row []Cell, shown, widths []int) {
	var pending string // spaces before the next text, which a line does not end with
	for i, at := range shown {
		truncate := terminal.Truncate
		if t.Columns[at].End {
			truncate = terminal.TruncateLeft
		}
		text := truncate(row[at].Text, widths[at])
		padding := strings.Repeat(" ", widths[at]-terminal.Width(text))
		if text != "" {
			out.WriteString(pending)
			pending = ""
			if style := row[at].Style; style != nil {
				text = style(text)
			}
			out.WriteString(text)
		}
		pending += padding
		if i < len(shown)-1 {
			pending += gap
		}
	}
	out.WriteByte('\n')
}

// natural returns how wide each column would like to be.
func natural(columns []Column, rows [][]Cell) []int {
	widths := make([]int, len(columns))
	for i, column := range columns {
		widths[i] = terminal.Width(column.Title)
		for _, row := range rows {
			widths[i] = max(widths[i], terminal.Width(row[i].Text))
		}
	}
	return widths
}

// layout returns which columns are shown, and how wide each is.
func layout(columns []Column, natural []int, width int) (shown, widths []int) {
	for i := range columns {
		shown = append(shown, i)
	}
	widths = slices.Clone(natural)
	if width <= 0 {
		return shown, widths
	}
	for {
		copy(widths, natural)
		cut(columns, shown, widths, width, func(c Column) bool { return !c.Name })
		if total(shown, widths) <= width {
			return shown, widths
		}
		least := leastWanted(columns, shown)
		if least < 0 {
			break
		}
		shown = slices.Delete(shown, least, least+1)
	}
	cut(columns, shown, widths, width, func(c Column) bool { return c.Name })
	return shown, widths
}

// cut takes columns from the widest of those that may be cut, one by one.
func cut(columns []Column, shown, widths []int, width int, may func(Column) bool) {
	for over := total(shown, widths) - width; over > 0; over-- {
		widest := -1
		for _, at := range shown {
			c := columns[at]
			if c.Min > 0 && widths[at] > c.Min && may(c) && (widest < 0 || widths[at] > widths[widest]) {
				widest = at
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
	}
}

func total(shown, widths []int) int {
	sum := len(gap) * (len(shown) - 1)
	for _, at := range shown {
		sum += widths[at]
	}
	return sum
}

// leastWanted returns the place in shown of the column to be left out next, or
// -1.
func leastWanted(columns []Column, shown []int) int {
	least := -1
	for i, at := range shown {
		if columns[at].Drop > 0 && (least < 0 || columns[at].Drop > columns[shown[least]].Drop) {
			least = i
		}
	}
	return least
}
