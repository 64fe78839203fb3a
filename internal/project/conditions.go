package project

import (
	"cmp"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/live"
)

// shown is how many environments a message speaks of at most.
const shown = 3

// verdict is what Ready, Reconciling and Stalled say.
type verdict struct {
	reason, message string
	// stalled says that nothing gets better without a person.
	stalled bool
}

// conditions are worked out from the facts; they are never read back, but for
// the time since which they hold.
func (d *decider) conditions() {
	d.setPoliciesInForce()
	d.setInSync()
	v := d.hindrance()
	if v == nil {
		d.set(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady, d.count())
		meta.RemoveStatusCondition(&d.status.Conditions, v1alpha1.ConditionReconciling)
		meta.RemoveStatusCondition(&d.status.Conditions, v1alpha1.ConditionStalled)
		return
	}
	d.set(v1alpha1.ConditionReady, metav1.ConditionFalse, v.reason, v.message)
	present, absent := v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled
	if v.stalled {
		present, absent = absent, present
	}
	d.set(present, metav1.ConditionTrue, v.reason, v.message)
	meta.RemoveStatusCondition(&d.status.Conditions, absent)
}

// hindrance is why the project is not ready, or nil.
func (d *decider) hindrance() *verdict {
	if d.Trust.Known && !d.Trust.Intact {
		return &verdict{v1alpha1.ReasonPoliciesWeakened, "Nothing is applied: " + d.Trust.Reason, true}
	}
	if failure := d.failure(); failure != nil {
		return &verdict{cmp.Or(live.Reasons[failure.Kind], v1alpha1.ReasonUnavailable), "AWS cannot be asked: " + failure.Message, false}
	}
	if v := d.problems(); v != nil {
		return v
	}
	foreign := d.messages(func(e *environment) string {
		if e.out.Drift == nil || e.out.Drift.ForeignChangeUID == "" {
			return ""
		}
		return fmt.Sprintf("a version bears the label of change %q, which this cluster does not know: "+
			"check what is live, and adopt it by a change that restores the live version", e.out.Drift.ForeignChangeUID)
	})
	if foreign != "" {
		return &verdict{v1alpha1.ReasonForeignVersion, foreign, true}
	}
	return nil
}

// problems speaks of the environments that cannot be served. It takes a person
// unless all of them pass by themselves.
func (d *decider) problems() *verdict {
	v := &verdict{}
	for _, e := range d.environments {
		if e.out.Problem != nil {
			v.reason = cmp.Or(v.reason, e.out.Problem.Reason)
			v.stalled = v.stalled || !e.passing
		}
	}
	if v.reason == "" {
		return nil
	}
	v.message = d.messages(func(e *environment) string {
		if e.out.Problem == nil {
			return ""
		}
		return e.out.Problem.Message
	})
	return v
}

// failure is one of all of AWS.
func (d *decider) failure() *Failure {
	if f := d.failed(); f != nil {
		return f
	}
	return d.Outage
}

func (d *decider) setPoliciesInForce() {
	switch {
	case d.Trust.Known && d.Trust.Intact:
		d.set(v1alpha1.ConditionPoliciesInForce, metav1.ConditionTrue, v1alpha1.ReasonPoliciesInForce, "The admission policies are in force")
	case d.Trust.Known:
		d.set(v1alpha1.ConditionPoliciesInForce, metav1.ConditionFalse, v1alpha1.ReasonPoliciesWeakened, d.Trust.Reason)
	case condition(d.status.Conditions, v1alpha1.ConditionPoliciesInForce) == nil:
		// A restart does not make unknown what was known.
		d.set(v1alpha1.ConditionPoliciesInForce, metav1.ConditionUnknown, v1alpha1.ReasonProgressing, "The admission policies are being checked")
	}
}

func (d *decider) setInSync() {
	reason := v1alpha1.ReasonDrifted
	unseen := d.failure() != nil
	for _, e := range d.environments {
		if e.out.Drift != nil && e.out.Drift.ForeignChangeUID != "" {
			reason = v1alpha1.ReasonForeignVersion
		}
		unseen = unseen || e.out.SecretARN == ""
	}
	drifted := d.messages(func(e *environment) string {
		if e.out.Drift == nil {
			return ""
		}
		return describeDrift(e.out.Drift)
	})
	switch {
	case drifted != "":
		d.set(v1alpha1.ConditionInSync, metav1.ConditionFalse, reason, drifted)
	case unseen:
		d.set(v1alpha1.ConditionInSync, metav1.ConditionUnknown, v1alpha1.ReasonProgressing, "Not every live secret can be seen")
	default:
		d.set(v1alpha1.ConditionInSync, metav1.ConditionTrue, v1alpha1.ReasonInSync, "What is live is what was applied last")
	}
}

func describeDrift(drift *v1alpha1.Drift) string {
	if drift.ForeignChangeUID != "" {
		return fmt.Sprintf("a version bears the label of change %q, which this cluster does not know", drift.ForeignChangeUID)
	}
	return fmt.Sprintf("version %s is live, not %s", cmp.Or(drift.LiveVersionID, "none"), drift.ExpectedVersionID)
}

// messages joins what there is to say of environments, of a few of them.
func (d *decider) messages(say func(*environment) string) string {
	var said []string
	for _, e := range d.environments {
		if message := say(e); message != "" {
			said = append(said, fmt.Sprintf("environment %q: %s", e.name, message))
		}
	}
	if len(said) == 0 {
		return ""
	}
	text := strings.Join(said[:min(len(said), shown)], "; ")
	text = strings.ToUpper(text[:1]) + text[1:]
	if more := len(said) - shown; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

func (d *decider) count() string {
	if n := len(d.environments); n != 1 {
		return fmt.Sprintf("All %d environments can be served", n)
	}
	return "The environment can be served"
}

func (d *decider) set(kind string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&d.status.Conditions, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: message,
		ObservedGeneration: d.Project.Generation, LastTransitionTime: metav1.NewTime(d.Now),
	})
}

func condition(conditions []metav1.Condition, kind string) *metav1.Condition {
	return meta.FindStatusCondition(conditions, kind)
}
