package secretproject

import (
	"context"
	"time"

	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// A failed reconcile is tried again after firstRetry, then twice as long each
// time, up to lastRetry.
const (
	firstRetry = time.Second
	lastRetry  = 5 * time.Minute
)

// SetupWithManager registers the reconciler. guardChanged carries an event
// whenever the guard's state changes; watcher wakes projects that a listing has
// shown to differ.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, watcher *Watcher, guardChanged <-chan event.GenericEvent) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.SecretProject{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.SecretProject{}, handler.EnqueueRequestsFromMapFunc(r.claimantsOf), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.SecretChange{}, r.ofChange()).
		WatchesRawSource(source.Channel(watcher.wake, &handler.EnqueueRequestForObject{})).
		WatchesRawSource(source.Channel(guardChanged, handler.EnqueueRequestsFromMapFunc(r.all))).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: max(r.Concurrency, 1),
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstRetry, lastRetry),
		}).
		Complete(r)
}

// ofChange wakes a change's project at the moment when the change ends. Those
// that have ended before are seen when their projects are.
func (r *Reconciler) ofChange() handler.EventHandler {
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, _ workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			if c, ok := finished(e.Object); ok {
				r.recent.forget(c)
			}
		},
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			c, ended := finished(e.ObjectNew)
			if _, before := finished(e.ObjectOld); before || !ended {
				return
			}
			r.recent.forget(c)
			queue.Add(reconcile.Request{NamespacedName: client.ObjectKey{Namespace: c.Namespace, Name: c.Spec.Project}})
		},
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, _ workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			if c, ok := finished(e.Object); ok {
				r.recent.forget(c)
			}
		},
	}
}

func finished(o client.Object) (*v1alpha1.SecretChange, bool) {
	c, ok := o.(*v1alpha1.SecretChange)
	return c, ok && c.Status.Phase.Finished()
}

// claimantsOf are the projects that may claim the same live secrets.
func (r *Reconciler) claimantsOf(ctx context.Context, o client.Object) []reconcile.Request {
	p, ok := o.(*v1alpha1.SecretProject)
	if !ok {
		return nil
	}
	others, err := claimants(ctx, r.Client, p)
	if err != nil {
		log.FromContext(ctx).Error(err, "cannot look at the projects of the same name")
		return nil
	}
	return requests(others)
}

// all are affected by the state of the admission policies.
func (r *Reconciler) all(ctx context.Context, _ client.Object) []reconcile.Request {
	var projects v1alpha1.SecretProjectList
	if err := r.Client.List(ctx, &projects, client.UnsafeDisableDeepCopy); err != nil {
		log.FromContext(ctx).Error(err, "cannot look at all projects")
		return nil
	}
	return requests(projects.Items)
}

func requests(projects []v1alpha1.SecretProject) []reconcile.Request {
	out := make([]reconcile.Request, len(projects))
	for i := range projects {
		out[i].NamespacedName = keyOf(&projects[i])
	}
	return out
}
