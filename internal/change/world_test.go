package change_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/policy"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
)

const (
	cluster   = "blue"
	namespace = "demo"
	liveName  = naming.DefaultPrefix + "api/production"
	liveARN   = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:" + liveName + "-AbCdEf"
)

var errLost = errors.New("the answer was lost")

// version is one version of the model's live secret.
type version struct {
	value  sensitive.Value
	labels map[string]bool
}

// world is a model of everything around the state machine: one live secret with
// AWS's rules for labels, staged secrets, and the API server's objects.
type world struct {
	settings change.Settings
	now      time.Time
	random   *rand.Rand
	trust    change.Trust
	project  *v1alpha1.SecretProject
	changes  []*v1alpha1.SecretChange
	versions map[string]*version
	// gone are the values of versions that AWS has deleted, as it may whenever
	// it is forgetful.
	gone      map[string]sensitive.Value
	forgetful func() bool
	secret    secretstore.Secret
	staged    map[string]secretstore.Version
	tags      map[string]map[string]string
	// moves counts how often each change's version became live, by UID.
	moves map[string]int
	// unproven are the reviews that may be forged, by change and reviewer.
	unproven map[string]map[string]bool
	patches  map[string]document.Patch
	// lose makes the next effects' answers get lost, crash stops before them.
	lose, crash func() bool
	// before happens once, just before AWS carries out a move of AWSCURRENT.
	before func()
	ids    int
	// past are answers of Describe that are true no more; stale picks one of
	// those that AWS may still give.
	past       []answer
	stale      func() bool
	violations []string
}

func never() bool { return false }

// answer is what Describe said until a moment.
type answer struct {
	until    time.Time
	versions map[string][]string
}

// changing remembers what Describe says before something changes.
func (w *world) changing() {
	w.past = append(w.past, answer{w.now, w.describe().Versions})
}

// describeMaybeOld gives the truth, or now and then what was true within the
// last ConsistencyGrace.
func (w *world) describeMaybeOld() secretstore.Secret {
	secret := w.describe()
	if !w.stale() {
		return secret
	}
	for _, old := range w.past {
		if w.now.Sub(old.until) < w.settings.ConsistencyGrace {
			secret.Versions = old.versions
			return secret
		}
	}
	return secret
}

func newWorld(seed uint64) *world {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	w := &world{
		now: start, random: rand.New(rand.NewPCG(seed, 1)),
		trust:    change.Trust{Intact: true, Epoch: 1, Since: start.Add(-time.Hour)},
		versions: map[string]*version{}, gone: map[string]sensitive.Value{}, staged: map[string]secretstore.Version{}, tags: map[string]map[string]string{},
		moves: map[string]int{}, unproven: map[string]map[string]bool{}, patches: map[string]document.Patch{}, lose: never, crash: never, stale: never, forgetful: never,
		secret: secretstore.Secret{ARN: liveARN, Name: liveName, Tags: map[string]string{
			naming.TagOwner: naming.Owner(cluster, namespace)}},
	}
	w.settings = change.Settings{
		Cluster: cluster, Prefix: naming.DefaultPrefix, Region: "eu-west-1", Account: "111122223333",
		RequireOwnerTag: true, ConsistencyGrace: 30 * time.Second, ProjectGrace: 2 * time.Minute,
		NewNonce: w.id,
	}
	w.project = &v1alpha1.SecretProject{
		ObjectMeta: metav1.ObjectMeta{Name: "api", Namespace: namespace, UID: "project-1", Generation: 1},
		Spec: v1alpha1.SecretProjectSpec{Environments: []v1alpha1.Environment{
			{Name: "production", RequiredApprovals: ptr.To[int32](1)}}},
	}
	w.external(document.Document{"A": sensitive.New("1"), "B": sensitive.New("2")})
	return w
}

func (w *world) id() string {
	w.ids++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", w.ids)
}

// external is an editor who does not go through us.
func (w *world) external(doc document.Document) {
	value, err := doc.Encode()
	if err != nil {
		panic(err)
	}
	w.changing()
	id := w.id()
	w.versions[id] = &version{value: value, labels: map[string]bool{}}
	w.moveCurrent(id)
}

func (w *world) with(label string) string {
	for id, v := range w.versions {
		if v.labels[label] {
			return id
		}
	}
	return ""
}

func (w *world) live() document.Document {
	doc, err := document.Parse(w.versions[w.with(secretstore.LabelCurrent)].value)
	if err != nil {
		panic(err)
	}
	return doc
}

// moveCurrent follows AWS: the version that was current becomes AWSPREVIOUS.
func (w *world) moveCurrent(to string) {
	from := w.with(secretstore.LabelCurrent)
	if from == to {
		return
	}
	if from != "" {
		if previous := w.with(secretstore.LabelPrevious); previous != "" {
			delete(w.versions[previous].labels, secretstore.LabelPrevious)
		}
		delete(w.versions[from].labels, secretstore.LabelCurrent)
		w.versions[from].labels[secretstore.LabelPrevious] = true
	}
	w.versions[to].labels[secretstore.LabelCurrent] = true
	if w.forgetful() {
		w.forget()
	}
	w.refreshProject()
}

