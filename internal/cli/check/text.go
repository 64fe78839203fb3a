package check

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/secretreview/secretreview/internal/cli/check/finding"
	cliprinters "github.com/secretreview/secretreview/internal/cli/printers"
	"github.com/secretreview/secretreview/internal/cli/terminal"
	"github.com/secretreview/secretreview/internal/document"
)

// text is for people: findings as compilers write them, and the keys of each
// change.
func (r *report) text(out io.Writer) error {
	var text bytes.Buffer
	for _, f := range r.findings {
		mark := r.styles.Bad
		if f.Severity == finding.Warning {
			mark = r.styles.Warning
		}
		fmt.Fprintf(&text, "%s: %s: %s\n", position(f), mark(string(f.Severity)), terminal.Escape(sentence(f)))
	}
	for _, c := range r.changes {
		fmt.Fprintf(&text, "%s/%s in %s:%d\n  for %s/%s%s\n", c.Namespace, c.Name, terminal.Escape(c.File), c.Line(),
			c.Spec.Project, c.Spec.Environment, proposer(c, terminal.Escape))
		if reason := c.diff.NotMade; reason != "" {
			fmt.Fprintf(&text, "  Its keys are not shown: %s\n", terminal.Escape(reason))
			continue
		}
		if len(c.diff.Keys) == 0 {
			text.WriteString("  It changes nothing of what is live\n")
		}
		diff := cliprinters.Diff{Entries: entries(c.diff.Keys)}
		if err := diff.Print(&text, r.width, r.styles); err != nil {
			return err
		}
	}
	fmt.Fprintf(&text, "%s\n", r.summary())
	_, err := out.Write(text.Bytes())
	return err
}

func entries(keys []document.KeyChange) []cliprinters.Entry {
	all := make([]cliprinters.Entry, 0, len(keys))
	for _, c := range keys {
		all = append(all, cliprinters.Entry{Key: c.Key, Type: c.Type})
	}
	return all
}

// position is where a finding is, as file:line.
func position(f finding.Finding) string {
	at := terminal.Escape(f.File)
	if f.Line > 0 {
		at += fmt.Sprintf(":%d", f.Line)
	}
	return at
}

// sentence is a finding without its place and severity.
func sentence(f finding.Finding) string {
	words := []string{}
	if f.Field != "" {
		words = append(words, f.Field+":")
	}
	return strings.Join(append(words, f.Message, "["+string(f.Kind)+"]"), " ")
}

// proposer names who proposed a change, unless that may be a value.
func proposer(c checked, escape func(string) string) string {
	if c.Suspicious {
		return ""
	}
	return ", proposed by " + escape(c.Spec.ProposedBy)
}
