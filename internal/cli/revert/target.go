package revert

import (
	"context"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/review/sheet"
)

// Applied fails with an exit.Error of Refused for a change that was never live.
func Applied(change *v1alpha1.SecretChange) error {
	if change.Status.Phase == v1alpha1.PhaseApplied && change.Status.AppliedVersionID != "" {
		return nil
	}
	phase := change.Status.Phase
	if phase == "" {
		phase = "new"
	}
	return exit.Errorf(exit.Refused, "change %q was never applied, it is %s: name one that was", change.Name, phase)
}

// TargetOf returns the environment of a change. It fails with an exit.Error of
// NotFound where it does not exist any more.
func TargetOf(ctx context.Context, f *factory.Factory, change *v1alpha1.SecretChange) (*factory.Target, error) {
	target, err := sheet.TargetOf(ctx, f, change)
	if err == nil && target == nil {
		err = exit.Errorf(exit.NotFound, "project %q has no environment %q any more: it cannot go back", change.Spec.Project, change.Spec.Environment)
	}
	return target, err
}
