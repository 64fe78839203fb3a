package sheet

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/live"
	"github.com/secretreview/secretreview/internal/cli/selector"
	"github.com/secretreview/secretreview/internal/cli/terminal"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// Load reads what there is to show of a change: the project and, unless
// withoutValues, the staged version and what is live. It fails where the
// cluster does; what is wrong with the values is in the Sheet.
func Load(ctx context.Context, f *factory.Factory, change *v1alpha1.SecretChange, withoutValues bool) (*Sheet, error) {
	s := &Sheet{Change: change, Entries: recorded(change)}
	var err error
	if s.Target, err = TargetOf(ctx, f, change); err != nil {
		return nil, err
	}
	switch {
	case change.Spec.Staged == nil && (change.Status.Revert == nil || change.Status.Phase.Finished()):
		s.State = NoValues
	case change.Status.Phase.Finished():
		s.State = Gone
	case withoutValues:
		s.State = NotRead
	default:
		if err := s.read(ctx, f); err != nil {
			return nil, err
		}
	}
	s.warn()
	if err := s.findSuccessors(ctx, f); err != nil {
		s.Warnings = append(s.Warnings, fmt.Sprintf("it cannot be told whether it was rebased: %s", err))
	}
	return s, ctx.Err()
}

// findSuccessors looks for what became of a change after it conflicted. Nobody
// could write that into the change itself, which had ended.
func (s *Sheet) findSuccessors(ctx context.Context, f *factory.Factory) error {
	change := s.Change
	if change.Status.Phase != v1alpha1.PhaseConflicted || change.Spec.Staged == nil {
		return nil
	}
	kube, err := f.Kube()
	if err != nil {
		return err
	}
	filter := selector.Filter{Namespace: change.Namespace, Project: change.Spec.Project, Environment: change.Spec.Environment}
	return selector.Each(ctx, kube, filter, func(c *v1alpha1.SecretChange) {
		failed := c.Status.Phase.Finished() && c.Status.Phase != v1alpha1.PhaseApplied
		if c.Spec.Staged != nil && c.Spec.Staged.RebaseOf == change.Name && !failed {
			s.Successors = append(s.Successors, c.Name+" by "+terminal.Escape(c.Spec.ProposedBy))
		}
	})
}

// TargetOf returns the project and environment of a change, or nil if either
// does not exist.
func TargetOf(ctx context.Context, f *factory.Factory, change *v1alpha1.SecretChange) (*factory.Target, error) {
	kube, err := f.Kube()
	if err != nil {
		return nil, err
	}
	project := &v1alpha1.SecretProject{}
	err = kube.Get(ctx, client.ObjectKey{Namespace: change.Namespace, Name: change.Spec.Project}, project)
	if apierrors.IsNotFound(err) && !exit.NotServed(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read project %q in namespace %q: %w", change.Spec.Project, change.Namespace, err)
	}
	for _, environment := range project.Spec.Environments {
		if environment.Name == change.Spec.Environment {
			return &factory.Target{
				Namespace: change.Namespace, Project: project, Environment: environment,
				Status: project.Status.Environment(environment.Name),
			}, nil
		}
	}
	return nil, nil
}

// read reads and checks the values. It fails only where the person gave up.
func (s *Sheet) read(ctx context.Context, f *factory.Factory) error {
	err := s.values(ctx, f)
	var wrong *MismatchError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &wrong):
		s.State, s.Problem = Wrong, err
	case err != nil:
		s.State, s.Problem = Unreadable, err
	default:
		s.State = Read
		s.compare()
	}
	return nil
}

// values reads what is staged and what is live.
func (s *Sheet) values(ctx context.Context, f *factory.Factory) error {
	if err := s.checkTarget(); err != nil {
		return err
	}
	if s.Change.Spec.Staged != nil {
		if err := checkARN(s.Change, s.Target); err != nil {
			return err
		}
	}
	store, err := f.Store(ctx, s.Target.Project.Status.Region)
	if err != nil {
		return err
	}
	if s.Change.Spec.Staged == nil {
		err = s.readRevert(ctx, store)
	} else {
		err = s.readEdit(ctx, store)
	}
	if err != nil {
		return err
	}
	return checkRecorded(s.Change, s.live, s.after)
}

// readEdit reads what is staged, and what it makes of what is live.
func (s *Sheet) readEdit(ctx context.Context, store secretstore.Store) error {
	patch, err := readStaged(ctx, store, s.Change, s.Target)
	if err != nil {
		return err
	}
	if s.live, err = live.ReadTarget(ctx, store, s.Target); err != nil {
		return err
	}
	s.after, s.clashes = patch.Apply(s.live.Values), patch.Clashes(s.live.Values)
	return nil
}

// checkTarget refuses to go on where it is not known what things are called in
// AWS. A live secret that cannot be applied to can still be looked at.
func (s *Sheet) checkTarget() error {
	t := s.Target
	if t == nil {
		return exit.Errorf(exit.NotFound, "project %q has no environment %q any more, so it cannot be told where the values are",
			s.Change.Spec.Project, s.Change.Spec.Environment)
	}
	if status := t.Project.Status; t.Status == nil || t.Status.SecretName == "" || status.Region == "" || status.ClusterName == "" {
		return t.Served()
	}
	return nil
}

// ReadStaged reads the edit that a change pins, if it is this change's own. It
// fails with a MismatchError where it is not.
func ReadStaged(ctx context.Context, store secretstore.Store, change *v1alpha1.SecretChange, t *factory.Target) (document.Patch, error) {
	if err := checkARN(change, t); err != nil {
		return document.Patch{}, err
	}
	return readStaged(ctx, store, change, t)
}

// readStaged reads the version that the change pins, by ARN and VersionId.
func readStaged(ctx context.Context, store secretstore.Store, change *v1alpha1.SecretChange, t *factory.Target) (document.Patch, error) {
	pinned := change.Spec.Staged
	got, err := store.Get(ctx, secretstore.GetInput{ID: pinned.SecretARN, VersionID: string(pinned.VersionID)})
	if err != nil {
		return document.Patch{}, fmt.Errorf("read the staged values: %w", err)
	}
	return openStaged(change, t, got)
}
