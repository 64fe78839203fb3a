package secretchange

import (
	"context"
	"time"

	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/controller/index"
)

// A failed reconcile is tried again after firstRetry, then twice as long each
// time, up to lastRetry.
const (
	firstRetry = 200 * time.Millisecond
	lastRetry  = time.Minute
)

// SetupWithManager registers the reconciler. guardChanged carries an event
// whenever the guard's state changes.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, guardChanged <-chan event.GenericEvent) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.SecretChange{}).
		Watches(&v1alpha1.SecretChange{}, handler.EnqueueRequestsFromMapFunc(r.siblings)).
		Watches(&v1alpha1.SecretProject{}, handler.EnqueueRequestsFromMapFunc(r.unfinishedOf)).
		WatchesRawSource(source.Channel(guardChanged, handler.EnqueueRequestsFromMapFunc(r.unfinished))).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: max(r.Concurrency, 1),
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstRetry, lastRetry),
		}).
		Complete(r)
}

// siblings are the approved changes that may have waited for this one.
func (r *Reconciler) siblings(ctx context.Context, object client.Object) []reconcile.Request {
	c, ok := object.(*v1alpha1.SecretChange)
	if !ok || c.Status.Phase == "" || (c.Status.Phase == v1alpha1.PhaseApproved && c.DeletionTimestamp == nil) {
		return nil
	}
	return r.requests(ctx, func(other *v1alpha1.SecretChange) bool {
		return other.UID != c.UID && other.Status.Phase == v1alpha1.PhaseApproved
	}, client.InNamespace(c.Namespace),
		client.MatchingFields{index.UnfinishedByEnvironment: index.EnvironmentKey(c.Spec.Project, c.Spec.Environment)})
}

// unfinishedOf are the changes that a project's policy or state may affect.
func (r *Reconciler) unfinishedOf(ctx context.Context, object client.Object) []reconcile.Request {
	return r.requests(ctx, func(c *v1alpha1.SecretChange) bool {
		return !c.Status.Phase.Finished() && c.Spec.Project == object.GetName()
	}, client.InNamespace(object.GetNamespace()))
}

// unfinished are all changes that the state of the admission policies affects.
func (r *Reconciler) unfinished(ctx context.Context, _ client.Object) []reconcile.Request {
	return r.requests(ctx, func(c *v1alpha1.SecretChange) bool { return !c.Status.Phase.Finished() })
}

func (r *Reconciler) requests(ctx context.Context, wanted func(*v1alpha1.SecretChange) bool, options ...client.ListOption) []reconcile.Request {
	var changes v1alpha1.SecretChangeList
	if err := r.Client.List(ctx, &changes, append(options, client.UnsafeDisableDeepCopy)...); err != nil {
		log.FromContext(ctx).Error(err, "cannot list changes to look at again")
		return nil
	}
	var out []reconcile.Request
	for i := range changes.Items {
		if wanted(&changes.Items[i]) {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&changes.Items[i])})
		}
	}
	return out
}
