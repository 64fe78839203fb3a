// Package stream tells what becomes of changes while it happens.
package stream

import (
	"slices"
	"strings"
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// Kind is what has happened to a change.
type Kind string

const (
	// Open: it was there, unfinished, when the watch began.
	Open Kind = "open"
	// Proposed: it is new.
	Proposed Kind = "proposed"
	// Waiting: the controller has checked it, and it waits for reviews.
	Waiting Kind = "waiting"
	// Approved: somebody has added an approval.
	Approved Kind = "approved"
	// Rejected: somebody has added a rejection.
	Rejected Kind = "rejected"
	// Decided: enough approvals count, and it is being made live.
	Decided Kind = "decided"
	// Live: it is applied.
	Live Kind = "live"
	// Ended: it has ended in another way, which the phase tells.
	Ended Kind = "ended"
	// Deleted: it is gone.
	Deleted Kind = "deleted"
)

// Event is one thing that has happened to a change.
type Event struct {
	// Time is when it was seen.
	Time        time.Time      `json:"time"`
	Kind        Kind           `json:"event"`
	Namespace   string         `json:"namespace"`
	Change      string         `json:"change"`
	Project     string         `json:"project"`
	Environment string         `json:"environment"`
	Phase       v1alpha1.Phase `json:"phase,omitempty"`
	Approvals   string         `json:"approvals,omitempty"`
	// By is who proposed or reviewed it.
	By string `json:"by,omitempty"`
	// Text is the reason, the comment of a review, or what the controller says.
	Text string `json:"text,omitempty"`
}

func newEvent(kind Kind, c *v1alpha1.SecretChange, by, text string) Event {
	return Event{
		Kind: kind, Namespace: c.Namespace, Change: c.Name, Project: c.Spec.Project, Environment: c.Spec.Environment,
		Phase: c.Status.Phase, Approvals: c.Status.Approvals, By: by, Text: strings.TrimSpace(text),
	}
}

// Between returns what has happened to a change between two states of it, of
// which the first is nil for a new one. More than one thing may have, as when a
// connection was lost for a while.
func Between(before, after *v1alpha1.SecretChange) []Event {
	var events []Event
	if before == nil {
		events = append(events, newEvent(Proposed, after, after.Spec.ProposedBy, after.Spec.Reason))
		before = &v1alpha1.SecretChange{}
	}
	now, message := after.Status.Phase, after.Status.Message
	moved := now != before.Status.Phase
	if moved && before.Status.Phase == "" && now == v1alpha1.PhasePending {
		events = append(events, newEvent(Waiting, after, "", message))
	}
	for _, review := range after.Spec.Reviews {
		if !given(before, review) {
			events = append(events, newEvent(kindOf(review.Verdict), after, review.Reviewer, review.Comment))
		}
	}
	switch {
	case !moved:
	case now == v1alpha1.PhaseApproved:
		events = append(events, newEvent(Decided, after, "", message))
	case now == v1alpha1.PhaseApplied:
		events = append(events, newEvent(Live, after, "", message))
	case now.Finished():
		events = append(events, newEvent(Ended, after, "", message))
	}
	return events
}

// given reports whether a state has a review already. A person's approval may
// turn into a rejection.
func given(c *v1alpha1.SecretChange, review v1alpha1.Review) bool {
	return slices.ContainsFunc(c.Spec.Reviews, func(r v1alpha1.Review) bool {
		return r.Reviewer == review.Reviewer && r.Verdict == review.Verdict
	})
}

func kindOf(verdict v1alpha1.Verdict) Kind {
	if verdict == v1alpha1.VerdictApproved {
		return Approved
	}
	return Rejected
}
