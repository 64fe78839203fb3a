package sheet

import (
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/printers"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// JSON is a Sheet for a machine. Values are in it only where they are shown.
type JSON struct {
	Change      string         `json:"change"`
	Namespace   string         `json:"namespace"`
	UID         string         `json:"uid"`
	Project     string         `json:"project"`
	Environment string         `json:"environment"`
	Phase       v1alpha1.Phase `json:"phase"`
	Message     string         `json:"message,omitempty"`
	ProposedBy  string         `json:"proposedBy"`
	Reason      string         `json:"reason"`
	// Source says what a rollback or restore goes back by.
	Source    string            `json:"source,omitempty"`
	CreatedAt time.Time         `json:"createdAt"`
	ExpiresAt *time.Time        `json:"expiresAt,omitempty"`
	Approvals string            `json:"approvals,omitempty"`
	Reviews   []v1alpha1.Review `json:"reviews"`
	Warnings  []string          `json:"warnings"`
	// Values is the Sheet's State, ValuesShown whether old and new are given.
	Values        State       `json:"values"`
	ValuesShown   bool        `json:"valuesShown"`
	Problem       string      `json:"problem,omitempty"`
	LiveVersionID string      `json:"liveVersionID,omitempty"`
	Diff          []JSONEntry `json:"diff"`
	Unchanged     []JSONEntry `json:"unchanged,omitempty"`
}

// JSONEntry is one key.
type JSONEntry struct {
	Key string `json:"key"`
	// Type is Added, Modified or Removed, and left out of an unchanged key.
	Type string `json:"type,omitempty"`
	// Old and New are left out where there is none, or where it is not shown.
	Old *string `json:"old,omitempty"`
	New *string `json:"new,omitempty"`
}

// JSON returns the sheet for a machine.
func (s *Sheet) JSON(v View) JSON {
	change := s.Change
	show := v.ShowValues && s.State == Read
	out := JSON{
		Change: change.Name, Namespace: change.Namespace, UID: string(change.UID),
		Project: change.Spec.Project, Environment: change.Spec.Environment,
		Phase: change.Status.Phase, Message: change.Status.Message,
		ProposedBy: change.Spec.ProposedBy, Reason: change.Spec.Reason, Source: source(change), CreatedAt: change.CreationTimestamp.UTC(),
		Approvals: change.Status.Approvals, Reviews: append([]v1alpha1.Review{}, change.Spec.Reviews...),
		Warnings: append([]string{}, s.Warnings...),
		Values:   s.State, ValuesShown: show, LiveVersionID: s.live.ID, Diff: jsonEntries(s.Entries, show),
	}
	if at := change.Status.ExpiresAt; at != nil {
		utc := at.UTC()
		out.ExpiresAt = &utc
	}
	if s.Problem != nil {
		out.Problem = s.Problem.Error()
	}
	if v.ShowAll {
		out.Unchanged = jsonEntries(s.Unchanged, show)
	}
	return out
}

func jsonEntries(entries []printers.Entry, show bool) []JSONEntry {
	out := make([]JSONEntry, 0, len(entries))
	for _, e := range entries {
		entry := JSONEntry{Key: e.Key, Type: string(e.Type)}
		if show {
			entry.Old, entry.New = revealed(e.Old), revealed(e.New)
		}
		out = append(out, entry)
	}
	return out
}

func revealed(v *sensitive.Value) *string {
	if v == nil {
		return nil
	}
	text := v.Reveal()
	return &text
}
