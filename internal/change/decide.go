package change

import (
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/policy"
)

// decider carries one decision from step to step.
type decider struct {
	Settings
	Facts
	spec   *v1alpha1.SecretChangeSpec
	status *v1alpha1.SecretChangeStatus
	// policy and environment are known once the project step has passed.
	policy      policy.Effective
	environment *v1alpha1.EnvironmentStatus
	decision    policy.Decision
	// blocked says why an approved change is not being applied now.
	blocked note
	// letIn says that the change was checked before, within the limits of then.
	letIn bool
	// quiet leaves all that the status tells as it is.
	quiet  bool
	events []Event
}

// note is a reason with its sentence.
type note struct{ reason, message string }

// step does its part of the decision; nil goes on to the next.
type step func(*decider) *Action

// judging are the steps in their order that work out what a change has come to.
// What it may not survive comes first.
var judging = []step{
	(*decider).deleting,
	(*decider).finished,
	(*decider).claim,
	(*decider).trust,
	(*decider).project,
	(*decider).attempted,
	(*decider).proposer,
	(*decider).reviews,
	(*decider).expiry,
	(*decider).validate,
	(*decider).await,
}

// steps are all in their order. What makes a change live comes last.
var steps = append(slices.Clone(judging), (*decider).hold, (*decider).apply)

// Decide works out what to do next about a change.
func Decide(settings Settings, facts Facts) Action {
	d := newDecider(settings, facts)
	for _, step := range steps {
		if a := step(d); a != nil {
			return d.complete(*a)
		}
	}
	return d.complete(Action{})
}

// Blocked is the action for a read or an effect that failed and is tried again
// later: the status says so, and what the change has come to by then, such as that
// it is approved.
func Blocked(settings Settings, facts Facts, reason, message string) Action {
	d := newDecider(settings, facts)
	if d.status.Phase.Finished() {
		d.events = append(d.events, Event{Warning: true, Reason: v1alpha1.ReasonCleanupFailed, Message: message})
		return d.complete(Action{})
	}
	for _, step := range judging {
		if step(d) != nil { // nothing can be said yet but what is on record
			d = newDecider(settings, facts)
			break
		}
	}
	return d.complete(*d.wait(reason, message, 0))
}

func newDecider(settings Settings, facts Facts) *decider {
	d := &decider{Settings: settings, Facts: facts, spec: &facts.Change.Spec, status: facts.Change.Status.DeepCopy()}
	return d
}

// complete fills in what every action has in common.
func (d *decider) complete(a Action) Action {
	if a.Read != ReadNothing {
		return Action{Read: a.Read, ReadVersion: a.ReadVersion}
	}
	// A finished record stays as it is, also one that a backup has brought back.
	if !d.Change.Status.Phase.Finished() {
		d.status.ObservedGeneration = d.Change.Generation
	}
	d.status.Message = truncate(d.status.Message, maxMessage)
	if !d.quiet || d.status.Phase != d.Change.Status.Phase {
		d.conditions()
	}
	a.Status = *d.status
	for _, e := range d.events {
		e.Message = truncate(e.Message, maxNote)
		a.Events = append(a.Events, e)
	}
	return a
}

// read asks for something that has not been looked at.
func read(what Read) *Action { return &Action{Read: what} }

// wait leaves the change where it is and says why.
func (d *decider) wait(reason, message string, after time.Duration) *Action {
	d.blocked = note{reason, message}
	d.status.Message = message
	return &Action{After: after}
}

// settle waits, without a word, until AWS's answers are young enough to show
// what was done last.
func (d *decider) settle(since time.Time) *Action {
	d.quiet = true
	return &Action{After: max(since.Add(d.ConsistencyGrace).Sub(d.Now), time.Second)}
}

// settled reports whether an answer of AWS must show what was done then.
func (d *decider) settled(then time.Time) bool { return !d.Now.Before(then.Add(d.ConsistencyGrace)) }

// end finishes the change.
func (d *decider) end(phase v1alpha1.Phase, reason, format string, args ...any) *Action {
	now := metav1.NewMicroTime(d.Now)
	d.status.Phase = phase
	d.status.Message = fmt.Sprintf(format, args...)
	d.status.FinishedAt = &now
	if d.status.DecidedAt == nil && phase == v1alpha1.PhaseRejected {
		d.status.DecidedAt = &now
	}
	d.blocked = note{reason, d.status.Message}
	d.events = append(d.events, Event{
		Warning: phase != v1alpha1.PhaseApplied && phase != v1alpha1.PhaseRejected,
		Reason:  reason, Message: d.status.Message,
	})
	return &Action{Again: true}
}

// untilExpiry caps a wait so that expiry is not missed.
func (d *decider) untilExpiry() time.Duration {
	if d.status.ExpiresAt == nil {
		return 0
	}
	// A second more, because ExpiresAt is stored in whole seconds.
	return max(d.status.ExpiresAt.Sub(d.Now), 0) + time.Second
}
