package change

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/audit"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// retry is how soon something is looked at again that nothing tells us about.
const retry = 10 * time.Second

// soon is a wait for something in AWS that somebody may mend at any moment.
func (d *decider) soon() time.Duration {
	if d.status.ExpiresAt == nil {
		return retry
	}
	return min(retry, d.untilExpiry())
}

func (d *decider) label() string { return naming.VersionLabel(string(d.Change.UID)) }

func (d *decider) moveLabel(label, from, to string) Effect {
	return Effect{Kind: MoveLabel, ARN: d.Live.Secret.ARN, Move: secretstore.MoveLabelInput{
		ID: d.Live.Secret.ARN, Label: label, From: from, To: to,
	}}
}

// apply makes an approved change live.
func (d *decider) apply() *Action {
	if d.Live == nil {
		return read(ReadLive)
	}
	if problem, ok := d.usable(); !ok {
		return d.wait(problem.reason, problem.message, d.soon())
	}
	if version := d.madeLive(); version != "" {
		return d.applied(version)
	}
	if d.spec.Restore != nil && d.status.Revert == nil {
		return d.adopt()
	}
	if foreign := d.foreign(); foreign != nil {
		return d.wait(v1alpha1.ReasonForeignVersion, fmt.Sprintf(
			"Waiting: version %s was written for change %s, which this cluster does not know; restore the live version to adopt it",
			foreign.VersionID, quote(foreign.ChangeUID)), d.untilExpiry())
	}
	if a := d.status.Attempt; a == nil || len(d.Live.Secret.Versions[a.VersionID]) == 0 || !d.untouched() {
		return d.write()
	}
	if a := d.asApproved(); a != nil {
		return a
	}
	if !d.Fresh {
		return read(ReadFresh)
	}
	now := metav1.NewMicroTime(d.Now)
	// What is tried again goes on telling what hindered it.
	d.quiet = d.status.Attempt.Moved
	d.status.Attempt.SteppedAt, d.status.Attempt.Moved, d.status.Attempt.Refused = &now, true, false
	return d.final(d.moveLabel(secretstore.LabelCurrent, d.status.Attempt.CurrentVersionID, d.status.Attempt.VersionID))
}

// final does what makes the change live, once all that allows it has been read
// past every cache.
func (d *decider) final(effect Effect) *Action {
	if !d.Fresh {
		return read(ReadFresh)
	}
	if !d.quiet {
		d.status.Message = "Being made live"
		d.blocked = note{v1alpha1.ReasonProgressing, d.status.Message}
	}
	return &Action{Effect: effect, StatusFirst: true, Again: true}
}

// write puts the new version, not yet live, after recording the attempt.
func (d *decider) write() *Action {
	current := d.Live.Secret.Current()
	wanted, value, a := d.content(current)
	if a != nil {
		return a
	}
	if trim, problem := d.trim(); problem != "" {
		return d.wait(v1alpha1.ReasonSecretUnusable, problem, d.soon())
	} else if trim != nil {
		return &Action{Effect: *trim, Again: true}
	}
	if keep := d.keep(); keep != nil {
		// AWS may not show it at once.
		return &Action{Effect: *keep, After: time.Second}
	}
	first := d.status.Attempt == nil || !d.untouched()
	if !first && d.status.Attempt.SteppedAt != nil && d.settled(d.status.Attempt.SteppedAt.Time) {
		// The version is there without its label, or never will be.
		last := d.status.Attempt.SteppedAt.Add(d.ConsistencyGrace)
		if !d.settled(last) {
			return d.settle(last)
		}
		d.status.Attempt, first = nil, true
	}
	if first {
		if a := d.begin(current); a != nil {
			return a
		}
	}
	d.status.Attempt.Keys = int32(len(wanted)) //nolint:gosec // bounded by a document's size
	put := Effect{Kind: Put, ARN: d.Live.Secret.ARN, Put: secretstore.PutInput{
		ID: d.Live.Secret.ARN, VersionID: d.status.Attempt.VersionID, Value: value, Labels: []string{d.label()},
	}}
	switch {
	case current != "" && first:
		return &Action{Effect: put, StatusFirst: true, Again: true}
	case current != "":
		// AWS may not show it at once, and never if its label was taken off.
		return &Action{Effect: put, StatusFirst: true, After: max(time.Second, d.sinceStep()/2)}
	case first:
		return &Action{Again: true}
	default:
		// A secret's first version is live as soon as it is written.
		now := metav1.NewMicroTime(d.Now)
		d.status.Attempt.Moved, d.status.Attempt.SteppedAt = true, &now
		return d.final(put)
	}
}

