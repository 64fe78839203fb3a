package status

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/printers"
	"github.com/secretreview/secretreview/internal/cli/selector"
	"github.com/secretreview/secretreview/internal/cli/terminal"
	"github.com/secretreview/secretreview/internal/cli/wording"
	"github.com/secretreview/secretreview/internal/policy"
)

// summary shows the environments of a listing: one in full, several as a table.
func summary(f *factory.Factory, styles terminal.Styles, l *selector.Listing) error {
	var targets []*factory.Target
	for _, environment := range l.Environments {
		targets = append(targets, &factory.Target{
			Namespace: l.Namespace, Project: l.Project, Environment: environment,
			Status: l.Project.Status.Environment(environment.Name),
		})
	}
	now := f.Clock.Now()
	var err error
	if len(targets) == 1 {
		err = printers.PrintFields(f.Out, f.Terminal.Width, styles, fields(targets[0], now, styles))
	} else {
		err = environments(targets, now, styles).Print(f.Out, f.Terminal.Width, styles)
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(f.Out, "\n")
	return err
}

func fields(t *factory.Target, now time.Time, styles terminal.Styles) []printers.Field {
	all := []printers.Field{
		{Label: "Environment", Text: fmt.Sprintf("%s/%s in namespace %s", t.Project.Name, t.Environment.Name, t.Namespace), Style: styles.Bold},
		{Label: "Policy", Text: policyText(t)},
	}
	if t.Status != nil {
		all = append(all,
			printers.Field{Label: "Live", Text: liveText(t.Status)},
			printers.Field{Label: "Last change", Text: lastText(t.Status, now)},
			printers.Field{Label: "Replicas", Text: replicas(t.Status)},
		)
	}
	if problem := problem(t); problem != "" {
		all = append(all, printers.Field{Label: "Problem", Text: problem, Style: styles.Bad})
	}
	for _, warning := range t.Warnings() {
		all = append(all, printers.Field{Label: "Beware", Text: warning, Style: styles.Warning})
	}
	return slices.DeleteFunc(all, func(f printers.Field) bool { return f.Text == "" })
}

func policyText(t *factory.Target) string {
	p, _ := policy.For(t.Project, t.Environment.Name)
	text := fmt.Sprintf("%s, conflicts %s, changes expire after %s",
		wording.Count(p.RequiredApprovals, "approval"), p.ConflictPolicy, duration.HumanDuration(p.ChangeTTL))
	if !p.PreventSelfApproval {
		text += ", proposers may approve their own"
	}
	if p.RollbackRequiresReview {
		text += ", going back is reviewed, too"
	}
	return text
}

func liveText(s *v1alpha1.EnvironmentStatus) string {
	if s.LiveVersionID == "" {
		return "no version yet"
	}
	return fmt.Sprintf("version %s, %s", s.LiveVersionID, wording.Count(int(s.Keys), "key"))
}

func lastText(s *v1alpha1.EnvironmentStatus, now time.Time) string {
	if s.LastAppliedChange == "" {
		return "none yet"
	}
	text := s.LastAppliedChange
	if at := s.LastAppliedTime; at != nil {
		text += ", " + printers.Moment(at.Time, now)
	}
	return text
}

func replicas(s *v1alpha1.EnvironmentStatus) string {
	var all []string
	for _, r := range s.Replication {
		text := r.Region + " " + r.Status
		if r.Message != "" {
			text += " (" + r.Message + ")"
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

func problem(t *factory.Target) string {
	switch {
	case t.Status == nil:
		return "the controller has not looked at it yet"
	case t.Status.Problem != nil:
		return fmt.Sprintf("%s: %s", t.Status.Problem.Reason, t.Status.Problem.Message)
	default:
		return ""
	}
}

// environments is the table of several environments.
func environments(targets []*factory.Target, now time.Time, styles terminal.Styles) *printers.Table {
	table := &printers.Table{Columns: []printers.Column{
		{Title: "ENVIRONMENT", Min: 10, Name: true},
		{Title: "STATE"},
		{Title: "KEYS", Drop: 2},
		{Title: "APPROVALS", Drop: 3},
		{Title: "LAST CHANGE", Min: 12, Drop: 4},
		{Title: "AGE", Drop: 1},
		{Title: "LIVE VERSION", Min: 8, Drop: 5},
	}}
	for _, t := range targets {
		p, _ := policy.For(t.Project, t.Environment.Name)
		row := []printers.Cell{printers.Text(t.Environment.Name), state(t, styles), {}, printers.Text(fmt.Sprint(p.RequiredApprovals)), {}, {}, {}}
		if s := t.Status; s != nil {
			row[2] = printers.Text(fmt.Sprint(s.Keys))
			row[4] = printers.Text(s.LastAppliedChange)
			if s.LastAppliedTime != nil {
				row[5] = printers.Text(printers.Age(s.LastAppliedTime.Time, now))
			}
			row[6] = printers.Text(s.LiveVersionID)
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

// state is what most needs somebody's attention.
func state(t *factory.Target, styles terminal.Styles) printers.Cell {
	p, _ := policy.For(t.Project, t.Environment.Name)
	switch {
	case t.Status == nil:
		return printers.Cell{Text: "Unknown", Style: styles.Dim}
	case t.Status.Problem != nil:
		return printers.Cell{Text: t.Status.Problem.Reason, Style: styles.Bad}
	case t.Status.Drift != nil:
		return printers.Cell{Text: "Drifted", Style: styles.Warning}
	case p.Suspended:
		return printers.Cell{Text: "Suspended", Style: styles.Warning}
	default:
		return printers.Cell{Text: "InSync", Style: styles.Good}
	}
}
