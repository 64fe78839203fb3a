package change

import (
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/document"
)

// asApproved goes on only if the version that is to be made live holds what was
// approved, by the policy as it is now: its id is on record before it is written,
// and whoever may write versions in AWS may have been first.
func (d *decider) asApproved() *Action {
	wanted, _, a := d.content(d.Live.Secret.Current())
	if a != nil {
		return a
	}
	id := d.status.Attempt.VersionID
	switch written, known := d.Versions[id]; {
	case !known:
		return &Action{Read: ReadOldValue, ReadVersion: id}
	case written.Missing:
		d.quiet = true
		return &Action{After: max(time.Second, d.sinceStep()/2)} // AWS shows its label, and not yet its value
	case written.Err != nil || len(document.Diff(written.Document, wanted)) > 0:
		d.underAnotherID()
		return &Action{Again: true}
	default:
		return nil
	}
}

// otherValues ends a change whose attempt's version somebody else has made live,
// if it holds other values than were approved: whoever may write versions in AWS may
// have been first here, too. What cannot be compared any more counts as the change's.
func (d *decider) otherValues(version string) *Action {
	a := d.status.Attempt
	// What is moved was compared before. A first version is live as it is written.
	if version != a.VersionID || (a.Moved && a.CurrentVersionID != "") {
		return nil
	}
	wanted, ok, read := d.recalled()
	if read != nil || !ok {
		return read
	}
	written, known := d.Versions[version]
	switch {
	case !known:
		return &Action{Read: ReadOldValue, ReadVersion: version}
	case written.Missing || (written.Err == nil && len(document.Diff(written.Document, wanted)) == 0):
		return nil
	}
	return d.end(v1alpha1.PhaseConflicted, v1alpha1.ReasonOutcomeUnknown,
		"Somebody wrote other values as version %s, which was to be this change's, and made them live: check what is live, "+
			"and propose the change again if it is wanted", version)
}

// recalled works out what the attempt was to write, from what it found. ok is false
// where that cannot be known any more.
func (d *decider) recalled() (wanted document.Document, ok bool, read *Action) {
	base, ok, read := d.recall(d.status.Attempt.CurrentVersionID)
	if read != nil || !ok {
		return nil, false, read
	}
	revert := d.status.Revert
	if revert == nil {
		if d.StagedValue == nil {
			return nil, false, &Action{Read: ReadStagedValue}
		}
		patch, problem := d.stagedPatch()
		if problem != "" || len(patch.Clashes(base)) > 0 {
			return nil, false, nil
		}
		return patch.Apply(base), true, nil
	}
	to, ok, read := d.recall(revert.ToVersionID)
	if read != nil || !ok || revert.FromVersionID == "" {
		return to, ok, read
	}
	from, ok, read := d.recall(revert.FromVersionID)
	if read != nil || !ok {
		return nil, false, read
	}
	wanted, clashes := document.Merge(from, to, base)
	return wanted, len(clashes) == 0, nil
}

// recall returns the document of a version that AWS may have dropped since; empty
// before there was any.
func (d *decider) recall(id string) (doc document.Document, ok bool, read *Action) {
	if id == "" {
		return document.Document{}, true, nil
	}
	value, known := d.Versions[id]
	if !known {
		return nil, false, &Action{Read: ReadOldValue, ReadVersion: id}
	}
	return value.Document, !value.Missing && value.Err == nil, nil
}