// content works out what is to be live, and its bytes, or the action that must
// come first or instead.
func (d *decider) content(current string) (document.Document, sensitive.Value, *Action) {
	var none sensitive.Value
	if a := d.onAnotherBase(current); a != nil {
		return nil, none, a
	}
	live, a := d.liveDocument(current)
	if a != nil {
		return nil, none, a
	}
	wanted, a := d.wanted(live)
	if a != nil {
		return nil, none, a
	}
	value, err := wanted.Encode()
	if err != nil {
		return nil, none, d.endUnapplied(v1alpha1.PhaseConflicted, v1alpha1.ReasonConflicted, "With what is live now, %s", err)
	}
	return wanted, value, nil
}

// onAnotherBase ends a Strict change whose base is no longer live, or waits where
// that may be old news. Where nothing at all is live, but the proposer saw
// something, the first put would make any change live.
func (d *decider) onAnotherBase(current string) *Action {
	if current == d.status.BaseVersionID || (!d.strict() && current != "") {
		return nil
	}
	if !d.certain(current) {
		return d.baseNotShown()
	}
	if d.strict() {
		return d.endUnapplied(v1alpha1.PhaseConflicted, v1alpha1.ReasonConflicted, "%s", d.movedMessage(current))
	}
	return nil
}

// wanted works out the new document from what is live, or the action that must
// come first or instead.
func (d *decider) wanted(live document.Document) (document.Document, *Action) {
	if d.status.Revert != nil {
		return d.reverted(*d.status.Revert, live)
	}
	if d.StagedValue == nil {
		return nil, read(ReadStagedValue)
	}
	patch, problem := d.stagedPatch()
	if problem != "" {
		return nil, d.endUnapplied(v1alpha1.PhaseInvalid, v1alpha1.ReasonInvalid, "Propose the change again: %s", problem)
	}
	if clashes := patch.Clashes(live); len(clashes) > 0 {
		if current := d.Live.Secret.Current(); current != d.status.BaseVersionID && !d.certain(current) {
			return nil, d.baseNotShown()
		}
		return nil, d.clash(clashes)
	}
	return patch.Apply(live), nil
}

// RetryPut is the action where AWS has other content under the attempt's
// VersionId: the attempt goes on under an id of its own. It is not forgotten, for
// AWS may not show yet what it has put.
func RetryPut(settings Settings, facts Facts) Action {
	d := newDecider(settings, facts)
	d.underAnotherID()
	return d.complete(Action{Again: true})
}

// underAnotherID has the attempt go on under another VersionId than the one that
// somebody else has used.
func (d *decider) underAnotherID() {
	d.quiet = true
	taken, again := d.status.Attempt.VersionID, d.status.Attempt.Commitment
	if again == nil { // begun by a release that knew none
		again = audit.Heads{}.Commit("", nil)
	}
	again.Nonce = d.NewNonce()
	d.commit(again)
	d.events = append(d.events, Event{Warning: true, Reason: v1alpha1.ReasonForeignVersion, Message: fmt.Sprintf(
		"Somebody else wrote other values as version %s, which was to be this change's; it goes on as version %s", taken, d.status.Attempt.VersionID)})
}

// MoveRefused is the action where the version has certainly not been made live, and
// the status says why: AWS has refused it, because the label was no longer where the
// attempt had found it, or it was not even asked.
func MoveRefused(settings Settings, facts Facts, reason, message string) Action {
	d := newDecider(settings, facts)
	d.status.Attempt.Refused = true
	d.wait(reason, message, 0)
	return d.complete(Action{Again: true})
}

// liveDocument returns the document of a version of the live secret, of the
// live one if version is empty; or the action that must come first.
func (d *decider) liveDocument(version string) (document.Document, *Action) {
	if d.LiveValue == nil || (version != "" && d.LiveValue.VersionID != version) {
		return nil, &Action{Read: ReadLiveValue, ReadVersion: version}
	}
	if d.LiveValue.Missing {
		return d.emptyDocument(version)
	}
	if d.LiveValue.Err != nil {
		return nil, d.wait(v1alpha1.ReasonSecretUnusable,
			fmt.Sprintf("Waiting: the live value cannot be used, mend it by hand: %s", d.LiveValue.Err), d.soon())
	}
	return d.LiveValue.Document, nil
}

// emptyDocument tells a secret that has no version yet from one that is gone.
func (d *decider) emptyDocument(version string) (document.Document, *Action) {
	if d.Live == nil {
		return nil, read(ReadLive)
	}
	if problem, ok := d.usable(); !ok {
		return nil, d.wait(problem.reason, problem.message, d.soon())
	}
	if d.Live.Secret.Current() != version || version != "" {
		return nil, d.wait(v1alpha1.ReasonProgressing, "Waiting: AWS does not show the live version yet", d.soon())
	}
	return document.Document{}, nil
}
