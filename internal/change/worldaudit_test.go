package change_test

import (
	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/audit"
	"github.com/secretreview/secretreview/internal/change"
)

// heads are the newest records of all changes.
func (w *world) heads() audit.Heads {
	var heads audit.Heads
	for _, c := range w.changes {
		heads = heads.With(c)
	}
	return heads
}

// record stores a status, and seals a change that ends with it.
func (w *world) record(c *v1alpha1.SecretChange, status v1alpha1.SecretChangeStatus) {
	ends := !c.Status.Phase.Finished() && status.Phase.Finished()
	c.Status = status
	if ends {
		c.Status.Audit = w.heads().Seal(c)
	}
}

// verify walks the audit chains.
func (w *world) verify() audit.Report {
	history := audit.History{Secret: w.describe().Versions}
	for _, c := range w.changes {
		history.Changes = append(history.Changes, *c)
	}
	return audit.Verify(history)
}

// label looks up the change that a label names.
func (w *world) label(version, uid string) change.Label {
	l := change.Label{VersionID: version, ChangeUID: uid}
	for _, o := range w.changes {
		if string(o.UID) != uid {
			continue
		}
		l.Known, l.Unfinished, l.Applying = true, !o.Status.Phase.Finished(), o.Status.Phase == v1alpha1.PhaseApproved
		l.Record = audit.Heads{}.With(o).Live
		if o.Status.AppliedAt != nil {
			l.AppliedAt = o.Status.AppliedAt.Time
		}
		if o.Status.DecidedAt != nil {
			l.DecidedAt = o.Status.DecidedAt.Time
		}
	}
	return l
}
