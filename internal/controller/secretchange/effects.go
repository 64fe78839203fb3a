package secretchange

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/controller/slim"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// errLate is what becomes of an effect that is not done in time.
var errLate = &secretstore.Error{Kind: secretstore.KindUnavailable, Op: "the call", Err: fmt.Errorf("this process stood still before it: %w", secretstore.ErrNotSent)}

// doInTime carries out one effect, if it is not too late for it, and gives it up when it is.
func (r *Reconciler) doInTime(ctx context.Context, facts change.Facts, effect change.Effect) error {
	object := facts.Change
	deadline := r.Settings.Deadline(facts, effect)
	if deadline.IsZero() {
		return r.do(ctx, object, effect)
	}
	// The clock on the wall can be set back; the one that counts since the decision stops while the machine is suspended.
	left := min(deadline.Sub(r.Clock.Now()), deadline.Sub(facts.Now)-r.Clock.Since(facts.Now))
	if left <= 0 {
		return fmt.Errorf("change %s/%s is decided anew: %w", object.Namespace, object.Name, errLate)
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	return r.do(ctx, object, effect)
}

// do carries out one effect.
func (r *Reconciler) do(ctx context.Context, object *v1alpha1.SecretChange, effect change.Effect) error {
	if effect.Kind == change.NoEffect {
		return nil
	}
	log.FromContext(ctx).V(1).Info("effect", "kind", effect.Kind, "secret", effect.ARN)
	switch effect.Kind {
	case change.AddFinalizer:
		return r.patchFinalizers(ctx, object, controllerutil.AddFinalizer)
	case change.RemoveFinalizer:
		return r.patchFinalizers(ctx, object, controllerutil.RemoveFinalizer)
	case change.RestoreStaged:
		return r.Store.Restore(ctx, effect.ARN)
	case change.DeleteStaged:
		return r.deleteStaged(ctx, effect.ARN)
	case change.Put:
		return r.Store.Put(ctx, effect.Put)
	case change.MoveLabel:
		return r.Store.MoveLabel(ctx, effect.Move)
	case change.NoEffect:
	}
	return nil
}

// deleteStaged deletes a staged secret, if it is still there. Where the right to delete hangs on the secret's tags, AWS
// denies it once the secret, and its tags with it, are gone: after a deletion of which the answer was lost.
func (r *Reconciler) deleteStaged(ctx context.Context, arn string) error {
	denied := r.Store.Delete(ctx, secretstore.DeleteInput{ID: arn})
	if secretstore.KindOf(denied) != secretstore.KindDenied {
		return denied
	}
	if _, err := r.Store.Describe(ctx, arn); secretstore.KindOf(err) == secretstore.KindNotFound {
		return nil
	}
	return denied
}

// patchFinalizers changes the finalizers of the object as it was read, or fails
// if it has changed since.
func (r *Reconciler) patchFinalizers(ctx context.Context, object *v1alpha1.SecretChange, edit func(client.Object, string) bool) error {
	changed := object.DeepCopy()
	if !edit(changed, v1alpha1.Finalizer) {
		return nil
	}
	patch := client.MergeFromWithOptions(object, client.MergeFromWithOptimisticLock{})
	if err := r.Client.Patch(ctx, changed, patch); err != nil {
		return fmt.Errorf("change the finalizers of change %s/%s: %w", object.Namespace, object.Name, err)
	}
	// The status that is written next must be based on this.
	object.ObjectMeta = changed.ObjectMeta
	// What is settled is not looked at again, and would be remembered for ever.
	if !slim.Settled(changed) && (len(changed.Finalizers) > 0 || changed.DeletionTimestamp == nil) {
		r.writes.wrote(changed)
	}
	return nil
}

// tell emits events. Their reasons are constant; their notes never hold a value.
func (r *Reconciler) tell(object *v1alpha1.SecretChange, all []change.Event) {
	for _, e := range all {
		kind := corev1.EventTypeNormal
		if e.Warning {
			kind = corev1.EventTypeWarning
		}
		r.Recorder.Eventf(object, nil, kind, e.Reason, "Reconcile", "%s", e.Message)
	}
}

func readyReason(object *v1alpha1.SecretChange) string {
	if ready := meta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		return ready.Reason
	}
	return ""
}
