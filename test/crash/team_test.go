package crash_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// values are those of a document.
type values map[string]string

// edit is what a proposer wants: keys to set, and keys to take away.
type edit struct {
	set   values
	unset []string
}

func (e edit) on(base values) values {
	out := values{}
	maps.Copy(out, base)
	maps.Copy(out, e.set)
	for _, key := range e.unset {
		delete(out, key)
	}
	return out
}

// team is a project with one environment, the people who work on it, and what they did. Its methods may be called from several
// goroutines.
type team struct {
	*site
	project string
	// trims says that labels are taken off before a spec ends; quorum is how many others must approve.
	trims  bool
	quorum int

	mu sync.Mutex
	// made are the changes that people have made: the last one's number.
	made int
	// edits are what was staged, by change.
	edits map[string]edit
	// external are the versions that were put live past review; undone counts how often somebody moved AWSCURRENT back to one.
	external map[string]bool
	undone   map[string]int
	// approvals are who was about to approve, by change.
	approvals map[string][]string
	// left are the changes that somebody was about to delete, or did not learn whether they were made.
	left map[string]bool
}

// projectOf is the project of a change or project by its name.
func projectOf(name string) string {
	project, _, _ := strings.Cut(name, "-")
	return project
}

// newTeam makes a live secret, nil for one without a version, and a project that policy changes first; it does not wait for a
// manager to see them.
func (s *site) newTeam(live values, policy func(*v1alpha1.SecretProjectSpec)) (*team, error) {
	t := &team{
		site: s, quorum: 1, project: fmt.Sprintf("p%03d", s.teams.Add(1)), edits: map[string]edit{}, external: map[string]bool{},
		undone: map[string]int{}, approvals: map[string][]string{}, left: map[string]bool{},
	}
	in := secretstore.CreateInput{Name: t.live(), VersionID: uuid.NewString(), Tags: map[string]string{naming.TagOwner: naming.Owner(clusterName, namespace)}}
	if live != nil {
		in.Value = encode(live)
		t.external[in.VersionID] = true
	}
	if _, err := s.store.Create(context.Background(), in); err != nil {
		return nil, err
	}
	p := &v1alpha1.SecretProject{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: t.project},
		Spec:       v1alpha1.SecretProjectSpec{Environments: []v1alpha1.Environment{{Name: environment}}},
	}
	if policy != nil {
		policy(&p.Spec)
	}
	return t, s.admin.Create(context.Background(), p)
}

func (t *team) live() string { return naming.LiveSecret(naming.DefaultPrefix, t.project, environment) }

func (t *team) staged(change string) string {
	return naming.StagedSecret(naming.DefaultPrefix, t.project, change)
}

func encode(v values) sensitive.Value {
	value, err := documentOf(v).Encode()
	if err != nil {
		panic(err)
	}
	return value
}

func documentOf(v values) document.Document {
	out := document.Document{}
	for key, value := range v {
		out[key] = sensitive.New(value)
	}
	return out
}

func decode(value sensitive.Value) (values, error) {
	parsed, err := document.Parse(value)
	out := values{}
	for key, value := range parsed {
		out[key] = value.Reveal()
	}
	return out, err
}

// current is what is live, and which version that is.
func (t *team) current() (values, string, error) {
	got, err := t.store.Get(context.Background(), secretstore.GetInput{ID: t.live(), Label: secretstore.LabelCurrent})
	if secretstore.KindOf(err) == secretstore.KindNotFound {
		return values{}, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	v, err := decode(got.Value)
	return v, got.VersionID, err
}

// nextName is that of the next change.
func (t *team) nextName() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.made++
	return fmt.Sprintf("%s-%d", t.project, t.made)
}

