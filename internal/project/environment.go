package project

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/live"
	"github.com/secretreview/secretreview/internal/naming"
)

// inProgress is AWS's word for a replica that is not there yet.
const inProgress = "InProgress"

// environment works out the status of one.
type environment struct {
	Settings
	now      time.Time
	project  *v1alpha1.SecretProject
	name     string
	observed Environment
	// record is what the status says, nil if it says nothing of this secret.
	record *v1alpha1.EnvironmentStatus
	// newer are the Applied changes that the record does not know yet, the
	// newest first.
	newer []Change
	out   v1alpha1.EnvironmentStatus

	// unsettled says that AWS has shown something older than what is known.
	unsettled bool
	// passing says that the problem ends by itself.
	passing bool
	// failed is a failure that is not the environment's own.
	failed *Failure
}

func newEnvironment(settings Settings, facts Facts, name string) *environment {
	e := &environment{Settings: settings, now: facts.Now, project: facts.Project, name: name, observed: facts.Environments[name]}
	status := &facts.Project.Status
	record := status.Environment(name)
	if record != nil && status.ClusterName == settings.Cluster && status.Region == settings.Region && record.SecretName == e.secretName() {
		e.record = record
	}
	e.remember()
	return e
}

func (e *environment) secretName() string {
	return naming.LiveSecret(e.Prefix, e.project.EffectiveProjectName(), e.name)
}

// remember begins with what is on record and adds what was applied since.
func (e *environment) remember() {
	e.out = v1alpha1.EnvironmentStatus{Name: e.name, SecretName: e.secretName()}
	var known time.Time
	if e.record != nil {
		e.out = *e.record.DeepCopy()
		if e.record.LastAppliedTime != nil {
			known = e.record.LastAppliedTime.Time
		}
	}
	for _, c := range e.observed.Applied {
		// The record's times are in whole microseconds.
		if c.AppliedAt.Truncate(time.Microsecond).After(known) {
			e.newer = append(e.newer, c)
		}
	}
	if len(e.newer) == 0 {
		return
	}
	e.out.LastAppliedChange = e.newer[0].Name
	e.out.LastAppliedVersionID = e.newer[0].AppliedVersionID
	e.out.LastAppliedTime = &metav1.MicroTime{Time: e.newer[0].AppliedAt}
	// Whatever is wrong with the secret just now: these would be foreign once their changes are purged.
	e.out.Versions = e.versionsAfter(e.newer)
}

// decide works out the status, or returns what must be read first.
func (e *environment) decide() *Read {
	if p := e.claimed(); p != nil {
		e.setProblem(p)
		return nil
	}
	if f := e.observed.Failure; f != nil {
		return e.afterFailure(f)
	}
	if e.observed.Secret != nil {
		return e.observe(e.observed.Secret)
	}
	if e.mustAsk() {
		return &Read{Environment: e.name, Kind: ReadSecret, SecretID: e.secretName()}
	}
	if len(e.newer) == 0 {
		return nil
	}
	return e.takeOver()
}

// mustAsk reports whether the record does not do.
func (e *environment) mustAsk() bool {
	if e.record == nil || e.record.SecretARN == "" || e.record.Problem != nil || e.observed.Suspected || e.replicating() {
		return true
	}
	// Only AWS can say whether an adoption took every foreign label off, how far
	// a new version has come in other regions, and what has replaced it.
	foreign := e.record.Drift != nil && e.record.Drift.ForeignChangeUID != ""
	return len(e.newer) > 0 && (foreign || len(e.record.Replication) > 0 || e.newer[0].Replaced)
}

// replicating reports whether a replica was last seen on its way.
func (e *environment) replicating() bool {
	return slices.ContainsFunc(e.out.Replication, func(r v1alpha1.ReplicationStatus) bool { return r.Status == inProgress })
}

// afterFailure keeps what is on record. A failure that lasts is the
// environment's problem; any other is tried again.
func (e *environment) afterFailure(f *Failure) *Read {
	if !lasting[f.Kind] {
		e.failed = f
		if e.record != nil {
			e.out = *e.record.DeepCopy()
			return nil
		}
		e.out = v1alpha1.EnvironmentStatus{Name: e.name, SecretName: e.secretName()}
		return nil
	}
	e.setProblem(&live.Problem{Reason: cmp.Or(live.Reasons[f.Kind], v1alpha1.ReasonSecretUnusable), Message: f.Message})
	return nil
}

