package project

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

const (
	// A problem is looked at again after half the time that it has been there,
	// and not before firstLook. After lastLook the next listing shows its end.
	firstLook = 5 * time.Second
	lastLook  = 10 * time.Minute
	// replicaLook is how soon a replica on its way is looked at again.
	replicaLook = time.Minute
	// settleLook is how soon AWS is asked again that has shown something old.
	settleLook = DescribeLag / 2
)

// Decide works out a SecretProject's status.
func Decide(settings Settings, facts Facts) Action {
	d := &decider{Settings: settings, Facts: facts, status: facts.Project.Status.DeepCopy()}
	for i := range facts.Project.Spec.Environments {
		e := newEnvironment(settings, facts, facts.Project.Spec.Environments[i].Name)
		if read := e.decide(); read != nil {
			d.reads = append(d.reads, *read)
		}
		d.environments = append(d.environments, e)
	}
	if len(d.reads) > 0 {
		return Action{Reads: d.reads}
	}
	d.fill()
	d.conditions()
	return Action{Status: *d.status, Events: d.events(), Unsettled: d.unsettled(), After: d.after(), Failed: d.failed()}
}

// Differs reports whether a listing shows something else of an environment than
// the record, so that AWS should be asked. The facts hold the environment's
// Secret as it was listed, and Writers.
func Differs(settings Settings, facts Facts, name string) bool {
	e := newEnvironment(settings, facts, name)
	if e.record == nil || e.claimed() != nil {
		return false // looked at anyway, or not to be looked at
	}
	listed := e.observed.Secret
	if read := e.observe(listed); read != nil {
		return true
	}
	// A listing says that there are replicas, but not how they are.
	replicated := !listed.Missing && listed.PrimaryRegion == e.Region
	if replicated != (len(e.record.Replication) > 0) && e.out.Problem == nil {
		return true
	}
	return !equality.Semantic.DeepEqual(*e.record, e.out)
}

type decider struct {
	Settings
	Facts
	environments []*environment
	reads        []Read
	status       *v1alpha1.SecretProjectStatus
}

// fill writes all but conditions.
func (d *decider) fill() {
	s := d.status
	s.ObservedGeneration = d.Project.Generation
	s.Region, s.Prefix, s.ClusterName = d.Region, d.Prefix, d.Cluster
	s.Environments = nil
	var names, drifted []string
	for _, e := range d.environments {
		s.Environments = append(s.Environments, e.out)
		names = append(names, e.name)
		if e.out.Drift != nil {
			drifted = append(drifted, e.name)
		}
	}
	s.EnvironmentNames, s.DriftedNames = strings.Join(names, ","), strings.Join(drifted, ",")
}

func (d *decider) unsettled() []string {
	var names []string
	for _, e := range d.environments {
		if e.unsettled {
			names = append(names, e.name)
		}
	}
	return names
}

// failed is the first failure that is worth another try.
func (d *decider) failed() *Failure {
	for _, e := range d.environments {
		if e.failed != nil {
			return e.failed
		}
	}
	return nil
}

// after is when something may have ended that nothing tells us about.
func (d *decider) after() time.Duration {
	var waits []time.Duration
	for _, e := range d.environments {
		switch {
		case e.unsettled:
			waits = append(waits, settleLook)
		case e.out.Problem != nil && e.out.Problem.Reason != v1alpha1.ReasonNameClaimed:
			waits = append(waits, d.problemLook()...)
		case e.replicating():
			waits = append(waits, replicaLook)
		}
	}
	if len(waits) == 0 {
		return 0
	}
	return slices.Min(waits)
}

// problemLook is when to look at a problem again, if at all: by how long the
// project has not been ready.
func (d *decider) problemLook() []time.Duration {
	ready := condition(d.status.Conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return nil
	}
	age := d.Now.Sub(ready.LastTransitionTime.Time)
	if age > lastLook {
		return nil
	}
	return []time.Duration{max(firstLook, age/2)}
}
