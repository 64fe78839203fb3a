package project

import (
	"fmt"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// events tell what has changed since the last status.
func (d *decider) events() []Event {
	var out []Event
	before := &d.Project.Status
	for _, e := range d.environments {
		old := before.Environment(e.name)
		if old == nil {
			old = &v1alpha1.EnvironmentStatus{}
		}
		out = append(out, problemEvents(e.name, old.Problem, e.out.Problem)...)
		out = append(out, driftEvents(e.name, old.Drift, e.out.Drift)...)
	}
	return append(out, d.failureEvents()...)
}

func problemEvents(name string, before, now *v1alpha1.Problem) []Event {
	switch {
	case now != nil && (before == nil || before.Reason != now.Reason):
		return []Event{{Warning: true, Reason: now.Reason, Message: fmt.Sprintf("Environment %q cannot be served: %s", name, now.Message)}}
	case now == nil && before != nil:
		return []Event{{Reason: v1alpha1.ReasonReady, Message: fmt.Sprintf("Environment %q can be served again", name)}}
	default:
		return nil
	}
}

func driftEvents(name string, before, now *v1alpha1.Drift) []Event {
	switch {
	case now != nil && (before == nil || !sameDrift(before, now)):
		reason := v1alpha1.ReasonDrifted
		if now.ForeignChangeUID != "" {
			reason = v1alpha1.ReasonForeignVersion
		}
		return []Event{{Warning: true, Reason: reason, Message: fmt.Sprintf("Environment %q: %s", name, describeDrift(now))}}
	case now == nil && before != nil:
		return []Event{{Reason: v1alpha1.ReasonInSync, Message: fmt.Sprintf("Environment %q: what is live is what was applied last", name)}}
	default:
		return nil
	}
}

// failureEvents tell once that AWS cannot be asked, unless something worse is
// told already.
func (d *decider) failureEvents() []Event {
	now := condition(d.status.Conditions, v1alpha1.ConditionReady)
	before := condition(d.Project.Status.Conditions, v1alpha1.ConditionReady)
	if d.failure() == nil || now.Reason == v1alpha1.ReasonPoliciesWeakened || (before != nil && before.Reason == now.Reason) {
		return nil
	}
	return []Event{{Warning: true, Reason: now.Reason, Message: now.Message}}
}
