package secretchange

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
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/controller/index"
	"github.com/secretreview/secretreview/internal/controller/slim"
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
		For(&v1alpha1.SecretChange{}, builder.WithPredicates(predicate.NewPredicateFuncs(unsettled))).
		Watches(&v1alpha1.SecretChange{}, r.siblings()).
		Watches(&v1alpha1.SecretProject{}, r.ofProject()).
		WatchesRawSource(source.Channel(guardChanged, handler.EnqueueRequestsFromMapFunc(r.unfinished))).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: max(r.Concurrency, 1),
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstRetry, lastRetry),
		}).
		Complete(r)
}

// unsettled leaves out what there is nothing left to do about: at its start a
// manager sees 100,000 of those.
func unsettled(o client.Object) bool {
	c, ok := o.(*v1alpha1.SecretChange)
	return ok && !slim.Settled(c)
}

// siblings wakes those that may have waited for a change which has left the
// queue of its environment, and takes notice of new records.
func (r *Reconciler) siblings() handler.EventHandler {
	next := func(ctx context.Context, left *v1alpha1.SecretChange, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		key := index.EnvironmentKey(left.Spec.Project, left.Spec.Environment)
		unfinished := r.list(ctx, client.InNamespace(left.Namespace), client.MatchingFields{index.UnfinishedByEnvironment: key})
		add(queue, change.Next(left, unfinished))
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, _ workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			r.chains.saw(e.Object.(*v1alpha1.SecretChange))
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			before, after := e.ObjectOld.(*v1alpha1.SecretChange), e.ObjectNew.(*v1alpha1.SecretChange)
			r.chains.saw(after)
			if !change.Leaves(before, after) {
				return
			}
			// Where it stood is what it says itself, or said before it left.
			if before.Status.DecidedAt != nil {
				after = before
			}
			next(ctx, after, queue)
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			if deleted := e.Object.(*v1alpha1.SecretChange); !slim.Settled(deleted) {
				next(ctx, deleted, queue)
			}
		},
	}
}

// ofProject wakes the changes that a project's policy or state may affect.
func (r *Reconciler) ofProject() handler.EventHandler {
	all := func(ctx context.Context, o client.Object, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		unfinished := r.list(ctx, client.InNamespace(o.GetNamespace()), client.MatchingFields{index.UnfinishedByProject: o.GetName()})
		add(queue, pointers(unfinished))
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			all(ctx, e.Object, queue)
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			before, after := e.ObjectOld.(*v1alpha1.SecretProject), e.ObjectNew.(*v1alpha1.SecretProject)
			if !change.SamePolicy(before, after) {
				all(ctx, after, queue)
				return
			}
			for i := range after.Status.Environments {
				name := after.Status.Environments[i].Name
				unfinished := r.list(ctx, client.InNamespace(after.Namespace),
					client.MatchingFields{index.UnfinishedByEnvironment: index.EnvironmentKey(after.Name, name)})
				add(queue, change.Concerned(before, after, name, unfinished))
			}
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			all(ctx, e.Object, queue)
		},
	}
}

// unfinished are all changes that the state of the admission policies affects.
func (r *Reconciler) unfinished(ctx context.Context, _ client.Object) []reconcile.Request {
	var out []reconcile.Request
	for _, c := range pointers(r.list(ctx, client.MatchingFields{index.Unfinished: index.AnyUnfinished})) {
		out = append(out, requestFor(c))
	}
	return out
}

// list returns the cache's own changes: read only.
func (r *Reconciler) list(ctx context.Context, options ...client.ListOption) []v1alpha1.SecretChange {
	var changes v1alpha1.SecretChangeList
	if err := r.Client.List(ctx, &changes, append(options, client.UnsafeDisableDeepCopy)...); err != nil {
		log.FromContext(ctx).Error(err, "cannot list changes to look at again")
		return nil
	}
	return changes.Items
}

func pointers(changes []v1alpha1.SecretChange) []*v1alpha1.SecretChange {
	out := make([]*v1alpha1.SecretChange, len(changes))
	for i := range changes {
		out[i] = &changes[i]
	}
	return out
}

func add(queue workqueue.TypedRateLimitingInterface[reconcile.Request], changes []*v1alpha1.SecretChange) {
	for _, c := range changes {
		queue.Add(requestFor(c))
	}
}

func requestFor(c *v1alpha1.SecretChange) reconcile.Request {
	return reconcile.Request{NamespacedName: client.ObjectKeyFromObject(c)}
}
