package sheet

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/printers"
	"github.com/secretreview/secretreview/internal/cli/terminal"
	"github.com/secretreview/secretreview/internal/cli/wording"
	"github.com/secretreview/secretreview/internal/document"
)

// View says how a Sheet is shown.
type View struct {
	// Width is how many columns there are, 0 for no limit.
	Width  int
	Styles terminal.Styles
	Now    time.Time
	// ShowValues shows values, ShowAll the keys that stay as they are as well.
	ShowValues, ShowAll bool
}

// Print writes the sheet for a person.
func (s *Sheet) Print(w io.Writer, v View) error {
	if err := printers.PrintFields(w, v.Width, v.Styles, s.fields(v)); err != nil {
		return err
	}
	return s.printDiff(w, v)
}

func (s *Sheet) fields(v View) []printers.Field {
	change := s.Change
	phase := printers.Phase(change.Status.Phase, v.Styles)
	fields := []printers.Field{
		{Label: "Change", Text: change.Name, Style: v.Styles.Bold},
		{Label: "For", Text: fmt.Sprintf("%s/%s in namespace %s", change.Spec.Project, change.Spec.Environment, change.Namespace)},
		{Label: "Phase", Text: phase.Text, Style: phase.Style},
		{Label: "Status", Text: change.Status.Message},
		{Label: "Proposed", Text: fmt.Sprintf("by %s, %s", terminal.Escape(change.Spec.ProposedBy), printers.Moment(change.CreationTimestamp.Time, v.Now))},
		{Label: "Reason", Text: change.Spec.Reason},
		{Label: "Source", Text: source(change)},
		{Label: "Expires", Text: expires(change, v.Now)},
		{Label: "Rebase", Text: s.rebase(v.Now)},
		{Label: "Approvals", Text: change.Status.Approvals},
	}
	for _, review := range change.Spec.Reviews {
		fields = append(fields, printers.Field{Label: string(review.Verdict), Text: reviewText(change, review)})
	}
	for _, warning := range s.Warnings {
		fields = append(fields, printers.Field{Label: "Beware", Text: warning, Style: v.Styles.Warning})
	}
	return slices.DeleteFunc(fields, func(f printers.Field) bool { return f.Text == "" })
}

func source(change *v1alpha1.SecretChange) string {
	switch spec := change.Spec; {
	case spec.Rollback != nil:
		return "undoes change " + spec.Rollback.Change
	case spec.Restore != nil:
		return "goes back to " + cmp.Or(spec.Restore.Change, "version "+string(spec.Restore.VersionID))
	case spec.Staged != nil && spec.Staged.RebaseOf != "":
		return "by its proposer's word, a rebase of change " + spec.Staged.RebaseOf
	default:
		return ""
	}
}

// rebase tells how a change goes on that ended because others were faster.
func (s *Sheet) rebase(now time.Time) string {
	var parts []string
	if len(s.Successors) > 0 {
		parts = append(parts, "proposed as "+strings.Join(s.Successors, ", "))
	}
	if kept := s.Change.KeptUntil(); now.Before(kept) {
		parts = append(parts, "possible until it would have expired, "+printers.Moment(kept, now))
	}
	return strings.Join(parts, "; ")
}

func expires(change *v1alpha1.SecretChange, now time.Time) string {
	if at := change.Status.ExpiresAt; at != nil && !change.Status.Phase.Finished() {
		return printers.Moment(at.Time, now)
	}
	return ""
}

func reviewText(change *v1alpha1.SecretChange, review v1alpha1.Review) string {
	text := "by " + terminal.Escape(review.Reviewer)
	seen := change.Status.ObservedGeneration >= change.Generation && change.Status.Decision != nil
	if seen && review.Verdict == v1alpha1.VerdictApproved && !slices.Contains(change.Status.Decision.Approvers, review.Reviewer) {
		text += ", which does not count"
	}
	if review.Comment != "" {
		text += ": " + review.Comment
	}
	return text
}

// stateNotes say why no values are shown, in sentences.
var stateNotes = map[State]string{
	NoValues: "It stages no values.",
	Gone:     "Its values are deleted, because it has ended.",
	NotRead:  "The values were not read.",
}

func (s *Sheet) printDiff(w io.Writer, v View) error {
	var text strings.Builder
	text.WriteString("\n")
	for _, line := range printers.Prose(s.counts(), v.Width) {
		text.WriteString(line + "\n")
	}
	if note := s.note(v); note != "" {
		style := v.Styles.Dim
		if s.Problem != nil {
			style = v.Styles.Bad
		}
		for _, line := range printers.Prose(note, v.Width) {
			text.WriteString(style(line) + "\n")
		}
	}
	if len(s.Entries) > 0 {
		text.WriteString("\n")
	}
	if _, err := io.WriteString(w, text.String()); err != nil {
		return fmt.Errorf("write the change: %w", err)
	}
	show := v.ShowValues && s.State == Read
	if err := (&printers.Diff{Entries: s.Entries, ShowValues: show}).Print(w, v.Width, v.Styles); err != nil {
		return err
	}
	if !v.ShowAll || len(s.Unchanged) == 0 {
		return nil
	}
	if _, err := fmt.Fprintf(w, "\n%s as before\n\n", wording.Count(len(s.Unchanged), "key")); err != nil {
		return fmt.Errorf("write the change: %w", err)
	}
	return (&printers.Diff{Entries: s.Unchanged, ShowValues: show}).Print(w, v.Width, v.Styles)
}

func (s *Sheet) counts() string {
	var changes []document.KeyChange
	for _, e := range s.Entries {
		changes = append(changes, document.KeyChange{Key: e.Key, Type: e.Type})
	}
	c := document.Count(changes)
	switch {
	case s.Change.Status.DiffCounts == nil && s.State != Read:
		return "The controller has not worked out yet which keys it changes."
	case c.Total() == 0:
		return "It changes no keys."
	default:
		return fmt.Sprintf("It changes %s: %d added, %d modified, %d removed.", wording.Count(c.Total(), "key"), c.Added, c.Modified, c.Removed)
	}
}

func (s *Sheet) note(v View) string {
	switch {
	case s.State == Wrong:
		return "REFUSED: " + s.Problem.Error() + "."
	case s.State == Unreadable:
		return "The values cannot be read: " + s.Problem.Error() + "."
	case s.State == Read && !v.ShowValues:
		return "The values are hidden, because the output is not a terminal: --reveal shows them."
	default:
		return stateNotes[s.State]
	}
}
