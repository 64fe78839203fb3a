package simulation_test

import (
	"fmt"
	"io"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
)

const (
	listedAccount   = "system:serviceaccount:ci:listed"
	unlistedAccount = "system:serviceaccount:ci:unlisted"
)

// person is somebody with all the names that they can sign in under.
type person struct {
	names []string
	// mute says that they may neither propose nor approve: a list that named them has shrunk, or admission was wrong.
	mute bool
}

// people are those who propose and review. Everybody who may assume a role can take any session's name, so that all its
// names are one person's; not those of a role whose sessions the identity provider names.
var people = []person{
	{names: []string{"alice"}},
	{names: []string{"bob"}},
	{names: []string{"carol"}},
	{names: []string{
		"arn:aws:sts::111122223333:assumed-role/dev/one", "arn:aws:sts::111122223333:assumed-role/dev/two",
		"arn:aws:sts::111122223333:assumed-role/dev/three"}},
	{names: []string{"arn:aws:sts::111122223333:assumed-role/enforced/erin"}},
	{names: []string{"arn:aws:sts::111122223333:assumed-role/enforced/frank"}},
	{names: []string{"arn:aws:sts::444455556666:assumed-role/dev/one"}},
	{names: []string{listedAccount}},
	{names: []string{unlistedAccount, "system:anonymous"}, mute: true},
}

func (w *world) somebody() (who int, as string) {
	who = w.pick(len(people))
	return who, people[who].names[w.pick(len(people[who].names))]
}

// zeros is randomness without any: a schedule must replay.
type zeros struct{ io.Reader }

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

var nonce = func() sensitive.Value {
	n, err := document.NewNonce(zeros{})
	if err != nil {
		panic(err)
	}
	return n
}()

// edit draws the state that somebody wants.
func (w *world) edit(doc document.Document) document.Document {
	wanted := doc.Clone()
	if wanted == nil {
		wanted = document.Document{}
	}
	wanted[[]string{"A", "C", "D", "E"}[w.pick(4)]] = sensitive.New(w.id())
	if w.pick(4) == 0 {
		delete(wanted, "B")
	}
	if w.pick(6) == 0 {
		wanted["B"] = sensitive.New(w.id())
	}
	return wanted
}

// newName is a name that is not taken; now and then that of a change which is gone.
func (w *world) newName() string {
	if len(w.ordered) > 0 && w.pick(5) == 0 {
		if b := w.ordered[w.pick(len(w.ordered))]; w.api.named(b.name).SecretChange == nil {
			w.happened("people: a name is made anew")
			return b.name
		}
	}
	return fmt.Sprintf("change-%d", len(w.ordered)+1)
}

// created opens the books of a new change.
func (w *world) created(r record, who int) *book {
	b := &book{name: r.Name, uid: string(r.UID), proposer: who, spec: r.Spec, created: w.now, proven: !w.tampered, upheavals: w.upheavals}
	w.books[b.uid] = b
	w.ordered = append(w.ordered, b)
	w.tellf("%s is proposed by %s on %s", b.name, r.Spec.ProposedBy, r.Spec.BaseVersionID)
	return b
}

func stagedDocument(change string, patch document.Patch) (sensitive.Value, error) {
	identity := document.Identity{Cluster: cluster, Namespace: namespace, Project: projectName, Environment: environment, Change: change}
	return document.Staged{Version: document.StagedVersion, Identity: identity, Nonce: nonce, Patch: patch}.Encode()
}

// stage puts an edit into a staged secret.
func (w *world) stage(name string, patch document.Patch) (*secret, *v1alpha1.StagedSource) {
	value, err := stagedDocument(name, patch)
	if err != nil {
		return nil, nil
	}
	s := &secret{
		name: naming.StagedSecret(naming.DefaultPrefix, projectName, name), createdAt: w.now,
		tags: naming.StagedTags{Cluster: cluster, Namespace: namespace, Project: projectName, Environment: environment,
			Change: name, KeepUntil: w.now.Add(time.Hour)}.Map(),
	}
	s.arn = "arn:aws:secretsmanager:" + region + ":" + account + ":secret:" + s.name + "-" + w.id()[30:]
	v := &version{id: w.id(), value: value, labels: []string{secretstore.LabelCurrent}}
	s.versions = []*version{v}
	w.aws.staged = append(w.aws.staged, s)
	return s, &v1alpha1.StagedSource{SecretARN: s.arn, VersionID: v1alpha1.VersionID(v.id), Digest: document.Digest(value)}
}

func (w *world) spec(as string) v1alpha1.SecretChangeSpec {
	spec := v1alpha1.SecretChangeSpec{Project: projectName, Environment: environment, Reason: "because", ProposedBy: as}
	if w.aws.live != nil {
		spec.BaseVersionID = v1alpha1.VersionID(w.aws.live.current())
	}
	return spec
}

