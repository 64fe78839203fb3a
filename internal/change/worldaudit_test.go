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
	var named *v1alpha1.SecretChange
	for _, o := range w.changes {
		if string(o.UID) == uid {
			named = o
		}
	}
	return change.LabelOf(version, uid, named, nil)
}