// stage stages an edit of what is live for a change, as sr does, to be kept so long without the change, and returns the change to
// create.
func (t *team) stage(name string, e edit, keep time.Duration) (*v1alpha1.SecretChange, error) {
	base, version, err := t.current()
	if err != nil {
		return nil, err
	}
	e.unset = slices.DeleteFunc(slices.Clone(e.unset), func(key string) bool { _, there := base[key]; return !there })
	nonce, err := document.NewNonce(rand.Reader)
	if err != nil {
		return nil, err
	}
	id := document.Identity{Cluster: clusterName, Namespace: namespace, Project: t.project, Environment: environment, Change: name}
	patch := document.NewPatch(documentOf(base), documentOf(e.on(base)))
	value, err := document.Staged{Version: document.StagedVersion, Identity: id, Nonce: nonce, Patch: patch}.Encode()
	if err != nil {
		return nil, err
	}
	staged, err := t.store.Create(context.Background(), secretstore.CreateInput{
		Name: t.staged(name), VersionID: uuid.NewString(), Value: value,
		Tags: naming.StagedTags{Cluster: clusterName, Namespace: namespace, Project: t.project, Environment: environment, Change: name,
			KeepUntil: time.Now().Add(keep)}.Map(),
	})
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	t.edits[name] = e
	t.mu.Unlock()
	c := t.change(name, alice, version)
	c.Spec.Staged = &v1alpha1.StagedSource{SecretARN: staged.ARN, VersionID: v1alpha1.VersionID(staged.VersionID), Digest: document.Digest(value)}
	return c, nil
}

func (t *team) change(name, proposer, base string) *v1alpha1.SecretChange {
	return &v1alpha1.SecretChange{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.SecretChangeSpec{Project: t.project, Environment: environment, Reason: "because", ProposedBy: proposer,
			BaseVersionID: v1alpha1.VersionID(base)},
	}
}

// propose has alice stage an edit and create its change, and returns the change's name.
func (t *team) propose(e edit) (string, error) {
	name := t.nextName()
	c, err := t.stage(name, e, time.Hour)
	if err != nil {
		return "", err
	}
	if err = t.create(alice, c); err != nil {
		t.leave(name)
	}
	return name, err
}

// goBack has somebody create a rollback or restore of what is live, approved by themselves if they may.
func (t *team) goBack(who string, aim func(*v1alpha1.SecretChangeSpec)) (string, error) {
	_, base, err := t.current()
	if err != nil {
		return "", err
	}
	c := t.change(t.nextName(), who, base)
	aim(&c.Spec)
	if who == dave {
		c.Spec.Reviews = []v1alpha1.Review{{Reviewer: dave, Verdict: v1alpha1.VerdictApproved}}
		t.approving(c.Name, dave)
	}
	return c.Name, t.create(who, c)
}

func (t *team) approving(change, who string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.approvals[change] = append(t.approvals[change], who)
}

func undoing(change string) func(*v1alpha1.SecretChangeSpec) {
	return func(s *v1alpha1.SecretChangeSpec) { s.Rollback = &v1alpha1.RollbackSource{Change: change} }
}

func restoring(change string) func(*v1alpha1.SecretChangeSpec) {
	return func(s *v1alpha1.SecretChangeSpec) { s.Restore = &v1alpha1.RestoreSource{Change: change} }
}

// adopting restores what is live.
func adopting(s *v1alpha1.SecretChangeSpec) {
	s.Restore = &v1alpha1.RestoreSource{VersionID: s.BaseVersionID}
}

// review adds somebody's verdict, or turns their approval into a rejection, unless the change has ended.
func (t *team) review(who, change string, verdict v1alpha1.Verdict) error {
	if verdict == v1alpha1.VerdictApproved {
		t.approving(change, who)
	}
	return wait.PollUntilContextTimeout(context.Background(), time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		var c v1alpha1.SecretChange
		if err := t.people[who].Get(ctx, client.ObjectKey{Namespace: namespace, Name: change}, &c); err != nil {
			return false, ignore(err)
		}
		if i := slices.IndexFunc(c.Spec.Reviews, func(r v1alpha1.Review) bool { return r.Reviewer == who }); i >= 0 {
			c.Spec.Reviews[i].Verdict = verdict
		} else {
			c.Spec.Reviews = append(c.Spec.Reviews, v1alpha1.Review{Reviewer: who, Verdict: verdict})
		}
		err := t.people[who].Update(ctx, &c)
		return err == nil || apierrors.IsInvalid(err), ignore(err)
	})
}

// ignore leaves out what happens where others are at work on the same object, or the API server has too much to do.
func ignore(err error) error {
	if apierrors.IsConflict(err) || apierrors.IsInvalid(err) || overloaded(err) {
		return nil
	}
	return err
}

// overloaded reports whether the API server did not do something in time, or has done it and did not say so in time.
func overloaded(err error) bool { return apierrors.IsTimeout(err) || apierrors.IsServerTimeout(err) }

