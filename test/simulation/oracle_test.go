package simulation_test

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// ballot is one review, with what no object tells.
type ballot struct {
	// who gave it in truth, and under which name.
	who     int
	as      string
	verdict v1alpha1.Verdict
	// proven says that nobody could have forged it, epoch and project under what it was given.
	proven  bool
	epoch   int64
	project types.UID
	born    bool
}

// book is what the oracle knows of a change. None of it comes from the core.
type book struct {
	name, uid string
	proposer  int
	spec      v1alpha1.SecretChangeSpec
	created   time.Time
	// proven says that nobody could have forged the proposal.
	proven    bool
	ballots   []ballot
	patch     document.Patch
	stagedARN string
	// hostile says that the change is an attack, spoilt that somebody has laid hands on what it staged or on its status,
	// mislabelled that somebody has put its label onto a version which it did not write.
	hostile, spoilt, mislabelled bool
	// wrote are the versions that were put for it, went how often one of them went live.
	wrote []string
	went  int
	// upheavals is how many there had been when it was created.
	upheavals    int
	decidedUnder []types.UID
	purged       bool
	// ended is the phase that it ended with, and why.
	ended  v1alpha1.Phase
	reason string
}

// birth is one version's becoming live, by a change or, where by is nil, by somebody who went by AWS alone.
type birth struct {
	version, before string
	by              *book
}

// cast writes down a review.
func (b *book) cast(w *world, who int, as string, verdict v1alpha1.Verdict, born bool) {
	cast := ballot{who: who, as: as, verdict: verdict, proven: !w.tampered, epoch: w.trust.Epoch, born: born}
	if p := w.api.project.SecretProject; p != nil {
		cast.project = p.UID
	}
	b.ballots = append(b.ballots, cast)
}

// witness is what was true when a manager read everything past its cache.
type witness struct {
	taken bool
	// why the change may not become live; empty if it may.
	why    string
	strict bool
	// base is the live version that the reviewers saw.
	base string
}

func (w *world) witness(r record, clock time.Time) witness {
	s := witness{taken: true, why: w.grounds(r, clock), strict: true, base: cmp.Or(string(r.Spec.BaseVersionID), r.Status.BaseVersionID)}
	if p := w.api.project.SecretProject; p != nil && r.Spec.Staged != nil {
		s.strict = p.Spec.ConflictPolicy != v1alpha1.ConflictByKey
	}
	return s
}

// written looks once more at the reviews: who writes the status names the version of the object that was read.
func (s *witness) written(w *world, r record) {
	if s.taken && s.why == "" && w.books[string(r.UID)].rejected() {
		s.why = "was rejected meanwhile"
	}
}

func (b *book) rejected() bool {
	return slices.ContainsFunc(b.ballots, func(v ballot) bool { return v.verdict == v1alpha1.VerdictRejected })
}

// rules are the project's, read from its spec by their documentation.
type rules struct {
	required                         int
	preventSelf, suspended, reviewed bool
	ttl                              time.Duration
}

func (w *world) rules() (rules, bool) {
	p := w.api.project.SecretProject
	if p == nil || len(p.Spec.Environments) == 0 || p.Spec.Environments[0].Name != environment {
		return rules{}, false
	}
	s, out := p.Spec, rules{required: 1, preventSelf: true, ttl: 168 * time.Hour}
	if n := s.Environments[0].RequiredApprovals; n != nil {
		out.required = int(*n)
	}
	if s.PreventSelfApproval != nil {
		out.preventSelf = *s.PreventSelfApproval
	}
	if s.ChangeTTL != nil {
		out.ttl = s.ChangeTTL.Duration
	}
	out.suspended = s.Suspend != nil && *s.Suspend
	out.reviewed = s.Rollback != nil && s.Rollback.RequireReview != nil && *s.Rollback.RequireReview
	return out, true
}

// grounds says why a change may not become live now, or "".
func (w *world) grounds(r record, clock time.Time) string {
	b := w.books[string(r.UID)]
	rules, ok := w.rules()
	switch {
	case !ok:
		return "without a project"
	case rules.suspended:
		return "in a freeze"
	case !w.trust.Intact:
		return "while names can be forged"
	case people[b.proposer].mute:
		return "proposed by who may not"
	case !b.proven:
		return "proposed by nobody knows whom"
	case !clock.Before(r.CreationTimestamp.Add(rules.ttl)):
		return "after its time"
	case b.rejected():
		return "rejected"
	}
	approvers := map[int]bool{}
	for _, v := range b.ballots {
		stale := v.project != w.api.project.UID && slices.Contains(b.decidedUnder, v.project)
		switch own := v.who == b.proposer; {
		case !v.proven || v.epoch != w.trust.Epoch || stale:
		case own && v.born && !rules.reviewed && w.goesBackToOurs(r):
			return ""
		case people[v.who].mute || (own && rules.preventSelf):
		default:
			approvers[v.who] = true
		}
	}
	if len(approvers) < rules.required {
		return "with too few approvals"
	}
	return ""
}

