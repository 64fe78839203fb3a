package propose

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// preflight asks the API server, without storing anything, whether it would
// take the change, so that what it refuses is never staged.
func (p *proposal) preflight(ctx context.Context, kube client.Client) error {
	if err := kube.Create(ctx, p.object(p.expectedARN()), client.DryRunAll); err != nil {
		return fmt.Errorf("ask the cluster whether it takes the change: %w", err)
	}
	return nil
}

// create makes the change that names the staged secret. Where it fails, what
// was staged is deleted, unless the change may exist all the same.
func (p *proposal) create(ctx context.Context, kube client.Client, store secretstore.Store, arn string) error {
	err := kube.Create(ctx, p.object(arn))
	if err == nil {
		return nil
	}
	err = fmt.Errorf("create SecretChange %q in namespace %q: %w", p.change, p.target.Namespace, err)
	if refused(err) {
		return p.unstage(ctx, store, arn, atOnce, err)
	}
	cleanup, cancel := cleanupContext(ctx)
	defer cancel()
	found := &v1alpha1.SecretChange{}
	look := kube.Get(cleanup, client.ObjectKey{Namespace: p.target.Namespace, Name: p.change}, found)
	switch {
	case look == nil && found.Spec.Staged != nil && found.Spec.Staged.SecretARN == arn:
		return nil // only the answer was lost
	case look == nil:
		return p.unstage(ctx, store, arn, atOnce, err)
	case apierrors.IsNotFound(look):
		return p.unstage(ctx, store, arn, recoverable, err)
	default:
		return exit.Errorf(exit.CodeOf(err),
			"%w; whether it was created is not known, so the values stay staged as %s: look with \"kubectl get secretchange -n %s %s\"; if it is not there, %s",
			err, arn, p.target.Namespace, p.change, p.howToDelete(arn))
	}
}

// refused reports whether err says for sure that nothing was created.
func refused(err error) bool {
	if utilnet.IsConnectionRefused(err) {
		return true
	}
	for _, is := range []func(error) bool{
		apierrors.IsForbidden, apierrors.IsInvalid, apierrors.IsUnauthorized, apierrors.IsBadRequest,
		apierrors.IsNotFound, apierrors.IsTooManyRequests, apierrors.IsRequestEntityTooLargeError,
	} {
		if is(err) {
			return true
		}
	}
	return false
}
