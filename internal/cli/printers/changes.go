package printers

import (
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/terminal"
)

// Changes lays out a list of changes as a table.
type Changes struct {
	Now    time.Time
	Styles terminal.Styles
	// Namespaces and Environments add columns where a list is of several.
	Namespaces, Environments bool
	// Wide adds what seldom fits.
	Wide bool
	// Finished is a list of changes that have ended.
	Finished bool
}

// changeColumn is one column, the list that it belongs to, and its cells.
type changeColumn struct {
	Column
	shown func(Changes) bool
	cell  func(Changes, *v1alpha1.SecretChange) Cell
}

func text(of func(Changes, *v1alpha1.SecretChange) string) func(Changes, *v1alpha1.SecretChange) Cell {
	return func(l Changes, c *v1alpha1.SecretChange) Cell { return Text(of(l, c)) }
}

func always(Changes) bool       { return true }
func unfinished(l Changes) bool { return !l.Finished }
func finished(l Changes) bool   { return l.Finished }
func wide(l Changes) bool       { return l.Wide }

var changeColumns = []changeColumn{
	{Column{Title: "NAMESPACE", Min: 12, Drop: 2}, func(l Changes) bool { return l.Namespaces },
		text(func(_ Changes, c *v1alpha1.SecretChange) string { return c.Namespace })},
	{Column{Title: "NAME", Min: 12, Name: true}, always,
		text(func(_ Changes, c *v1alpha1.SecretChange) string { return c.Name })},
	{Column{Title: "PROJECT/ENV", Min: 14, Drop: 3, End: true}, func(l Changes) bool { return l.Environments },
		text(func(_ Changes, c *v1alpha1.SecretChange) string { return c.Spec.Project + "/" + c.Spec.Environment })},
	{Column{Title: "PHASE"}, always,
		func(l Changes, c *v1alpha1.SecretChange) Cell { return Phase(c.Status.Phase, l.Styles) }},
	{Column{Title: "APPROVALS", Drop: 6}, unfinished,
		text(func(_ Changes, c *v1alpha1.SecretChange) string { return c.Status.Approvals })},
	{Column{Title: "KEYS", Min: 10, Drop: 5}, always,
		text(func(_ Changes, c *v1alpha1.SecretChange) string { return c.Status.Summary })},
	{Column{Title: "BY", Min: 7, Drop: 4, End: true}, always,
		text(func(_ Changes, c *v1alpha1.SecretChange) string { return c.Spec.ProposedBy })},
	{Column{Title: "AGE", Drop: 1}, unfinished,
		text(func(l Changes, c *v1alpha1.SecretChange) string { return Age(c.CreationTimestamp.Time, l.Now) })},
	{Column{Title: "ENDED", Drop: 1}, finished,
		text(func(l Changes, c *v1alpha1.SecretChange) string { return Age(Ended(c), l.Now) })},
	{Column{Title: "EXPIRES", Drop: 7}, unfinished,
		text(func(l Changes, c *v1alpha1.SecretChange) string { return until(c.Status.ExpiresAt, l.Now) })},
	{Column{Title: "APPROVED-BY"}, func(l Changes) bool { return l.Finished && l.Wide },
		text(func(_ Changes, c *v1alpha1.SecretChange) string { return approvers(c) })},
	{Column{Title: "VERSION"}, func(l Changes) bool { return l.Finished && l.Wide },
		text(func(_ Changes, c *v1alpha1.SecretChange) string { return c.Status.AppliedVersionID })},
	{Column{Title: "REASON", Min: 10, Drop: 8}, always,
		text(func(_ Changes, c *v1alpha1.SecretChange) string { return firstLine(c.Spec.Reason) })},
	{Column{Title: "MESSAGE"}, wide,
		text(func(_ Changes, c *v1alpha1.SecretChange) string { return c.Status.Message })},
}

// Table returns the table of the changes, in their order.
func (l Changes) Table(changes []v1alpha1.SecretChange) *Table {
	t := &Table{}
	columns := slices.DeleteFunc(slices.Clone(changeColumns), func(c changeColumn) bool { return !c.shown(l) })
	for _, column := range columns {
		t.Columns = append(t.Columns, column.Column)
	}
	for i := range changes {
		var row []Cell
		for _, column := range columns {
			row = append(row, column.cell(l, &changes[i]))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// Ended returns when a change ended, or, of one that has not, when it was
// created.
func Ended(c *v1alpha1.SecretChange) time.Time {
	if at := c.Status.FinishedAt; at != nil {
		return at.Time
	}
	return c.CreationTimestamp.Time
}

// firstLine returns the first line that says something, as of a commit message.
func firstLine(text string) string {
	first, more, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if strings.TrimSpace(more) != "" {
		first = strings.TrimRight(first, " ") + " …"
	}
	return first
}

func until(at *metav1.Time, now time.Time) string {
	if at == nil {
		return ""
	}
	return Until(at.Time, now)
}

func approvers(c *v1alpha1.SecretChange) string {
	if c.Status.Decision == nil {
		return ""
	}
	return strings.Join(c.Status.Decision.Approvers, ", ")
}
