package change

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/audit"
)

// begin records a new attempt to replace the current version, or returns the
// action that must come first.
func (d *decider) begin(current string) *Action {
	// Two that were approved at once must not both begin: the cache may not show yet who goes first.
	if !d.Fresh && !d.Queue.Alone {
		return read(ReadFresh)
	}
	if d.Heads == nil {
		return read(ReadHeads)
	}
	if l := d.unrecorded(); l != nil {
		return d.wait(v1alpha1.ReasonProgressing, fmt.Sprintf("Waiting: version %s is not on record as live yet", l.VersionID), d.soon())
	}
	now := metav1.NewMicroTime(d.Now)
	d.status.Attempt = &v1alpha1.Attempt{
		CurrentVersionID: current, PreviousVersionID: d.Live.Secret.Previous(), SecretARN: d.Live.Secret.ARN, SteppedAt: &now,
	}
	d.commit(d.heads().Commit(d.NewNonce(), d.decision.Approvers))
	d.status.Message = "Being made live"
	d.blocked = note{v1alpha1.ReasonProgressing, d.status.Message}
	return nil
}

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
