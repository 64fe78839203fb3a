package check

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/secretreview/secretreview/internal/cli/check/finding"
	"github.com/secretreview/secretreview/internal/cli/terminal"
	"github.com/secretreview/secretreview/internal/cli/wording"
	"github.com/secretreview/secretreview/internal/document"
)

// code makes text inert in a comment: no Markdown, no HTML, and within <code>
// nobody is mentioned and nothing is linked.
func code(text string) string {
	var out strings.Builder
	out.WriteString("<code>")
	for _, r := range terminal.Escape(text) {
		if r == ' ' || r > unicode.MaxASCII || unicode.IsLetter(r) || unicode.IsDigit(r) {
			out.WriteRune(r)
		} else {
			fmt.Fprintf(&out, "&#%d;", r)
		}
	}
	out.WriteString("</code>")
	return out.String()
}

// markdown is for a comment on a pull request.
func (r *report) markdown(out io.Writer) error {
	var text bytes.Buffer
	fmt.Fprintf(&text, "### sr check\n\n%s.\n", r.summary())
	if len(r.findings) > 0 {
		text.WriteString("\n| | Where | What |\n| --- | --- | --- |\n")
		for _, f := range r.findings {
			fmt.Fprintf(&text, "| %s | %s | %s |\n", severityNames[f.Severity], code(position(f)), code(sentence(f)))
		}
	}
	for _, c := range r.changes {
		fmt.Fprintf(&text, "\n#### %s\n\nFor %s in namespace %s%s, in %s.\n", code(c.Name),
			code(c.Spec.Project+"/"+c.Spec.Environment), code(c.Namespace), proposer(c, code), code(c.File))
		c.diff.markdown(&text)
	}
	_, err := out.Write(text.Bytes())
	return err
}

var severityNames = map[finding.Severity]string{finding.Error: "**Error**", finding.Warning: "Warning"}

func (d diff) markdown(text *bytes.Buffer) {
	switch {
	case d.NotMade != "":
		fmt.Fprintf(text, "\nIts keys are not shown: %s.\n", code(d.NotMade))
		return
	case len(d.Keys) == 0:
		text.WriteString("\nIt changes nothing of what is live.\n")
		return
	}
	text.WriteString("\n| | Key |\n| --- | --- |\n")
	for _, key := range d.Keys {
		fmt.Fprintf(text, "| %s | %s |\n", key.Type, code(key.Key))
	}
	counts := document.Count(d.Keys)
	fmt.Fprintf(text, "\n%s: %d added, %d modified, %d removed. What is staged has the digest that the change pins; values are not shown.\n",
		wording.Count(len(d.Keys), "key"), counts.Added, counts.Modified, counts.Removed)
}
