package check

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/check/finding"
	cliprinters "github.com/secretreview/secretreview/internal/cli/printers"
	"github.com/secretreview/secretreview/internal/cli/terminal"
)

// jsonReport is a report for a machine.
type jsonReport struct {
	Errors   int               `json:"errors"`
	Warnings int               `json:"warnings"`
	Findings []finding.Finding `json:"findings"`
	Projects int               `json:"projects"`
	Changes  []jsonChange      `json:"changes"`
}

type jsonChange struct {
	File        string `json:"file"`
	Line        int    `json:"line"`
	Namespace   string `json:"namespace"`
	Name        string `json:"name"`
	Project     string `json:"project"`
	Environment string `json:"environment"`
	// DiffNotMade says why there is no diff, if there is none.
	DiffNotMade string               `json:"diffNotMade,omitempty"`
	Diff        []v1alpha1.KeyChange `json:"diff"`
	// LiveVersionID is what the diff was made against.
	LiveVersionID string `json:"liveVersionID,omitempty"`
}

func (r *report) json(out io.Writer) error {
	j := jsonReport{
		Errors: finding.Count(r.findings, finding.Error), Warnings: finding.Count(r.findings, finding.Warning),
		Findings: append([]finding.Finding{}, r.findings...), Projects: r.projects, Changes: []jsonChange{},
	}
	for _, c := range r.changes {
		change := jsonChange{
			File: c.File, Line: c.Line(), Namespace: c.Namespace, Name: c.Name, Project: c.Spec.Project, Environment: c.Spec.Environment,
			DiffNotMade: c.diff.NotMade, LiveVersionID: c.diff.LiveVersionID, Diff: []v1alpha1.KeyChange{},
		}
		for _, key := range c.diff.Keys {
			change.Diff = append(change.Diff, v1alpha1.KeyChange{Key: key.Key, Type: v1alpha1.ChangeType(key.Type)})
		}
		j.Changes = append(j.Changes, change)
	}
	return cliprinters.PrintJSON(out, j)
}

// What a workflow command must not hold as it is (actions/toolkit,
// packages/core/src/command.ts: escapeData and escapeProperty).
var (
	commandData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	commandProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// github writes a workflow command a finding, which a runner shows at its line.
func (r *report) github(out io.Writer) error {
	var text bytes.Buffer
	for _, f := range r.findings {
		properties := []string{"title=sr check"}
		if f.File != "-" {
			properties = append(properties, "file="+commandProperty.Replace(f.File))
			if f.Line > 0 {
				properties = append(properties, fmt.Sprintf("line=%d", f.Line))
			}
		}
		fmt.Fprintf(&text, "::%s %s::%s\n", f.Severity, strings.Join(properties, ","), commandData.Replace(terminal.Escape(sentence(f))))
	}
	fmt.Fprintf(&text, "%s\n", r.summary())
	_, err := (&terminal.Writer{Out: out}).Write(text.Bytes())
	return err
}
