package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/check/finding"
	"github.com/secretreview/secretreview/internal/cli/check/rules"
	"github.com/secretreview/secretreview/internal/cli/check/source"
	"github.com/secretreview/secretreview/internal/cli/terminal"
	"github.com/secretreview/secretreview/internal/cli/wording"
	"github.com/secretreview/secretreview/internal/dotenv"
)

// report is what a check has found.
type report struct {
	findings []finding.Finding
	changes  []checked
	projects int
	// color and width are the terminal's.
	styles terminal.Styles
	width  int
}

type checked struct {
	*rules.Change
	diff diff
}

func (r *report) failed(strict bool) bool {
	return finding.Count(r.findings, finding.Error) > 0 || strict && len(r.findings) > 0
}

// summary is a sentence without its full stop.
func (r *report) summary() string {
	return fmt.Sprintf("Checked %s and %s: %s, %s", wording.Count(len(r.changes), "change"), wording.Count(r.projects, "project"),
		wording.Count(finding.Count(r.findings, finding.Error), "error"), wording.Count(finding.Count(r.findings, finding.Warning), "warning"))
}

// check looks at all files.
func (o *Options) check(ctx context.Context, args []string) (*report, error) {
	expected := o.Expected
	expected.Namespace = *o.Factory.KubeFlags.Namespace
	set, err := rules.NewSet(expected)
	if err != nil {
		return nil, err
	}
	err = source.Walk(ctx, o.Factory, args, func(file source.File) {
		set.Findings = append(set.Findings, look(ctx, set, file)...)
	})
	if err != nil {
		return nil, err
	}
	set.Finish()
	r := &report{projects: set.Projects(), styles: terminal.NewStyles(o.Factory.Terminal.Color), width: o.Factory.Terminal.Width}
	reader := &reader{options: o, set: set, gaveUp: map[string]string{}}
	for _, c := range set.Changes() {
		made, err := reader.diff(ctx, c)
		if err != nil {
			return nil, err
		}
		r.changes = append(r.changes, checked{c, made})
	}
	r.findings = finding.Sort(set.Findings)
	return r, nil
}

// look adds a file's objects to the set, and returns what is wrong with the
// file itself.
func look(ctx context.Context, set *rules.Set, file source.File) []finding.Finding {
	whole := func(severity finding.Severity, kind finding.Kind, line int, message string) []finding.Finding {
		return []finding.Finding{{File: file.Name, Line: line, Severity: severity, Kind: kind, Message: message}}
	}
	switch {
	case file.Link:
		return whole(finding.Warning, finding.Link, 0, "a symbolic link that leads out of the directory, or nowhere, is not followed")
	case dotenv.IsHeader(file.FirstLine()):
		return whole(finding.Error, finding.Dotenv, 1,
			"it holds values that \"pull\" has written: take it out, add it to .gitignore, and replace the values, which Git keeps")
	case !file.Manifest:
		return nil
	case file.TooLarge():
		return whole(finding.Error, finding.TooLarge, 0, fmt.Sprintf("it is larger than %d MiB and was not looked at: split it, or name the manifests alone", source.MaxBytes>>20))
	}
	objects, err := source.Parse(file.Content)
	ours := false
	for _, object := range objects {
		ours = set.Add(ctx, file.Name, object) || ours
	}
	if ours {
		set.Comments(file.Name, file.Content)
	}
	var broken *source.BrokenError
	// Others have files that are no YAML yet, such as a chart's templates.
	if errors.As(err, &broken) && bytes.Contains(file.Content, []byte(v1alpha1.GroupName)) && file.Certain {
		return whole(finding.Error, finding.Malformed, broken.Line, broken.Why)
	}
	return nil
}
