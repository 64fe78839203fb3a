package change

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/audit"
	"github.com/secretreview/secretreview/internal/policy"
)

// attempted works out what came of an attempt on record, before anything else
// may end the change: what is live is live.
func (d *decider) attempted() *Action {
	if d.status.Attempt == nil {
		return nil
	}
	if d.Live == nil {
		return read(ReadLive)
	}
	if d.Live.Missing {
		return d.attemptLost()
	}
	if version := d.madeLive(); version != "" {
		if a := d.otherValues(version); a != nil {
			return a
		}
		return d.applied(version)
	}
	a, untouched := d.status.Attempt, d.untouched()
	// A clock that was ahead has since gone back: from now on it counts anew.
	if a.SteppedAt != nil && a.SteppedAt.Sub(d.Now) > d.ConsistencyGrace {
		now := metav1.NewMicroTime(d.Now)
		a.SteppedAt = &now
	}
	if untouched && !a.Moved {
		return nil
	}
	// Both a move that is not shown and somebody else's may be older news.
	if a.SteppedAt != nil && !d.settled(a.SteppedAt.Time) && !d.overtaken() {
		return d.settle(a.SteppedAt.Time)
	}
	// What came in between is judged like any edit where ours was never live.
	if untouched || !a.Moved || a.Refused {
		return nil
	}
	return d.endUnapplied(v1alpha1.PhaseConflicted, v1alpha1.ReasonOutcomeUnknown,
		"Somebody moved the live secret while the change was being made live, so whether it was for a moment cannot be known: "+
			"version %s is live now; check it, and propose the change again if it is wanted", orNone(d.Live.Secret.Current()))
}

// overtaken reports whether another change of ours became live since the attempt
// began, and before it was to: two that are approved at once may both begin. What
// is live now cannot be older then than what the attempt had found.
func (d *decider) overtaken() bool {
	a, current := d.status.Attempt, d.Live.Secret.Current()
	return !a.Moved && slices.ContainsFunc(d.Live.Labels, func(l Label) bool {
		return l.VersionID == current && l.ChangeUID != string(d.Change.UID) && l.AppliedAt.After(a.SteppedAt.Time)
	})
}

// untouched reports whether both labels are where the attempt found them.
func (d *decider) untouched() bool {
	a, secret := d.status.Attempt, d.Live.Secret
	return secret.Current() == a.CurrentVersionID && secret.Previous() == a.PreviousVersionID
}

// attemptLost: the secret of the attempt is gone, for good, since AWS gives no ARN out twice. Waiting for it would hold
// the changes that come later. One of the same name may be there by now.
func (d *decider) attemptLost() *Action {
	a := d.status.Attempt
	if a.SteppedAt != nil && !d.settled(a.SteppedAt.Time) {
		return d.settle(a.SteppedAt.Time)
	}
	if a.Moved && !a.Refused {
		return d.end(v1alpha1.PhaseConflicted, v1alpha1.ReasonOutcomeUnknown,
			"The live secret disappeared while the change was being made live, so what came of it cannot be known: "+
				"propose the change again if it is wanted")
	}
	d.status.Attempt = nil // ours was never live
	return &Action{Again: true}
}

// Deadline returns by when the effect of an attempt must have taken place, or not take place at all: afterwards what AWS
// shows is believed, and the change may end by that. A process may stand still for any time between its decision and its
// call, and another one may lead by then. The same goes for a label that is moved by what the API server itself has told.
// It is zero for an effect that is safe at any time.
func (s Settings) Deadline(facts Facts, e Effect) time.Time {
	// An answer may be older than what it is asked about by the rest.
	holds := max(s.ConsistencyGrace/2, shortestGrace)
	if s.DecisionHolds > 0 {
		holds = min(holds, s.DecisionHolds)
	}
	switch attempt := facts.Change.Status.Attempt; {
	case e.Kind == MoveLabel && !e.MakesLive() && facts.Fresh:
		return facts.Now.Add(holds)
	case attempt == nil || attempt.SteppedAt == nil || (e.Kind != Put && !e.MakesLive()):
		return time.Time{}
	case attempt.Moved:
		return attempt.SteppedAt.Add(holds)
	default:
		return attempt.SteppedAt.Add(max(s.ConsistencyGrace, shortestGrace))
	}
}

// sinceStep is how long ago the last step of the attempt was taken; 0 if that is
// not on record.
func (d *decider) sinceStep() time.Duration {
	if at := d.status.Attempt.SteppedAt; at != nil {
		return d.Now.Sub(at.Time)
	}
	return 0
}

// shortestGrace is the time that a call is given also where answers are never old.
const shortestGrace = 15 * time.Second

