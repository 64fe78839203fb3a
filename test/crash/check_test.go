package crash_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

// checker holds what must be true of a team once its manager has come to rest. It works from what the API server has, from
// what AWS has, and from what people did.
type checker struct {
	*team
	project *v1alpha1.SecretProjectStatus
	changes []v1alpha1.SecretChange
	secret  emulator.SecretState
	staged  map[string]emulator.SecretState
	now     time.Time
	broken  []string
}

// violations says what is not as it must be; nothing is to be done any more where it is empty. Without a listing of AWS the
// project's record is not held to what others do there.
func (t *team) violations(listed bool) []string {
	c := &checker{team: t, now: time.Now(), staged: map[string]emulator.SecretState{}}
	var err error
	if c.changes, err = t.site.changes(t.project); err != nil {
		return []string{err.Error()}
	}
	var p v1alpha1.SecretProject
	if err := t.cache.Get(context.Background(), client.ObjectKey{Namespace: namespace, Name: t.project}, &p); err != nil {
		return []string{err.Error()}
	}
	c.project = &p.Status
	for name, secret := range t.secrets() {
		if name == t.live() {
			c.secret = secret
		} else if change, staged := strings.CutPrefix(name, t.staged("")); staged {
			c.staged[change] = secret
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range c.changes {
		c.change(&c.changes[i])
	}
	c.everythingLive()
	c.everythingStaged()
	if listed {
		c.record()
	}
	return c.broken
}

func (c *checker) sayf(format string, args ...any) {
	c.broken = append(c.broken, c.team.project+": "+fmt.Sprintf(format, args...))
}

// wrote are the versions that were written for a change.
func (c *checker) wrote(change *v1alpha1.SecretChange) map[string]bool {
	all := map[string]bool{}
	if change.Adopted() {
		return all
	}
	label := naming.VersionLabel(string(change.UID))
	for _, v := range c.secret.Versions {
		if slices.Contains(v.Labels, label) && !c.external[v.ID] {
			all[v.ID] = true
		}
	}
	if a := change.Status.Attempt; a != nil {
		all[a.VersionID] = true
	}
	if v := change.Status.AppliedVersionID; v != "" {
		all[v] = true
	}
	return all
}

// turns is how often the managers made one of these versions live.
func (c *checker) turns(versions map[string]bool) int {
	n := 0
	for _, v := range c.secret.Currents {
		if versions[v] {
			n++
		}
	}
	for v := range versions {
		n -= c.undone[v]
	}
	return n
}

func (c *checker) change(change *v1alpha1.SecretChange) {
	s, name := change.Status, change.Name
	if !s.Phase.Finished() {
		c.unfinished(change)
		return
	}
	ready := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady)
	if s.Message == "" || s.FinishedAt == nil || ready == nil || ready.Reason == "" {
		c.sayf("%s ended as %s without a word", name, s.Phase)
		return
	}
	kept := c.now.Before(change.KeptUntil())
	if len(change.Finalizers) > 0 && !kept {
		c.sayf("%s is %s and keeps its finalizer", name, s.Phase)
	}
	turns := c.turns(c.wrote(change))
	switch unknown := ready.Reason == v1alpha1.ReasonOutcomeUnknown; {
	case s.Phase == v1alpha1.PhaseApplied:
		c.applied(change, turns)
	case turns != 0 && (!unknown || turns != 1):
		c.sayf("%s is %s (%s) and was made live %d times", name, s.Phase, s.Message, turns)
	case turns == 0 && (change.Spec.Restore == nil || s.Revert != nil):
		c.unlabelled(change)
	}
}

// unfinished changes wait for people, and for nothing else.
func (c *checker) unfinished(change *v1alpha1.SecretChange) {
	if change.Status.Phase != v1alpha1.PhasePending {
		c.sayf("%s has not ended: it is %q, %s", change.Name, change.Status.Phase, change.Status.Message)
	}
	if change.DeletionTimestamp != nil {
		c.sayf("%s is being deleted", change.Name)
	}
	if turns := c.turns(c.wrote(change)); turns != 0 {
		c.sayf("%s is %s and was made live", change.Name, change.Status.Phase)
	}
	if secret, there := c.staged[change.Name]; change.Spec.Staged != nil && (!there || !secret.DeletedAt.IsZero()) {
		c.sayf("%s is %s, and what was staged for it is gone", change.Name, change.Status.Phase)
	}
}

func (c *checker) unlabelled(change *v1alpha1.SecretChange) {
	for _, v := range c.secret.Versions {
		if slices.Contains(v.Labels, naming.VersionLabel(string(change.UID))) {
			c.sayf("%s is %s and version %s bears its label", change.Name, change.Status.Phase, v.ID)
		}
	}
}

// applied holds a change that was made live against the versions in AWS.
func (c *checker) applied(change *v1alpha1.SecretChange, turns int) {
	s := change.Status
	c.approved(change)
	if change.Adopted() {
		return
	}
	if turns != 1 {
		c.sayf("%s is Applied and was made live %d times", change.Name, turns)
	}
	for _, v := range c.secret.Versions {
		labelled := slices.Contains(v.Labels, naming.VersionLabel(string(change.UID)))
		switch ours := v.ID == s.AppliedVersionID; {
		case labelled && !ours:
			c.sayf("%s wrote version %s, and version %s bears its label", change.Name, s.AppliedVersionID, v.ID)
		case !labelled && ours && (!c.trims || change == c.lastApplied()):
			c.sayf("%s wrote version %s, which does not bear its label", change.Name, v.ID)
		}
	}
	i := slices.Index(c.secret.Currents, s.AppliedVersionID)
	if i < 0 {
		return // said already
	}
	before := ""
	if i > 0 {
		before = c.secret.Currents[i-1]
	}
	if s.PreviousVersionID != before {
		c.sayf("%s replaced version %q, and says %q", change.Name, before, s.PreviousVersionID)
	}
	c.wroteWhatWasReviewed(change, before)
}

// approved holds that those who were counted have approved, and were enough.
func (c *checker) approved(change *v1alpha1.SecretChange) {
	d := change.Status.Decision
	if d == nil || len(d.Approvers) < c.quorum && !c.own(change) {
		c.sayf("%s is Applied without enough approvals: %+v", change.Name, d)
		return
	}
	for _, who := range d.Approvers {
		if who == change.Spec.ProposedBy && !c.own(change) || !slices.Contains(c.approvals[change.Name], who) {
			c.sayf("%s counted %s, who has not approved it", change.Name, who)
		}
	}
}

// own reports whether its proposer may approve a change alone.
func (c *checker) own(change *v1alpha1.SecretChange) bool {
	return change.Spec.ProposedBy == dave && change.Spec.Staged == nil
}

// wroteWhatWasReviewed compares values with a model of what the change does to those before.
func (c *checker) wroteWhatWasReviewed(change *v1alpha1.SecretChange, before string) {
	base := c.values(before)
	var want values
	switch {
	case change.Spec.Staged != nil:
		want = c.edits[change.Name].on(base)
	case change.Spec.Restore != nil:
		want = c.values(change.Status.Revert.ToVersionID)
	default:
		want = undo(base, c.values(change.Status.Revert.FromVersionID), c.values(change.Status.Revert.ToVersionID))
	}
	if got := c.values(change.Status.AppliedVersionID); !maps.Equal(got, want) {
		c.sayf("%s wrote %v instead of %v", change.Name, got, want)
	}
}

// undo puts back the keys that differ between two versions.
func undo(base, from, to values) values {
	out := values{}
	maps.Copy(out, base)
	for key := range from {
		if _, stays := to[key]; !stays {
			delete(out, key)
		}
	}
	for key, value := range to {
		if old, was := from[key]; !was || old != value {
			out[key] = value
		}
	}
	return out
}

// values are those of a version, none of none.
func (c *checker) values(version string) values {
	for _, v := range c.secret.Versions {
		if v.ID == version {
			decoded, err := decode(v.Value)
			if err != nil {
				c.sayf("version %s cannot be read: %v", version, err)
			}
			return decoded
		}
	}
	return values{}
}

// everythingLive holds that each version that ever was live is somebody's.
func (c *checker) everythingLive() {
	known := maps.Clone(c.external)
	for i := range c.changes {
		maps.Copy(known, c.wrote(&c.changes[i]))
	}
	for _, v := range c.secret.Currents {
		if !known[v] && len(c.left) == 0 {
			c.sayf("version %s was live, and is neither a change's nor anybody else's", v)
		}
	}
}

// everythingStaged holds that what is staged belongs to a change that is not finished, or is kept for a rebase. A change that
// was deleted before a manager saw it leaves something to the sweep.
func (c *checker) everythingStaged() {
	for name, secret := range c.staged {
		i := slices.IndexFunc(c.changes, func(change v1alpha1.SecretChange) bool { return change.Name == name })
		switch {
		case i < 0 && secret.DeletedAt.IsZero() && (!c.left[name] || c.overdue(secret)):
			c.sayf("something is staged for %s, which is not there", name)
		case i >= 0 && c.changes[i].Status.Phase.Finished() && !c.now.Before(c.changes[i].KeptUntil()):
			c.sayf("%s is %s, and something is still staged for it", name, c.changes[i].Status.Phase)
		}
	}
	for i := range c.changes {
		if secret, there := c.staged[c.changes[i].Name]; c.now.Before(c.changes[i].KeptUntil()) && (!there || !secret.DeletedAt.IsZero()) {
			c.sayf("%s conflicted, and what was staged for it is gone already", c.changes[i].Name)
		}
	}
}

// record holds the project's status against AWS and the changes.
func (c *checker) record() {
	e := c.project.Environment(environment)
	if e == nil || e.SecretARN != c.secret.ARN {
		c.sayf("the project does not know its secret")
		return
	}
	live := ""
	if n := len(c.secret.Currents); n > 0 {
		live = c.secret.Currents[n-1]
	}
	if e.LiveVersionID != live {
		c.sayf("version %s is live, and the project says %s", live, e.LiveVersionID)
	}
	if e.Problem != nil {
		c.sayf("the project has a problem: %s", e.Problem.Message)
	}
	last := c.lastApplied()
	if last == nil {
		return
	}
	if e.LastAppliedVersionID != last.Status.AppliedVersionID || e.LastAppliedChange != last.Name {
		c.sayf("%s was applied last, and the project says %s", last.Name, e.LastAppliedChange)
	}
	if drifted := live != last.Status.AppliedVersionID; drifted != (e.Drift != nil) {
		c.sayf("version %s is live, %s was applied last, and the project says of drift: %+v", live, last.Status.AppliedVersionID, e.Drift)
	}
}

// overdue reports whether the sweep should have taken something staged.
func (c *checker) overdue(secret emulator.SecretState) bool {
	tags, err := naming.ParseStagedTags(secret.Tags)
	return err != nil || c.now.After(tags.KeepUntil)
}

func (c *checker) lastApplied() *v1alpha1.SecretChange {
	var last *v1alpha1.SecretChange
	for i := range c.changes {
		change := &c.changes[i]
		if change.Status.Phase == v1alpha1.PhaseApplied && (last == nil || last.Status.AppliedAt.Before(change.Status.AppliedAt)) {
			last = change
		}
	}
	return last
}