// goesBackToOurs reports whether changes wrote what a rollback or restore goes back to and, of a rollback, what it keeps.
func (w *world) goesBackToOurs(r record) bool {
	ours := func(version string) bool {
		return slices.ContainsFunc(w.lives, func(l birth) bool { return l.version == version && (l.by != nil || w.written(version)) })
	}
	target := ""
	switch revert := r.Status.Revert; {
	case revert != nil:
		target = revert.ToVersionID
	case r.Spec.Restore != nil:
		target = string(r.Spec.BaseVersionID) // it adopts
	}
	return ours(target) && (r.Spec.Rollback == nil || ours(string(r.Spec.BaseVersionID)))
}

// written reports whether a version was put for a change, whoever made it live.
func (w *world) written(version string) bool {
	return slices.ContainsFunc(w.ordered, func(b *book) bool { return slices.Contains(b.wrote, version) })
}

// judgeLive holds what must be true when a version becomes live for a change.
func (w *world) judgeLive(l birth, r record, seen witness) {
	b := l.by
	if b.went++; b.went == 2 && w.undoneInTwoSteps(b) {
		w.happened("live: once more, after an undo in two steps before it was on record")
		b.went--
	}
	w.happened("live: a change")
	now := w.api.named(b.name)
	if now.SecretChange == nil || now.UID != r.UID {
		w.happened("live: a change that was purged meanwhile")
		now = r
	}
	switch a := now.Status.Attempt; {
	case !seen.taken:
		w.violatef("%s goes live on what a cache said", b.name)
	case seen.why != "":
		w.violatef("%s goes live %s", b.name, seen.why)
	case a == nil || a.VersionID != l.version || !a.Moved:
		w.violatef("%s goes live without an attempt on record", b.name)
	case b.went > 1:
		w.violatef("%s goes live a second time", b.name)
	case now.Status.Phase.Finished():
		w.violatef("%s goes live after it has ended as %s", b.name, now.Status.Phase)
	case !slices.Contains(b.wrote, l.version):
		w.violatef("%s makes live what it did not write", b.name)
	case !w.aws.strange.IsZero() && w.now.Sub(w.aws.strange) > staleness+late:
		w.violatef("%s writes a secret that is not ours", b.name)
	case w.foreignUnnoticed():
		w.violatef("%s goes live beside a foreign label", b.name)
	}
	w.judgeContent(l, r, seen)
}

// undoneInTwoSteps reports whether a change was live before, somebody took both labels back to where its attempt had found
// them, and no manager had seen it live: a limit that docs/security.md tells.
func (w *world) undoneInTwoSteps(b *book) bool {
	first := slices.IndexFunc(w.lives, func(l birth) bool { return l.by == b })
	byHand := 0
	for _, l := range w.lives[first+1 : len(w.lives)-1] {
		if l.by != nil {
			return false
		}
		byHand++
	}
	return byHand > 0
}

// foreignUnnoticed reports whether a version that is on no record has borne the label of no change for a while.
func (w *world) foreignUnnoticed() bool {
	if w.now.Sub(w.aws.foreign) < staleness+late {
		return false
	}
	return slices.ContainsFunc(w.aws.live.versions, func(v *version) bool {
		return !w.remembers(v.id) && slices.ContainsFunc(v.labels, func(l string) bool { return strings.HasPrefix(l, naming.VersionLabel(foreignUID)) })
	})
}

// remembers reports whether the project's record names a version.
func (w *world) remembers(id string) bool {
	p := w.api.project.SecretProject
	if p == nil {
		return false
	}
	env := p.Status.Environment(environment)
	return env != nil && (env.LastAppliedVersionID == id ||
		slices.ContainsFunc(env.Versions, func(v v1alpha1.RestorableVersion) bool { return v.VersionID == id }))
}

func (w *world) judgeContent(l birth, r record, seen witness) {
	before, after := w.aws.document(l.before), w.aws.document(l.version)
	switch {
	case before == nil:
		w.violatef("%s replaces what is no document", r.Name)
	case after == nil:
		w.violatef("%s writes what is no document", r.Name)
	case seen.strict && seen.base != l.before && !l.by.spoilt:
		w.violatef("%s goes live on another base than was reviewed", r.Name)
	case r.Spec.Staged == nil:
		w.judgeRevert(l, r, before, after)
	case len(l.by.patch.Clashes(before)) > 0:
		w.violatef("%s overwrites what somebody changed since", r.Name)
	case !l.by.patch.Apply(before).Equal(after):
		w.violatef("%s loses an update", r.Name)
	}
}

// judgeRevert holds what a rollback or restore makes live.
func (w *world) judgeRevert(l birth, r record, before, after document.Document) {
	if r.Spec.Restore != nil {
		if to := w.restored(r); !slices.ContainsFunc(to, func(id string) bool { return after.Equal(w.aws.document(id)) }) {
			w.violatef("%s restores something else", r.Name)
		}
		return
	}
	undone := slices.ContainsFunc(w.lives, func(of birth) bool {
		return w.wroteAs(r.Spec.Rollback.Change, of.version) && w.undoes(of, before, after)
	})
	if !undone && !w.mislabelled(r.Spec.Rollback.Change) {
		w.violatef("%s does not undo %s and nothing else", r.Name, r.Spec.Rollback.Change)
	}
}

