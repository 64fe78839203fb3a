package secretchange

import (
	"context"
	"errors"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/controller/index"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// observe reads what every decision needs, from the cache.
func (r *Reconciler) observe(ctx context.Context, name types.NamespacedName) (change.Facts, error) {
	facts := change.Facts{Now: r.Clock.Now(), Change: &v1alpha1.SecretChange{}, Trust: change.Trust(r.Guard.State())}
	if err := r.Client.Get(ctx, name, facts.Change); err != nil {
		return facts, fmt.Errorf("read change %s: %w", name, err)
	}
	var err error
	if facts.Project, err = project(ctx, r.Client, facts.Change); err != nil {
		return facts, err
	}
	which := index.UnfinishedByEnvironment
	if facts.Change.Spec.Staged == nil {
		which = index.ChangesByEnvironment
	}
	var others v1alpha1.SecretChangeList
	key := index.EnvironmentKey(facts.Change.Spec.Project, facts.Change.Spec.Environment)
	// QueueOf only reads, and copies of all of them would cost more than all else.
	err = r.Client.List(ctx, &others, client.InNamespace(name.Namespace), client.MatchingFields{which: key}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return facts, fmt.Errorf("list the changes of %s/%s: %w", name.Namespace, key, err)
	}
	facts.Queue = change.QueueOf(facts.Change, others.Items, r.Settings.Identities)
	return facts, nil
}

// project reads the change's SecretProject, or returns nil if there is none.
func project(ctx context.Context, reader client.Reader, c *v1alpha1.SecretChange) (*v1alpha1.SecretProject, error) {
	var p v1alpha1.SecretProject
	err := reader.Get(ctx, types.NamespacedName{Namespace: c.Namespace, Name: c.Spec.Project}, &p)
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // absence is a fact here, not a failure
	}
	if err != nil {
		return nil, fmt.Errorf("read project %s/%s: %w", c.Namespace, c.Spec.Project, err)
	}
	return &p, nil
}

// read adds to the facts what the action asks for.
func (r *Reconciler) read(ctx context.Context, facts *change.Facts, action change.Action) error {
	switch action.Read {
	case change.ReadFresh:
		return r.readFresh(ctx, facts)
	case change.ReadStaged:
		return r.readStaged(ctx, facts)
	case change.ReadStagedValue:
		return r.readStagedValue(ctx, facts)
	case change.ReadLive:
		return r.readLive(ctx, facts)
	case change.ReadLiveValue:
		return r.readLiveValue(ctx, facts, action.ReadVersion)
	case change.ReadOldValue:
		return r.readOldValue(ctx, facts, action.ReadVersion)
	case change.ReadHeads:
		return r.readHeads(ctx, facts)
	case change.ReadNothing:
	}
	return nil
}

// readFresh reads change, project and the other approved changes past the
// cache, at once, and asks the guard once more.
func (r *Reconciler) readFresh(ctx context.Context, facts *change.Facts) error {
	var fresh v1alpha1.SecretChange
	var policies *v1alpha1.SecretProject
	var approved v1alpha1.SecretChangeList
	known := facts.Change
	err := together(
		func() error {
			if err := r.Fresh.Get(ctx, client.ObjectKeyFromObject(known), &fresh); err != nil {
				return fmt.Errorf("read change %s/%s anew: %w", known.Namespace, known.Name, err)
			}
			return nil
		},
		func() (err error) {
			policies, err = project(ctx, r.Fresh, known)
			return err
		},
		func() error {
			err := r.Fresh.List(ctx, &approved, client.InNamespace(known.Namespace), client.MatchingFields{
				"spec.project": known.Spec.Project, "spec.environment": known.Spec.Environment,
				"status.phase": string(v1alpha1.PhaseApproved),
			})
			if err != nil {
				return fmt.Errorf("list the approved changes of %s/%s: %w", known.Namespace, known.Spec.Project, err)
			}
			return nil
		},
	)
	if err != nil {
		return err
	}
	// What was read of project and queue is of the same change: all of its spec but the reviews is immutable.
	if fresh.UID != known.UID {
		return apierrors.NewConflict(v1alpha1.GroupVersion.WithResource("secretchanges").GroupResource(), fresh.Name,
			errors.New("it was deleted and made anew"))
	}
	facts.Renew(change.Facts{
		Now: r.Clock.Now(), Change: &fresh, Project: policies, Trust: change.Trust(r.Guard.State()),
		Queue: change.QueueOf(&fresh, approved.Items, r.Settings.Identities),
	})
	return nil
}

