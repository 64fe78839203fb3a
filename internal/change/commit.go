package change

import (
	"slices"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/audit"
)

// commit gives the attempt its VersionId, by which AWS bears witness to what is
// written, who approved it and what came before.
func (d *decider) commit(to *v1alpha1.Commitment) {
	d.status.Attempt.Commitment = to
	d.status.Attempt.VersionID = audit.VersionID(d.Change.UID, d.Change, d.status.Attempt, d.status.Revert)
}

// heads are the newest records. Those of what became live come from AWS's labels
// as well: a change that another manager has just finished may be news to the
// cache in which the heads were looked up.
func (d *decider) heads() audit.Heads {
	heads := *d.Heads
	for _, l := range d.Live.Labels {
		if l.ChangeUID != string(d.Change.UID) {
			heads.Live = audit.Newer(heads.Live, l.Record)
		}
	}
	return heads
}

// unrecorded returns a label on a version that is or was live, of another change
// which does not say so yet: its record comes before ours. Or it returns nil.
func (d *decider) unrecorded() *Label {
	live := []string{d.Live.Secret.Current(), d.Live.Secret.Previous()}
	for i := range d.Live.Labels {
		l := &d.Live.Labels[i]
		if l.Applying && l.ChangeUID != string(d.Change.UID) && slices.Contains(live, l.VersionID) {
			return l
		}
	}
	return nil
}