// mislabelled reports whether somebody has made it look as if a change of that name had written another version.
func (w *world) mislabelled(name string) bool {
	return slices.ContainsFunc(w.ordered, func(b *book) bool { return b.name == name && b.mislabelled })
}

// wroteAs reports whether a change of that name wrote a version, whoever made it live.
func (w *world) wroteAs(name, version string) bool {
	return slices.ContainsFunc(w.ordered, func(b *book) bool { return b.name == name && slices.Contains(b.wrote, version) })
}

// restored are the versions that a restore may mean: names may have been made anew.
func (w *world) restored(r record) []string {
	if id := r.Spec.Restore.VersionID; id != "" {
		return []string{string(id)}
	}
	var out []string
	for _, b := range w.ordered {
		if b.name != r.Spec.Restore.Change {
			continue
		}
		out = append(out, b.wrote...)
		if b.spec.Restore != nil {
			out = append(out, string(b.spec.BaseVersionID)) // it adopted that
		}
	}
	return out
}

// undoes reports whether exactly what one change did is undone from before to after.
func (w *world) undoes(of birth, before, after document.Document) bool {
	wrote, replaced := w.aws.document(of.version), w.aws.document(of.before)
	for _, key := range union(wrote, replaced, before, after) {
		touched := !sameValue(wrote, replaced, key)
		if touched && !sameValue(after, replaced, key) || !touched && !sameValue(after, before, key) {
			return false
		}
	}
	return true
}

func union(documents ...document.Document) []string {
	var keys []string
	for _, doc := range documents {
		for key := range doc {
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

func sameValue(a, b document.Document, key string) bool {
	x, hasX := a[key]
	y, hasY := b[key]
	return hasX == hasY && x.Equal(y)
}

// judgeLabel holds whose labels a change may touch.
func (w *world) judgeLabel(in secretstore.MoveLabelInput, b *book, r record, seen witness, status *v1alpha1.SecretChangeStatus) {
	if in.Label == secretstore.LabelCurrent {
		return
	}
	uid, kept, ours := naming.ParseLabel(in.Label)
	owner := w.books[uid]
	switch {
	case !ours:
		w.violatef("%s moves the label %s, which is not ours", b.name, in.Label)
	case uid == b.uid && !kept && in.To == "" && b.went > 0 && r.DeletionTimestamp == nil && readyReason(status) != v1alpha1.ReasonOutcomeUnknown:
		w.violatef("%s takes its label off what it has made live", b.name)
	case uid == b.uid && !kept && in.From == "" && (!seen.taken || seen.why != ""):
		w.violatef("%s adopts %s", b.name, seen.why)
	case uid != b.uid && in.To != "":
		w.violatef("%s moves the label of another change", b.name)
	case uid != b.uid && owner != nil && !kept:
		if other := w.api.named(owner.name); other.SecretChange != nil && string(other.UID) == uid && !other.Status.Phase.Finished() {
			w.violatef("%s takes off the label of %s, which has not ended", b.name, owner.name)
		}
	}
}

// judgeDeletion holds whose staged secret a change may have deleted, and when.
func (w *world) judgeDeletion(arn string, r record, clock time.Time) {
	s := w.aws.stagedBy(arn)
	if s == nil {
		return
	}
	now := w.api.named(r.Name)
	switch {
	case !s.holds(r.Name):
		w.violatef("%s deletes another's staged secret", r.Name)
	case now.SecretChange == nil || now.DeletionTimestamp != nil:
	case now.UID != r.UID && now.Spec.Staged != nil && now.Spec.Staged.SecretARN == arn:
		w.violatef("the %s of before deletes what that of now has staged", r.Name)
	case now.UID == r.UID && (!now.Status.Phase.Finished() || clock.Before(now.KeptUntil())):
		w.violatef("%s deletes what it still needs", r.Name)
	}
}

// holds reports whether a secret was staged for a change of this name, whatever somebody has tagged it with since.
func (s *secret) holds(change string) bool {
	return s.name == naming.StagedSecret(naming.DefaultPrefix, projectName, change)
}

// judgeSweep holds that nobody needs what is swept.
func (w *world) judgeSweep(s *secret, deletes bool) {
	for _, r := range w.api.changes {
		if deletes && r.Spec.Staged != nil && r.Spec.Staged.SecretARN == s.arn && s.holds(r.Name) && !r.Status.Phase.Finished() {
			w.violatef("the sweep takes what %s has staged", r.Name)
		}
	}
}

// judgeTrim holds that only history goes, and none that a label in AWS speaks of.
func (w *world) judgeTrim(r record) {
	if !r.Status.Phase.Finished() {
		w.violatef("%s is trimmed before it has ended", r.Name)
	}
	if w.aws.live != nil && w.aws.live.with(naming.VersionLabel(string(r.UID))) != nil {
		w.violatef("%s is trimmed, and leaves its label", r.Name)
	}
}