// takeOver believes the newest Applied change: it was read back from AWS.
func (e *environment) takeOver() *Read {
	before := e.out.LiveVersionID
	e.out.LiveVersionID = e.newer[0].AppliedVersionID
	e.out.Drift = nil
	return e.count(before)
}

// observe takes over what AWS says.
func (e *environment) observe(s *Secret) *Read {
	p := e.problem(s)
	if p != nil && p.Foreign {
		e.forget()
		e.setProblem(p)
		return nil
	}
	before := e.out.LiveVersionID
	e.out.SecretARN, e.out.KMSKeyID = s.ARN, s.KMSKeyID
	if !s.Listed {
		e.out.Replication = replication(s)
	}
	if e.outdated(s) {
		e.unsettled = true
		e.out.LiveVersionID = e.out.LastAppliedVersionID
		e.out.Drift = nil
	} else {
		e.out.LiveVersionID = s.Current()
		e.out.Versions = e.versionsOf(s)
		e.setBaseline(p)
		e.out.Drift = e.drift(s)
	}
	e.setProblem(p)
	if p != nil {
		return nil
	}
	return e.count(before)
}

// outdated reports whether AWS shows what was live before the newest Applied
// change, which has been seen live since.
func (e *environment) outdated(s *Secret) bool {
	if len(e.observed.Applied) == 0 {
		return false
	}
	newest := e.observed.Applied[0]
	return !newest.Replaced && newest.AppliedVersionID == e.out.LastAppliedVersionID && !newest.AppliedAt.After(e.now) && e.now.Sub(newest.AppliedAt) < DescribeLag &&
		s.Current() == newest.PreviousVersionID && s.Current() != newest.AppliedVersionID
}

// setBaseline remembers what was live when the environment could first be served.
func (e *environment) setBaseline(p *live.Problem) {
	if p == nil && e.out.BaselineVersionID == "" {
		e.out.BaselineVersionID = e.out.LiveVersionID
	}
}

// forget leaves nothing of a secret that is not there or not ours.
func (e *environment) forget() {
	e.out.SecretARN, e.out.KMSKeyID, e.out.LiveVersionID, e.out.Keys = "", "", "", 0
	e.out.Replication, e.out.Drift = nil, nil
}

func (e *environment) setProblem(p *live.Problem) {
	if p == nil {
		e.out.Problem = nil
		return
	}
	e.passing = p.Passing
	e.out.Problem = &v1alpha1.Problem{Reason: p.Reason, Message: p.Message}
}

// count sets the number of keys of the live version: from the record while the
// version is the same, from the change that wrote it, or from its value.
func (e *environment) count(before string) *Read {
	version := e.out.LiveVersionID
	switch {
	case version == "":
		e.out.Keys = 0
		return nil
	case e.observed.Value != nil && e.observed.Value.VersionID == version:
		return e.judge(e.observed.Value)
	case version == before && e.record != nil && e.record.Problem == nil:
		return nil
	}
	for _, c := range e.observed.Applied {
		if c.AppliedVersionID == version && c.Keys > 0 {
			e.out.Keys = c.Keys
			return nil
		}
	}
	return &Read{Environment: e.name, Kind: ReadValue, SecretID: e.out.SecretARN, VersionID: version}
}

func (e *environment) judge(v *Value) *Read {
	e.out.Keys = int32(v.Keys) //nolint:gosec // bounded by a document's size
	if v.Problem != "" {
		e.setProblem(&live.Problem{Reason: v1alpha1.ReasonSecretUnusable, Message: fmt.Sprintf(
			"the live value of %s cannot be used, mend it by hand: %s", e.secretName(), v.Problem)})
	}
	return nil
}

func replication(s *Secret) []v1alpha1.ReplicationStatus {
	var out []v1alpha1.ReplicationStatus
	for _, r := range s.Replicas {
		out = append(out, v1alpha1.ReplicationStatus{Region: r.Region, Status: r.Status, Message: r.Message})
	}
	slices.SortFunc(out, func(a, b v1alpha1.ReplicationStatus) int { return cmp.Compare(a.Region, b.Region) })
	return out
}