// forget is AWS's right: a version without a label may be deleted.
func (w *world) forget() {
	for id, v := range w.versions {
		if len(v.labels) == 0 {
			w.gone[id] = v.value
			delete(w.versions, id)
		}
	}
}

// valueOf returns what a version holds or held.
func (w *world) valueOf(id string) document.Document {
	if id == "" {
		return document.Document{}
	}
	value, gone := w.gone[id]
	if !gone {
		value = w.versions[id].value
	}
	doc, err := document.Parse(value)
	if err != nil {
		panic(err)
	}
	return doc
}

// undo is somebody's emergency: the version before is live again.
func (w *world) undo() {
	if previous := w.with(secretstore.LabelPrevious); previous != "" {
		w.changing()
		w.moveCurrent(previous)
	}
}

// refreshProject is what the project's own controller would report.
func (w *world) refreshProject() {
	if w.project == nil {
		return
	}
	w.project.Status.Environments = []v1alpha1.EnvironmentStatus{{
		Name: "production", SecretARN: liveARN, SecretName: liveName, LiveVersionID: w.with(secretstore.LabelCurrent),
	}}
}

func (w *world) describe() secretstore.Secret {
	s := w.secret
	s.Versions = map[string][]string{}
	for id, v := range w.versions {
		for label := range v.labels {
			s.Versions[id] = append(s.Versions[id], label)
		}
		slices.Sort(s.Versions[id])
	}
	return s
}

// propose stages an edit of what is live and creates its change.
func (w *world) propose(proposer string, wanted func(document.Document)) *v1alpha1.SecretChange {
	name := fmt.Sprintf("change-%d", len(w.changes)+1)
	doc := w.live().Clone()
	wanted(doc)
	patch := document.NewPatch(w.live(), doc)
	nonce, err := document.NewNonce(zeros{})
	if err != nil {
		panic(err)
	}
	value, err := document.Staged{
		Version:  document.StagedVersion,
		Identity: document.Identity{Cluster: cluster, Namespace: namespace, Project: "api", Environment: "production", Change: name},
		Nonce:    nonce, Patch: patch,
	}.Encode()
	if err != nil {
		panic(err)
	}
	arn := "arn:aws:secretsmanager:eu-west-1:111122223333:secret:" + naming.StagedSecret(naming.DefaultPrefix, "api", name) + "-GhIjKl"
	id := w.id()
	w.staged[arn] = secretstore.Version{ARN: arn, VersionID: id, Value: value}
	w.tags[arn] = naming.StagedTags{Cluster: cluster, Namespace: namespace, Project: "api", Environment: "production",
		Change: name, KeepUntil: w.now.Add(time.Hour)}.Map()
	c := &v1alpha1.SecretChange{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, UID: types.UID("uid-" + name),
			CreationTimestamp: metav1.NewTime(w.now.Truncate(time.Second)), Generation: 1},
		Spec: v1alpha1.SecretChangeSpec{
			Project: "api", Environment: "production", Reason: "because", ProposedBy: proposer,
			BaseVersionID: v1alpha1.VersionID(w.with(secretstore.LabelCurrent)),
			Staged:        &v1alpha1.StagedSource{SecretARN: arn, VersionID: v1alpha1.VersionID(id), Digest: document.Digest(value)},
		},
		Status: v1alpha1.SecretChangeStatus{ObservedGeneration: -1},
	}
	w.patches[string(c.UID)] = patch
	w.changes = append(w.changes, c)
	return c
}

// revert creates a rollback or restore.
func (w *world) revert(proposer string, source v1alpha1.SecretChangeSpec) *v1alpha1.SecretChange {
	name := fmt.Sprintf("change-%d", len(w.changes)+1)
	c := &v1alpha1.SecretChange{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, UID: types.UID("uid-" + name),
			CreationTimestamp: metav1.NewTime(w.now.Truncate(time.Second)), Generation: 1},
		Spec: v1alpha1.SecretChangeSpec{
			Project: "api", Environment: "production", Reason: "because", ProposedBy: proposer,
			BaseVersionID: v1alpha1.VersionID(w.with(secretstore.LabelCurrent)),
			Rollback:      source.Rollback, Restore: source.Restore, Reviews: source.Reviews,
		},
		Status: v1alpha1.SecretChangeStatus{ObservedGeneration: -1},
	}
	w.changes = append(w.changes, c)
	return c
}

// zeros is randomness without any: a simulation must replay.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func (w *world) review(c *v1alpha1.SecretChange, who string, verdict v1alpha1.Verdict) {
	if c.Status.Phase.Finished() {
		return
	}
	// Admission lets an own approval onto a rollback or restore at its creation alone.
	if c.Spec.Staged == nil && who == c.Spec.ProposedBy && verdict == v1alpha1.VerdictApproved {
		return
	}
	for i, r := range c.Spec.Reviews {
		if r.Reviewer == who {
			if verdict == v1alpha1.VerdictRejected {
				c.Spec.Reviews[i].Verdict = verdict
			}
			return
		}
	}
	c.Spec.Reviews = append(c.Spec.Reviews, v1alpha1.Review{Reviewer: who, Verdict: verdict})
	if !w.trust.Intact {
		w.doubt(c, who)
	}
	c.Generation++
}

