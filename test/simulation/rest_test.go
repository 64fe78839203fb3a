package simulation_test

import (
	"slices"
	"time"

	"k8s.io/utils/ptr"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/audit"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// quiet ends all faults and attacks, and mends what people can mend. One manager is left.
func (w *world) quiet() {
	w.tellf("all is quiet")
	w.faults = faults{}
	w.aws.past = nil
	w.now = w.now.Add(late)
	w.aws.tick()
	w.mend()
	if w.api.project.SecretProject == nil {
		w.api.makeProject(v1alpha1.SecretProjectSpec{Environments: []v1alpha1.Environment{{Name: environment}}})
	}
	w.api.editProject(func(p *v1alpha1.SecretProjectSpec) {
		p.Environments[0].Name, p.Suspend, p.ChangeTTL = environment, ptr.To(false), nil
	})
	if w.aws.live == nil || w.aws.live.deletedAt != nil || !w.aws.strange.IsZero() || w.aws.live.idWith(secretstore.LabelPending) != "" || w.aws.liveDocument() == nil {
		w.mendAWS()
	}
	w.managers = []*manager{newManager(w)}
	m := w.managers[0]
	m.offset = 0
	w.takeForeignOff(m)
	w.quietSince = w.now
}

// takeForeignOff is an operator who does by hand what an adoption does.
func (w *world) takeForeignOff(m *manager) {
	m.projects(true)
	m.cache.sync(w.api)
	for m.foreign() {
		w.aws.changing()
		for _, v := range w.aws.live.versions {
			for _, label := range v.labels {
				uid, ours := naming.ChangeUID(label)
				if ours && !slices.ContainsFunc(w.api.changes, func(r record) bool { return string(r.UID) == uid }) {
					w.aws.live.place(label, nil)
				}
			}
		}
	}
	m.projects(true)
	m.cache.sync(w.api)
}

// settle reconciles everything until nothing more happens.
func (w *world) settle() {
	m := w.managers[0]
	k := m.workers[0]
	leap, ended := time.Second, 0
	for round := range 300 {
		m.cache.sync(w.api)
		busy, next, written := false, time.Duration(0), w.api.rv
		for _, r := range slices.Clone(m.cache.changes) {
			if r.Status.Phase.Finished() && len(r.Finalizers) == 0 {
				continue
			}
			k.begin(r)
			for k.stage != idle {
				k.step()
			}
			if k.did {
				busy = true
				m.cache.sync(w.api)
			}
			if k.after > 0 && (next == 0 || k.after < next) {
				next = k.after
			}
		}
		m.projects(!busy)
		if !busy && m.foreign() {
			w.takeForeignOff(m)
			busy = true
		}
		if w.api.rv > written {
			ended = round
		}
		switch {
		case busy && round-ended < 40:
			w.now = w.now.Add(time.Second)
			leap = time.Second
		case busy || next > 0:
			// What is looked at, or tried, every few seconds may stay as it is for days.
			w.now = w.now.Add(max(next, leap))
			leap = min(2*leap, 6*time.Hour)
		default:
			w.finish(m)
			return
		}
	}
	w.tellf("AWS: %v", w.aws.live.describe().Versions)
	w.tellf("project: %+v", w.api.project.Status.Environments)
	w.violatef("it does not come to rest")
}

// finish sweeps, once everything's time is over.
func (w *world) finish(m *manager) {
	w.now = w.now.Add(300 * time.Hour)
	m.cache.sync(w.api)
	m.sweep()
	m.sweep()
	m.cache.sync(w.api)
	m.projects(true)
}

// judgeStatus holds what must be true of each status that is written, and counts how changes end.
func (w *world) judgeStatus(c *v1alpha1.SecretChange, status *v1alpha1.SecretChangeStatus) {
	b := w.books[string(c.UID)]
	if status.Decision != nil {
		b.remember(status.Decision.ProjectUID)
	}
	if c.Status.Phase.Finished() && status.Phase != c.Status.Phase {
		w.violatef("%s has ended as %s and becomes %s", b.name, c.Status.Phase, status.Phase)
	}
	if c.Status.Phase == status.Phase {
		if !status.Phase.Finished() {
			w.happened("waits: " + readyReason(status))
		}
		return
	}
	if !status.Phase.Finished() {
		w.happened("phase: " + string(status.Phase))
		return
	}
	b.ended, b.reason = status.Phase, readyReason(status)
	w.happened("phase: " + string(b.ended) + ", " + b.reason)
	switch b.ended {
	case v1alpha1.PhaseRejected:
		if !b.rejected() {
			w.violatef("%s is Rejected by nobody", b.name)
		}
	case v1alpha1.PhaseConflicted:
		if shown := w.shown(b); b.reason == v1alpha1.ReasonOutcomeUnknown && shown != "" && !w.quietSince.IsZero() {
			w.violatef("what came of %s counts as unknown, and AWS shows %s", b.name, shown)
		}
		if w.upheavals == b.upheavals && !b.hostile && !b.spoilt && c.Spec.Rollback == nil {
			w.violatef("%s is Conflicted though nothing has moved: %s", b.name, status.Message)
		}
	case v1alpha1.PhaseExpired:
		r := record{c, 0}
		if !w.quietSince.IsZero() && !w.wild && !b.hostile && !b.bornApproved() && w.now.Sub(w.quietSince) > time.Hour && (status.Admission == nil || len(status.Admission.Discounted) == 0) &&
			w.grounds(r, w.quietSince) == "" {
			w.violatef("%s expires, and nothing hindered it: %s", b.name, c.Status.Message)
		}
	case v1alpha1.PhaseApplied:
		// Adoptions add labels to the live version, and of many the writer's may be trimmed, by which AWS bears witness.
		w.breakable = w.breakable || b.reason == v1alpha1.ReasonAdopted
	case v1alpha1.PhaseInvalid, v1alpha1.PhasePending, v1alpha1.PhaseApproved:
	}
}

// bornApproved: what it goes back to may be nobody's by the time that its writer is purged.
func (b *book) bornApproved() bool {
	return slices.ContainsFunc(b.ballots, func(v ballot) bool { return v.born })
}

// shown is the version that a change wrote, where it is live or was before, or "".
func (w *world) shown(b *book) string {
	if w.aws.live == nil {
		return ""
	}
	for _, id := range []string{w.aws.live.current(), w.aws.live.idWith(secretstore.LabelPrevious)} {
		if slices.Contains(b.wrote, id) {
			return id
		}
	}
	return ""
}

func readyReason(status *v1alpha1.SecretChangeStatus) string {
	for _, cond := range status.Conditions {
		if cond.Type == v1alpha1.ConditionReady {
			return cond.Reason
		}
	}
	return ""
}

// judgeRest holds what must be true once everything has come to rest.
func (w *world) judgeRest() {
	for _, r := range w.api.changes {
		w.judgeEnd(r, w.books[string(r.UID)])
	}
	w.judgeHistory()
	w.judgeStaged()
	w.judgeProject()
	w.judgeChains()
}

// judgeChains verifies the audit chains against AWS.
func (w *world) judgeChains() {
	if !w.sealed || w.aws.live == nil {
		return
	}
	history := audit.History{Secret: w.aws.live.describe().Versions}
	for _, r := range w.api.changes {
		history.Changes = append(history.Changes, *r.SecretChange)
	}
	report := audit.Verify(history)
	w.tally["audit: records to which AWS bears witness"] += report.Witnessed
	w.tally["audit: records that two managers have made of the same place"] += report.Live.Forks + report.Other.Forks
	for _, b := range report.Breaks {
		if w.breakable {
			w.happened("audit: a break is found where history was changed: " + string(b.Kind))
		} else {
			w.violatef("the audit chain is broken at %s: %s, %s", b.Change, b.Kind, b.Message)
		}
	}
}

func (w *world) judgeEnd(r record, b *book) {
	adopted := r.Spec.Restore != nil && r.Status.Revert == nil
	label := ""
	if w.aws.live != nil {
		label = w.aws.live.idWith(naming.VersionLabel(b.uid))
	}
	switch phase := r.Status.Phase; {
	case !phase.Finished():
		w.violatef("%s never ends: %s %s", b.name, phase, r.Status.Message)
	case phase == v1alpha1.PhaseApplied && b.went != 1 && !w.broughtLive(b) && !adopted && !b.mislabelled:
		w.violatef("%s is Applied and went live %d times", b.name, b.went)
	case phase != v1alpha1.PhaseApplied && b.went != 0 && b.reason != v1alpha1.ReasonOutcomeUnknown:
		w.violatef("%s is %s and went live", b.name, phase)
	case r.Status.Message == "":
		w.violatef("%s ends as %s without a word", b.name, phase)
	case len(r.Finalizers) != 0:
		w.violatef("%s keeps its finalizer", b.name)
	case phase != v1alpha1.PhaseApplied && label != "" && b.went == 0 && slices.Contains(b.wrote, label):
		w.violatef("%s is %s and keeps its label on %s", b.name, phase, label)
	case phase == v1alpha1.PhaseInvalid && !w.mayBeInvalid(r, b):
		w.violatef("%s is Invalid, and nothing is wrong with it: %s", b.name, r.Status.Message)
	}
}

// broughtLive reports whether somebody who goes by AWS alone made live what a change wrote.
func (w *world) broughtLive(b *book) bool {
	return slices.ContainsFunc(w.lives, func(l birth) bool { return l.by == nil && slices.Contains(b.wrote, l.version) })
}

// mayBeInvalid reports whether anything ever was wrong with a change.
func (w *world) mayBeInvalid(r record, b *book) bool {
	return people[b.proposer].mute || b.hostile || b.spoilt || !b.proven || r.Spec.Staged == nil || w.trust.Epoch > 1 || w.projectless ||
		b.reason == v1alpha1.ReasonTooManyPending
}

// judgeHistory compares what is on record with what was live, version by version.
func (w *world) judgeHistory() {
	for _, l := range w.lives {
		if l.by == nil || l.by.purged || l.by.mislabelled {
			continue
		}
		r := w.api.named(l.by.name)
		if string(r.UID) != l.by.uid || r.Status.Phase != v1alpha1.PhaseApplied {
			continue // judgeEnd has seen to it
		}
		s := r.Status
		switch doc := w.aws.document(l.version); {
		case s.AppliedVersionID != l.version:
			w.violatef("%s made %s live, and its record says %s", r.Name, l.version, s.AppliedVersionID)
		case s.PreviousVersionID != l.before:
			w.violatef("%s replaced %s, and its record says %s", r.Name, l.before, s.PreviousVersionID)
		case int(s.AppliedKeys) != len(doc):
			w.violatef("%s made %d keys live, and its record says %d", r.Name, len(doc), s.AppliedKeys)
		}
	}
}

// judgeStaged holds that nothing of a finished change is left in AWS, but for what somebody has laid hands on.
func (w *world) judgeStaged() {
	for _, s := range w.aws.staged {
		if s.deletedAt == nil && s.tags[naming.TagCluster] == cluster && s.tags[naming.TagStaging] == naming.StagingTrue &&
			s.holds(s.tags[naming.TagChange]) {
			w.violatef("the staged secret %s is left", s.name)
		}
	}
}

// judgeProject compares the project's record with AWS.
func (w *world) judgeProject() {
	e := w.api.project.Status.Environment(environment)
	if e == nil || w.aws.live == nil {
		w.violatef("the project says nothing of its environment")
		return
	}
	if e.LiveVersionID != w.aws.live.current() {
		w.violatef("the project says that %s is live, not %s", e.LiveVersionID, w.aws.live.current())
	}
	for _, v := range e.Versions {
		if found := w.aws.live.version(v.VersionID); found == nil || len(found.labels) == 0 {
			w.violatef("the project says that %s can be restored", v.VersionID)
		}
	}
}
