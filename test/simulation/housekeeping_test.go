package simulation_test

import (
	"maps"
	"slices"
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/project"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sweep"
	"github.com/secretreview/secretreview/internal/trim"
)

// projects reconciles the project, as package secretproject does it.
func (m *manager) projects(suspected bool) {
	p := m.cache.project
	if p.SecretProject == nil {
		return
	}
	facts := project.Facts{Now: m.clock(), Project: p.SecretProject, Trust: project.Trust{Known: true, Intact: m.w.trust.Intact},
		Environments: map[string]project.Environment{}}
	for _, e := range p.Spec.Environments {
		facts.Environments[e.Name] = project.Environment{Applied: m.applied(), Suspected: suspected}
	}
	for range 5 {
		a := project.Decide(m.w.projects, facts)
		if len(a.Reads) == 0 {
			m.storeStatus(p, a.Status)
			return
		}
		for _, read := range a.Reads {
			facts.Environments[read.Environment] = m.observe(facts.Environments[read.Environment], read)
		}
	}
	m.w.violatef("the project is never done with reading")
}

func (m *manager) storeStatus(p stored, status v1alpha1.SecretProjectStatus) {
	if m.w.api.project.rv != p.rv || sameProject(&p.Status, &status) {
		return
	}
	for _, e := range status.Environments {
		switch {
		case e.Drift != nil && e.Drift.ForeignChangeUID != "":
			m.w.happened("project: a foreign label is seen")
		case e.Drift != nil:
			m.w.happened("project: drift is seen")
		}
	}
	changed := *p.SecretProject
	changed.Status = status
	m.w.api.storeProject(&changed)
}

// sameProject compares what matters of two statuses.
func sameProject(a, b *v1alpha1.SecretProjectStatus) bool {
	return a.ObservedGeneration == b.ObservedGeneration && slices.EqualFunc(a.Environments, b.Environments, func(a, b v1alpha1.EnvironmentStatus) bool {
		return a.Name == b.Name && a.SecretARN == b.SecretARN && a.LiveVersionID == b.LiveVersionID && a.Keys == b.Keys &&
			a.LastAppliedVersionID == b.LastAppliedVersionID && a.BaselineVersionID == b.BaselineVersionID &&
			(a.Problem == nil) == (b.Problem == nil) && (a.Problem == nil || *a.Problem == *b.Problem) &&
			(a.Drift == nil) == (b.Drift == nil) && (a.Drift == nil || a.Drift.ForeignChangeUID == b.Drift.ForeignChangeUID) &&
			slices.EqualFunc(a.Versions, b.Versions, func(a, b v1alpha1.RestorableVersion) bool {
				return a.VersionID == b.VersionID && a.Change == b.Change && a.ReplacedBy == b.ReplacedBy
			})
	})
}

// applied are the environment's Applied changes, the newest first.
func (m *manager) applied() []project.Change {
	var out []project.Change
	for _, r := range m.cache.changes {
		if r.Status.Phase == v1alpha1.PhaseApplied && r.Status.AppliedAt != nil {
			out = append(out, project.ChangeOf(r.SecretChange))
		}
	}
	slices.SortFunc(out, func(a, b project.Change) int { return b.AppliedAt.Compare(a.AppliedAt) })
	return out[:min(len(out), project.MaxVersions)]
}

func (m *manager) observe(e project.Environment, read project.Read) project.Environment {
	a := m.w.aws
	if m.w.chance(m.w.faults.failedRead) {
		e.Failure = &project.Failure{Kind: secretstore.KindUnavailable, Message: "it did not answer"}
		return e
	}
	if read.Kind == project.ReadValue {
		value := &project.Value{VersionID: read.VersionID}
		if v := a.versionNow(read.VersionID); v == nil {
			e.Failure = &project.Failure{Kind: secretstore.KindNotFound, Message: "there is no such version"}
		} else if doc, err := a.parse(v.value); err != nil {
			value.Problem = err.Error()
		} else {
			value.Keys = len(doc)
		}
		e.Value = value
		return e
	}
	described := a.describeLive()
	if described == nil {
		e.Secret = &project.Secret{Missing: true}
		return e
	}
	e.Secret, e.Writers = &project.Secret{Secret: *described}, map[string]project.Change{}
	for _, labels := range described.Versions {
		for _, label := range labels {
			uid, _, ours := naming.ParseLabel(label)
			for _, r := range m.cache.changes {
				if ours && string(r.UID) == uid {
					e.Writers[uid] = project.ChangeOf(r.SecretChange)
				}
			}
		}
	}
	return e
}

func (a *secretsManager) versionNow(id string) *version {
	if a.live == nil || a.live.deletedAt != nil {
		return nil
	}
	return a.live.version(id)
}