// doubt marks a review as one that may be forged.
func (w *world) doubt(c *v1alpha1.SecretChange, who string) {
	if w.unproven[c.Name] == nil {
		w.unproven[c.Name] = map[string]bool{}
	}
	w.unproven[c.Name][who] = true
}

// lapse ends the trust in every review there is.
func (w *world) lapse() {
	w.trust.Intact = false
	for _, c := range w.changes {
		for _, r := range c.Spec.Reviews {
			w.doubt(c, r.Reviewer)
		}
	}
}

// mend puts the admission policies back in force. As the guard does, it vouches
// only from the next whole second on.
func (w *world) mend() {
	if !w.trust.Intact {
		w.now = w.now.Truncate(time.Second).Add(time.Second)
		w.trust.Intact, w.trust.Since = true, w.now
		w.trust.Epoch++
	}
}

// facts are what a controller would see of a change.
func (w *world) facts(c *v1alpha1.SecretChange) change.Facts {
	var others []v1alpha1.SecretChange
	for _, o := range w.changes {
		others = append(others, *o)
	}
	return change.Facts{Now: w.now, Change: c.DeepCopy(), Project: w.project, Trust: w.trust,
		Queue: change.QueueOf(c, others, policy.Identities{})}
}

func (w *world) read(facts *change.Facts, a change.Action) {
	switch a.Read {
	case change.ReadFresh:
		facts.Fresh = true
	case change.ReadStaged:
		arn := facts.Change.Spec.Staged.SecretARN
		_, ok := w.staged[arn]
		s := secretstore.Secret{ARN: arn, Tags: w.tags[arn]}
		if parts, valid := secretstore.ParseARN(arn); valid {
			s.Name = parts.Name
		}
		facts.Staged = &change.Staged{Missing: !ok, Secret: s}
	case change.ReadStagedValue:
		v, ok := w.staged[facts.Change.Spec.Staged.SecretARN]
		staged := change.StagedValue{Missing: true}
		if ok && v.VersionID == string(facts.Change.Spec.Staged.VersionID) {
			staged = change.StagedValueOf(v.Value)
		}
		facts.StagedValue = &staged
	case change.ReadLive:
		if a := facts.Change.Status.Attempt; a != nil && a.SecretARN != w.secret.ARN {
			facts.Live = &change.Live{Missing: true}
			return
		}
		live := &change.Live{Secret: w.describeMaybeOld()}
		for id, labels := range live.Secret.Versions {
			for _, label := range labels {
				switch uid, kept, ours := naming.ParseLabel(label); {
				case kept:
					live.Kept = append(live.Kept, w.label(id, uid))
				case ours:
					live.Labels = append(live.Labels, w.label(id, uid))
				}
			}
		}
		facts.Live = live
	case change.ReadLiveValue:
		id := a.ReadVersion
		if id == "" {
			id = w.with(secretstore.LabelCurrent)
		}
		v, ok := w.versions[id]
		facts.LiveValue = &change.LiveValue{VersionID: id, Missing: !ok}
		if ok {
			facts.LiveValue.Document, facts.LiveValue.Err = document.Parse(v.value)
		}
	case change.ReadOldValue:
		v, ok := w.versions[a.ReadVersion]
		value := change.LiveValue{VersionID: a.ReadVersion, Missing: !ok}
		if ok {
			value.Document, value.Err = document.Parse(v.value)
		}
		if facts.Versions == nil {
			facts.Versions = map[string]change.LiveValue{}
		}
		facts.Versions[a.ReadVersion] = value
	case change.ReadHeads:
		heads := w.heads()
		facts.Heads = &heads
	case change.ReadNothing:
	}
}

func (w *world) decide(c *v1alpha1.SecretChange) (change.Facts, change.Action) {
	facts := w.facts(c)
	for range 10 {
		a := change.Decide(w.settings, facts)
		if a.Read == change.ReadNothing {
			return facts, a
		}
		w.read(&facts, a)
	}
	panic("no decision after ten reads")
}

// reconcile does what the controller does with an action, crashes included. It
// reports whether anything happened.
func (w *world) reconcile(c *v1alpha1.SecretChange) bool {
	facts, a := w.decide(c)
	before := c.DeepCopy()
	if a.StatusFirst {
		w.record(c, a.Status)
		if w.crash() {
			return true
		}
	}
	if err := w.do(c, a.Effect); err != nil {
		switch {
		case errors.Is(err, errLost):
		case a.Effect.Kind == change.Put:
			c.Status = change.RetryPut(w.settings, facts).Status
		case a.Effect.MakesLive():
			facts.Change.Status = c.Status
			c.Status = change.MoveRefused(w.settings, facts, v1alpha1.ReasonSecretUnusable, "Waiting: refused").Status
		}
		return true
	}
	if w.crash() {
		return true
	}
	w.record(c, a.Status)
	return a.Again || a.Effect.Kind != change.NoEffect || before.Status.Phase != c.Status.Phase
}
