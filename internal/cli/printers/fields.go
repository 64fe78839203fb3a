package printers

import (
	"fmt"
	"io"
	"strings"

	"github.com/secretreview/secretreview/internal/cli/terminal"
)

// Field is a label with a text beside it, which may have several lines.
type Field struct {
	Label, Text string
	Style       func(string) string
}

// minText is how many columns a text gets at least, however narrow the
// terminal is.
const minText = 16

// PrintFields writes fields below each other, the texts in one column and
// wrapped at words so that no text can stand where a label does.
func PrintFields(w io.Writer, width int, styles terminal.Styles, fields []Field) error {
	label := 0
	for _, f := range fields {
		label = max(label, terminal.Width(f.Label))
	}
	label += len(gap)
	var out strings.Builder
	for _, f := range fields {
		for i, line := range Prose(f.Text, textWidth(width, label)) {
			head := strings.Repeat(" ", label)
			if i == 0 {
				head = styles.Bold(f.Label) + strings.Repeat(" ", label-terminal.Width(f.Label))
			}
			if f.Style != nil {
				line = f.Style(line)
			}
			out.WriteString(strings.TrimRight(head+line, " ") + "\n")
		}
	}
	if _, err := io.WriteString(w, out.String()); err != nil {
		return fmt.Errorf("write the fields: %w", err)
	}
	return nil
}

// textWidth is what is left of width columns after an indent; 0 is no limit.
func textWidth(width, indent int) int {
	if width <= 0 {
		return 0
	}
	return max(width-indent, minText)
}

// Prose returns what somebody wrote as safe lines of at most width columns, 0
// meaning that lines have no limit. There is always one line.
func Prose(text string, width int) []string {
	var lines []string
	for _, line := range strings.Split(strings.TrimRight(text, " \n"), "\n") {
		if line = strings.TrimRight(line, " "); line != "" {
			line = terminal.Escape(line)
		}
		lines = append(lines, terminal.WrapWords(line, width)...)
	}
	return lines
}
