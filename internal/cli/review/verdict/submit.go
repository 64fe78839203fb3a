package verdict

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
)

// Submit adds a review to the change as it was shown, and returns the change
// with it. added is false where the review was there already. It fails with an
// exit.Error of Conflict where the change was deleted and made anew under the
// same name since it was shown, and of NotFound where it is gone.
func Submit(ctx context.Context, kube client.Client, shown *v1alpha1.SecretChange, review v1alpha1.Review) (change *v1alpha1.SecretChange, added bool, err error) {
	patch, err := plan(shown, review)
	if err != nil {
		return nil, false, err
	}
	if patch == nil {
		return shown, false, nil
	}
	change = &v1alpha1.SecretChange{}
	change.Namespace, change.Name = shown.Namespace, shown.Name
	err = kube.Patch(ctx, change, client.RawPatch(types.JSONPatchType, patch))
	if err == nil {
		return change, true, nil
	}
	return explain(ctx, kube, shown, review, fmt.Errorf("add your review to change %q in namespace %q: %w", shown.Name, shown.Namespace, err))
}

// refusals are answers that say for sure, and say why, that no review was added.
var refusals = []func(error) bool{
	apierrors.IsForbidden, apierrors.IsUnauthorized, apierrors.IsBadRequest, apierrors.IsTooManyRequests, utilnet.IsConnectionRefused,
}

// explain looks at the change again, to tell why it took no review, or that it
// did where only the answer was lost.
func explain(ctx context.Context, kube client.Client, shown *v1alpha1.SecretChange, review v1alpha1.Review, cause error) (*v1alpha1.SecretChange, bool, error) {
	for _, is := range refusals {
		if is(cause) {
			return nil, false, cause
		}
	}
	now := &v1alpha1.SecretChange{}
	err := kube.Get(ctx, client.ObjectKeyFromObject(shown), now)
	switch {
	case apierrors.IsNotFound(err):
		return nil, false, gone(shown)
	case err != nil:
		return nil, false, exit.Errorf(exit.CodeOf(cause), "%w; whether it was added is not known: run the same command again", cause)
	case now.UID != shown.UID:
		return nil, false, remade(shown)
	}
	if given := Given(now, review.Reviewer); given != nil && given.Verdict == review.Verdict {
		return now, *given == review, nil
	}
	if err := Open(now); err != nil {
		return nil, false, err
	}
	return nil, false, cause
}

func gone(shown *v1alpha1.SecretChange) error {
	return exit.Errorf(exit.NotFound, "change %q was deleted after it was shown to you", shown.Name)
}

func remade(shown *v1alpha1.SecretChange) error {
	return exit.Errorf(exit.Conflict,
		"change %q was deleted and made anew under the same name after it was shown to you, and the new one has no review of yours: review it", shown.Name)
}