// together does all at once, and returns the first failure in their order.
func together(all ...func() error) error {
	failures := make([]error, len(all))
	var working sync.WaitGroup
	for i, do := range all {
		working.Go(func() { failures[i] = do() })
	}
	working.Wait()
	for _, err := range failures {
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *Reconciler) readStaged(ctx context.Context, facts *change.Facts) error {
	secret, err := r.Store.Describe(ctx, facts.Change.Spec.Staged.SecretARN)
	if err != nil && secretstore.KindOf(err) != secretstore.KindNotFound {
		return err
	}
	facts.Staged = &change.Staged{Secret: secret, Missing: err != nil}
	return nil
}

func (r *Reconciler) readStagedValue(ctx context.Context, facts *change.Facts) error {
	source := facts.Change.Spec.Staged
	version, err := r.Store.Get(ctx, secretstore.GetInput{ID: source.SecretARN, VersionID: string(source.VersionID)})
	if gone(err) {
		facts.StagedValue = &change.StagedValue{Missing: true}
		return nil
	}
	if err != nil {
		return err
	}
	staged := change.StagedValueOf(version.Value)
	facts.StagedValue = &staged
	return nil
}

// gone reports whether there is nothing to be read: no secret, no version, or a
// secret scheduled for deletion.
func gone(err error) bool {
	kind := secretstore.KindOf(err)
	return kind == secretstore.KindNotFound || kind == secretstore.KindInvalidState
}

// readLive describes the live secret by its name: one that was deleted and made
// again has another ARN.
func (r *Reconciler) readLive(ctx context.Context, facts *change.Facts) error {
	id := naming.LiveSecret(r.Settings.Prefix, facts.ProjectName(), facts.Change.Spec.Environment)
	if attempt := facts.Change.Status.Attempt; attempt != nil && attempt.SecretARN != "" {
		id = attempt.SecretARN
	}
	secret, err := r.Store.Describe(ctx, id)
	if secretstore.KindOf(err) == secretstore.KindNotFound {
		facts.Live = &change.Live{Missing: true}
		return nil
	}
	if err != nil {
		return err
	}
	facts.Live = &change.Live{Secret: secret}
	return r.readLabels(ctx, facts)
}

// readLabels tells which of our labels belong to changes of this cluster.
func (r *Reconciler) readLabels(ctx context.Context, facts *change.Facts) error {
	for version, labels := range facts.Live.Secret.Versions {
		for _, label := range labels {
			uid, kept, ours := naming.ParseLabel(label)
			if !ours {
				continue
			}
			l, err := r.label(ctx, facts, version, uid)
			if err != nil {
				return err
			}
			if kept {
				facts.Live.Kept = append(facts.Live.Kept, l)
			} else {
				facts.Live.Labels = append(facts.Live.Labels, l)
			}
		}
	}
	return nil
}

// label looks up the change that a label names.
func (r *Reconciler) label(ctx context.Context, facts *change.Facts, version, uid string) (change.Label, error) {
	known, err := index.ChangeByUID(ctx, r.Client, uid)
	if err != nil {
		return change.Label{}, err
	}
	var record *v1alpha1.EnvironmentStatus
	if facts.Project != nil {
		record = facts.Project.Status.Environment(facts.Change.Spec.Environment)
	}
	return change.LabelOf(version, uid, known, record), nil
}

func (r *Reconciler) readLiveValue(ctx context.Context, facts *change.Facts, versionID string) error {
	in := secretstore.GetInput{ID: facts.Project.Status.Environment(facts.Change.Spec.Environment).SecretARN, VersionID: versionID}
	if facts.Live != nil {
		in.ID = facts.Live.Secret.ARN
	}
	if versionID == "" {
		in.Label = secretstore.LabelCurrent
	}
	version, err := r.Store.Get(ctx, in)
	if gone(err) {
		facts.LiveValue = &change.LiveValue{Missing: true, VersionID: versionID}
		return nil
	}
	if err != nil {
		return err
	}
	facts.LiveValue = documentOf(version)
	return nil
}

// readOldValue reads a version that a rollback or restore goes back by, or that is
// to be made live.
func (r *Reconciler) readOldValue(ctx context.Context, facts *change.Facts, versionID string) error {
	value := &change.LiveValue{VersionID: versionID, Missing: true}
	version, err := r.Store.Get(ctx, secretstore.GetInput{ID: facts.Live.Secret.ARN, VersionID: versionID})
	if err == nil {
		value = documentOf(version)
	} else if secretstore.KindOf(err) != secretstore.KindNotFound {
		return err
	}
	if facts.Versions == nil {
		facts.Versions = map[string]change.LiveValue{}
	}
	facts.Versions[versionID] = *value
	return nil
}

func documentOf(version secretstore.Version) *change.LiveValue {
	value := &change.LiveValue{VersionID: version.VersionID}
	if version.Binary {
		value.Err = errors.New("it is binary, not a JSON object of strings")
		return value
	}
	value.Document, value.Err = document.Parse(version.Value)
	return value
}