// foreign reports whether the live secret bears a label that this manager does not know.
func (m *manager) foreign() bool {
	if m.w.aws.live == nil {
		return false
	}
	var onRecord *v1alpha1.EnvironmentStatus
	if p := m.cache.project.SecretProject; p != nil {
		onRecord = p.Status.Environment(environment)
	}
	return project.Foreign(m.w.aws.live.describe(), func(uid string) bool {
		return slices.ContainsFunc(m.cache.changes, func(r record) bool { return string(r.UID) == uid })
	}, onRecord) != ""
}

// sweep is what package inventory does with a listing, which was made before.
func (m *manager) sweep() {
	w := m.w
	var listed []sweep.Secret
	for _, s := range m.listed {
		listed = append(listed, staged(s))
	}
	m.listed = nil
	for _, s := range w.aws.staged {
		m.listed = append(m.listed, s.describe())
	}
	if !w.trust.Intact || m.foreign() {
		return
	}
	state := sweep.Sweep{Cluster: cluster, Prefix: naming.DefaultPrefix, Now: m.clock(), Grace: sweep.DefaultGrace, Synced: true}
	for _, r := range m.cache.changes {
		state.Claims = append(state.Claims, claimOf(r.SecretChange, state.Now))
	}
	for _, action := range state.Plan(listed) {
		s := w.aws.stagedBy(action.ARN)
		if action.Kind == sweep.Keep || s == nil {
			continue
		}
		now := state
		if fresh := w.api.named(s.tags[naming.TagChange]); fresh.SecretChange != nil {
			now.Claims = append(slices.DeleteFunc(slices.Clone(state.Claims), func(c sweep.Claim) bool { return c.Name == fresh.Name }),
				claimOf(fresh.SecretChange, state.Now))
		}
		if again := now.Decide(staged(s.describe())); again.Kind == action.Kind {
			w.swept(s, again)
		}
	}
}

func staged(s secretstore.Secret) sweep.Secret {
	return sweep.Secret{ARN: s.ARN, Name: s.Name, Tags: s.Tags, CreatedAt: s.CreatedAt, DeletedAt: s.DeletedAt}
}

func (w *world) swept(s *secret, action sweep.Action) {
	w.happened("sweep: " + string(action.Kind) + " " + string(action.Reason))
	w.judgeSweep(s, action.Kind == sweep.Delete || action.Kind == sweep.DeleteNow)
	at := w.now
	switch action.Kind {
	case sweep.Delete:
		s.deletedAt = &at
	case sweep.DeleteNow:
		w.aws.dropStaged(s.arn)
	case sweep.Restore:
		s.deletedAt = nil
	case sweep.Keep:
	}
	s.described = nil
}

// claimOf is the one of package inventory.
func claimOf(c *v1alpha1.SecretChange, now time.Time) sweep.Claim {
	claim := sweep.Claim{Namespace: c.Namespace, Name: c.Name, UID: string(c.UID), Project: c.Spec.Project, Environment: c.Spec.Environment,
		Finished: c.Status.Phase.Finished() && !now.Before(c.KeptUntil())}
	proven := c.Status.DiffCounts != nil || c.Status.StagedDeleted
	if c.Spec.Staged != nil && (proven || !claim.Finished) {
		claim.ARN = c.Spec.Staged.SecretARN
	}
	return claim
}

// trim is what package trim does with a listing.
func (m *manager) trim() {
	w := m.w
	effective, ok := w.api.policy()
	if !ok || !w.trust.Intact || m.foreign() || m.cache.project.SecretProject == nil {
		return
	}
	status := m.cache.project.Status.Environment(environment)
	if status != nil && status.Drift != nil && status.Drift.ForeignChangeUID != "" {
		return
	}
	labelled := map[string]bool{}
	if described := w.aws.describeLive(); described != nil {
		for label := range allLabels(described) {
			if uid, ours := naming.ChangeUID(label); ours {
				labelled[uid] = true
			}
		}
	}
	e := trim.Environment{Limit: effective.HistoryLimit, Status: status, Labelled: labelled, Now: m.clock(), Settle: trim.DefaultSettle}
	for _, r := range m.cache.changes {
		e.Changes = append(e.Changes, *r.SecretChange)
	}
	for _, c := range trim.Plan(e) {
		for _, r := range m.cache.changes {
			if now := w.api.named(c.Name); r.UID == c.UID && now.SecretChange != nil && now.rv == r.rv {
				w.happened("trim: a finished change is deleted")
				w.judgeTrim(now)
				w.api.remove(now)
				break
			}
		}
	}
}

func allLabels(s *secretstore.Secret) func(func(string) bool) {
	return func(yield func(string) bool) {
		for labels := range maps.Values(s.Versions) {
			for _, label := range labels {
				if !yield(label) {
					return
				}
			}
		}
	}
}