// create has somebody create a change, and try again where the API server has too much to do.
func (t *team) create(who string, c *v1alpha1.SecretChange) error {
	again := false
	return wait.PollUntilContextTimeout(context.Background(), time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		err := t.people[who].Create(ctx, c)
		if err == nil || again && apierrors.IsAlreadyExists(err) {
			return true, nil
		}
		again = overloaded(err)
		c.ResourceVersion = ""
		if again {
			return false, nil
		}
		return false, err
	})
}

// put makes values live past all review.
func (t *team) put(v values, labels ...string) (version string, err error) {
	version = uuid.NewString()
	t.mu.Lock()
	t.external[version] = true
	t.mu.Unlock()
	return version, t.store.Put(context.Background(), secretstore.PutInput{
		ID: t.live(), VersionID: version, Value: encode(v), Labels: append(labels, secretstore.LabelCurrent),
	})
}

// edit changes what is live past all review.
func (t *team) edit(e edit) error {
	base, _, err := t.current()
	if err != nil {
		return err
	}
	_, err = t.put(e.on(base))
	return err
}

// undo makes the version before live again, past all review, if there is one.
func (t *team) undo() error {
	secret, err := t.store.Describe(context.Background(), t.live())
	if err != nil || secret.Previous() == "" {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	err = t.store.MoveLabel(context.Background(), secretstore.MoveLabelInput{
		ID: secret.ARN, Label: secretstore.LabelCurrent, From: secret.Current(), To: secret.Previous(),
	})
	if err == nil {
		t.undone[secret.Previous()]++
	}
	return err
}

func (t *team) leave(change string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.left[change] = true
}

// remove has the administrator delete a change that has not ended, if nothing else happens to it just then.
func (t *team) remove(change string) error {
	c, err := t.get(change)
	if err != nil || c.Status.Phase.Finished() {
		return err
	}
	t.leave(change)
	err = t.admin.Delete(context.Background(), &c, client.Preconditions{UID: &c.UID, ResourceVersion: &c.ResourceVersion})
	return client.IgnoreNotFound(ignore(err))
}

// get is a change as the API server has it.
func (t *team) get(change string) (v1alpha1.SecretChange, error) {
	var c v1alpha1.SecretChange
	err := t.cache.Get(context.Background(), client.ObjectKey{Namespace: namespace, Name: change}, &c)
	return c, err
}

// until waits for something about the team. An error of done ends it.
func (t *team) until(what string, done func() (bool, error)) error {
	err := wait.PollUntilContextTimeout(context.Background(), 50*time.Millisecond, patience, true,
		func(context.Context) (bool, error) { return done() })
	if err != nil {
		return fmt.Errorf("%s: waiting for %s: %w", t.project, what, err)
	}
	return nil
}

// await waits until a change is in a phase, and fails if it ends in another.
func (t *team) await(change string, phase v1alpha1.Phase) error {
	return t.until(change+" to be "+string(phase), func() (bool, error) {
		c, err := t.get(change)
		if apierrors.IsNotFound(err) {
			return false, nil // the cache does not have it yet
		}
		if err == nil && c.Status.Phase.Finished() && c.Status.Phase != phase {
			err = fmt.Errorf("it is %s: %s", c.Status.Phase, c.Status.Message)
		}
		return err == nil && c.Status.Phase == phase, err
	})
}

// ready waits until the project can be served.
func (t *team) ready() error {
	return t.until("the project", func() (bool, error) {
		var p v1alpha1.SecretProject
		err := t.cache.Get(context.Background(), client.ObjectKey{Namespace: namespace, Name: t.project}, &p)
		return err == nil && meta.IsStatusConditionTrue(p.Status.Conditions, v1alpha1.ConditionReady), client.IgnoreNotFound(err)
	})
}

// pending has an edit proposed and waits until it can be reviewed.
func (t *team) pending(e edit) (string, error) {
	name, err := t.propose(e)
	if err != nil {
		return "", err
	}
	return name, t.await(name, v1alpha1.PhasePending)
}

// apply has an edit proposed, reviewed and made live.
func (t *team) apply(e edit) (string, error) {
	name, err := t.pending(e)
	if err != nil {
		return "", err
	}
	return name, errors.Join(t.review(bob, name, v1alpha1.VerdictApproved), t.await(name, v1alpha1.PhaseApplied))
}