// propose stages an edit of what is live, and creates its change; now and then never.
func (w *world) propose() {
	doc := w.aws.liveDocument()
	if doc == nil && (w.aws.live == nil || w.aws.live.current() != "") {
		return
	}
	who, as := w.somebody()
	name := w.newName()
	patch := document.NewPatch(doc, w.edit(doc))
	s, source := w.stage(name, patch)
	if s == nil {
		return
	}
	if w.pick(20) == 0 {
		w.happened("people: something is staged and never proposed")
		return
	}
	spec := w.spec(as)
	spec.Staged = source
	b := w.created(w.api.create(name, spec), who)
	b.patch, b.stagedARN = patch, s.arn
	w.happened("people: an edit is proposed")
}

// revert proposes to go back by any change or version, also by one that it cannot.
func (w *world) revert() {
	if len(w.ordered) == 0 || w.aws.live == nil {
		return
	}
	who, as := w.somebody()
	spec := w.spec(as)
	named := w.ordered[w.pick(len(w.ordered))].name
	switch w.pick(4) {
	case 0:
		spec.Restore = &v1alpha1.RestoreSource{Change: named}
	case 1:
		if len(w.aws.live.versions) > 0 {
			spec.Restore = &v1alpha1.RestoreSource{VersionID: v1alpha1.VersionID(w.aws.live.versions[w.pick(len(w.aws.live.versions))].id)}
			break
		}
		fallthrough
	default:
		spec.Rollback = &v1alpha1.RollbackSource{Change: named}
	}
	if spec.BaseVersionID == "" {
		return // the CRD refuses
	}
	if w.pick(3) == 0 {
		spec.Reviews = []v1alpha1.Review{{Reviewer: as, Verdict: v1alpha1.VerdictApproved}}
		w.happened("people: a rollback or restore is born approved")
	}
	b := w.created(w.api.create(w.newName(), spec), who)
	if spec.Reviews != nil {
		b.cast(w, who, as, v1alpha1.VerdictApproved, true)
	}
	w.happened("people: a rollback or restore is proposed")
}

// adopt proposes to restore what is live.
func (w *world) adopt() {
	if w.aws.live == nil || w.aws.live.current() == "" {
		return
	}
	who, as := w.somebody()
	spec := w.spec(as)
	spec.Restore = &v1alpha1.RestoreSource{VersionID: spec.BaseVersionID}
	w.created(w.api.create(w.newName(), spec), who)
	w.happened("people: an adoption is proposed")
}

// open are the changes that take reviews, as admission says.
func (w *world) open() []record {
	var out []record
	for _, r := range w.api.changes {
		if !r.Status.Phase.Finished() {
			out = append(out, r)
		}
	}
	return out
}

// review adds a verdict as somebody.
func (w *world) review(verdict v1alpha1.Verdict) {
	open := w.open()
	if len(open) == 0 {
		return
	}
	r := open[w.pick(len(open))]
	who, as := w.somebody()
	if b := w.books[string(r.UID)]; w.pick(6) == 0 {
		// Again, under any of their names.
		who = b.proposer
		if n := len(b.ballots); n > 0 && w.pick(2) == 0 {
			who = b.ballots[w.pick(n)].who
		}
		as = people[who].names[w.pick(len(people[who].names))]
	}
	w.give(r, who, as, verdict)
}

// give adds a verdict as the CRD's rules and the admission policies allow it.
func (w *world) give(r record, who int, as string, verdict v1alpha1.Verdict) {
	b := w.books[string(r.UID)]
	own := as == r.Spec.ProposedBy
	if !w.tampered && verdict == v1alpha1.VerdictApproved && own && r.Spec.Staged == nil {
		return
	}
	at := slices.IndexFunc(r.Spec.Reviews, func(review v1alpha1.Review) bool { return review.Reviewer == as })
	switch {
	case at >= 0 && (r.Spec.Reviews[at].Verdict == verdict || verdict == v1alpha1.VerdictApproved):
		return
	case at < 0 && len(r.Spec.Reviews) >= v1alpha1.MaxReviews:
		return
	}
	w.api.update(r.Name, r.UID, 0, func(c *v1alpha1.SecretChange) {
		reviews := slices.Clone(c.Spec.Reviews)
		if at >= 0 {
			reviews[at].Verdict = verdict
			w.happened("people: an approval becomes a rejection")
		} else {
			reviews = append(reviews, v1alpha1.Review{Reviewer: as, Verdict: verdict})
		}
		c.Spec.Reviews = reviews
		c.Generation++
	})
	b.cast(w, who, as, verdict, false)
	switch {
	case verdict == v1alpha1.VerdictRejected && own:
		w.happened("people: a change is withdrawn")
	case verdict == v1alpha1.VerdictRejected:
		w.happened("people: a change is rejected")
	case people[who].mute:
		w.happened("people: somebody approves who may not")
	case own:
		w.happened("people: somebody approves their own")
	case who == b.proposer:
		w.happened("people: somebody approves their own under another session")
	case slices.ContainsFunc(b.ballots[:len(b.ballots)-1], func(earlier ballot) bool { return earlier.who == who }):
		w.happened("people: somebody approves under another session")
	default:
		w.happened("people: a change is approved")
	}
	w.tellf("%s: %s by %s", r.Name, verdict, as)
}

// remember is under which project a decision was ever on record.
func (b *book) remember(uid types.UID) {
	if !slices.Contains(b.decidedUnder, uid) {
		b.decidedUnder = append(b.decidedUnder, uid)
	}
}