// madeLive returns the version that we wrote, by the attempt's id or by its label,
// if it is live or was replaced since, or "".
func (d *decider) madeLive() string {
	var written []string
	if version := d.Live.Secret.VersionWith(d.label()); d.canBeOurs(version) {
		written = append(written, version)
	}
	if d.status.Attempt != nil {
		written = append(written, d.status.Attempt.VersionID)
	}
	for _, version := range written {
		if version != "" && (version == d.Live.Secret.Current() || version == d.Live.Secret.Previous()) {
			return version
		}
	}
	return ""
}

// canBeOurs reports whether the change may have put its label on a version, which
// whoever may move labels in AWS can put on any. An adoption puts it on its base;
// all others on what they wrote, so on nothing that is known to be older.
func (d *decider) canBeOurs(version string) bool {
	if d.adopts(version) {
		return version == string(d.spec.BaseVersionID) && d.decision.Verdict == policy.Approved
	}
	older := []string{d.status.BaseVersionID, string(d.spec.BaseVersionID)}
	if a := d.status.Attempt; a != nil {
		older = append(older, a.CurrentVersionID, a.PreviousVersionID)
	}
	return audit.Committed(version) && !slices.Contains(older, version) &&
		!slices.ContainsFunc(slices.Concat(d.Live.Labels, d.Live.Kept), func(l Label) bool {
			return l.VersionID == version && l.ChangeUID != string(d.Change.UID) &&
				!l.AppliedAt.IsZero() && l.AppliedAt.Before(d.Change.CreationTimestamp.Time)
		})
}

// adopts reports whether the change is on record as an adoption, or, where nothing is,
// restores the version that it starts from: it does not write it, but finds it live.
func (d *decider) adopts(version string) bool {
	return adopts(d.Change) || (d.spec.Restore != nil && d.status.Revert == nil && version != "" &&
		version == string(d.spec.BaseVersionID) && version == targetOf(d.spec, d.Queue.Named))
}

// applied records that the change is live, as read back from AWS.
func (d *decider) applied(version string) *Action {
	now := metav1.NewMicroTime(d.Now)
	if d.environment != nil {
		if last := d.environment.LastAppliedTime; last != nil && !now.After(last.Time) {
			now = metav1.NewMicroTime(last.Add(time.Microsecond)) // the clock was ahead, and what is live is ordered by this
		}
	}
	d.status.AppliedVersionID = version
	d.status.AppliedAt = &now
	if a := d.status.Attempt; a != nil {
		d.status.PreviousVersionID, d.status.AppliedKeys = a.CurrentVersionID, a.Keys
	} else if version == d.Live.Secret.Current() {
		d.status.PreviousVersionID = d.Live.Secret.Previous()
	}
	current := d.Live.Secret.Current()
	if version != current {
		d.status.ReplacedByVersionID = current
	}
	if d.adopts(version) {
		return d.end(v1alpha1.PhaseApplied, v1alpha1.ReasonAdopted, "Live version %s is adopted", version)
	}
	if version != current {
		return d.end(v1alpha1.PhaseApplied, v1alpha1.ReasonApplied,
			"Was live as version %s, and has since been replaced by %s", version, orNone(current))
	}
	return d.end(v1alpha1.PhaseApplied, v1alpha1.ReasonApplied, "Live as version %s", version)
}

// wentLive finishes a change that was live before, although nothing here tells
// so: a backup of the cluster may be older than what became of it.
func (d *decider) wentLive() *Action {
	if d.Live == nil {
		return read(ReadLive)
	}
	if version := d.madeLive(); version != "" {
		return d.applied(version)
	}
	return nil
}

// endUnapplied finishes a change that did not become live. Once that is on record,
// its label comes off the version that it may have written.
func (d *decider) endUnapplied(phase v1alpha1.Phase, reason, format string, args ...any) *Action {
	unserved := d.environment == nil || d.environment.SecretARN == "" || d.environment.Problem != nil
	if d.status.Attempt != nil || (d.status.Phase == "" && unserved) {
		return d.end(phase, reason, format, args...)
	}
	if a := d.wentLive(); a != nil {
		return a
	}
	version := d.Live.Secret.VersionWith(d.label())
	if version == "" {
		return d.end(phase, reason, format, args...)
	}
	// Somebody else's doing; or another manager's, who has begun an attempt and may have made it live since.
	if !d.Fresh {
		return read(ReadFresh)
	}
	a := d.end(phase, reason, format, args...)
	if d.writable() {
		a.Effect = d.moveLabel(d.label(), version, "")
	}
	return a
}
