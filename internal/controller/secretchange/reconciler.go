// Package secretchange reconciles SecretChanges: it shows package change what
// there is, does the one effect that it asks for and writes the status.
package secretchange

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/guard"
	"github.com/secretreview/secretreview/internal/live"
	"github.com/secretreview/secretreview/internal/secretstore"
)

const (
	// maxReads is more than Decide can ask for in one reconcile.
	maxReads = 12
	// immediately requeues without counting as a failure.
	immediately = time.Millisecond
)

// Observer is told what changes go through, for metrics.
type Observer interface {
	// Transition reports a new phase of a change.
	Transition(change *v1alpha1.SecretChange, from, to v1alpha1.Phase)
}

// Reconciler reconciles SecretChanges.
type Reconciler struct {
	// Client reads from the cache and writes.
	Client client.Client
	// Fresh reads from the API server itself.
	Fresh    client.Reader
	Store    secretstore.Store
	Guard    guard.Reader
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	Settings change.Settings
	Observer Observer
	// Concurrency is how many changes are worked on at once; 0 means 1.
	Concurrency int

	writes writes
	chains chains
}

// Reconcile reads what is needed, decides, does at most one effect and writes
// the status once.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	facts, err := r.observe(ctx, request.NamespacedName)
	if err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if r.writes.stale(facts.Change) {
		return ctrl.Result{}, nil
	}
	action, err := r.decide(ctx, &facts)
	if err != nil {
		return r.failed(ctx, facts, err)
	}
	return r.perform(ctx, facts, action)
}

// decide reads whatever Decide asks for until it has an answer.
func (r *Reconciler) decide(ctx context.Context, facts *change.Facts) (change.Action, error) {
	for range maxReads {
		action := change.Decide(r.Settings, *facts)
		if action.Read == change.ReadNothing {
			return action, nil
		}
		if err := r.read(ctx, facts, action); err != nil {
			return change.Action{}, err
		}
	}
	return change.Action{}, fmt.Errorf("change %s/%s: no decision after %d reads", facts.Change.Namespace, facts.Change.Name, maxReads)
}

// perform does the effect and writes the status, in the order that the action
// asks for.
func (r *Reconciler) perform(ctx context.Context, facts change.Facts, action change.Action) (ctrl.Result, error) {
	var wrote bool
	var err error
	// What is tried again goes on telling what hinders it. Writing that it is tried would also wake us by the watch, past
	// the backoff.
	if action.StatusFirst && !change.SameFacts(facts.Change.Status, action.Status) {
		if wrote, err = r.writeStatus(ctx, facts.Change, action); err != nil {
			return conflictIsStale(err)
		}
		r.tell(facts.Change, action.Events)
		action.Events = nil
	}
	if err := r.doInTime(ctx, facts, action.Effect); err != nil {
		switch kind := secretstore.KindOf(err); {
		case action.Effect.Kind == change.Put && kind == secretstore.KindExists:
			return r.perform(ctx, facts, change.RetryPut(r.Settings, facts))
		case action.Effect.MakesLive() && (kind == secretstore.KindInvalidState || errors.Is(err, secretstore.ErrNotSent)):
			return r.perform(ctx, facts, change.MoveRefused(r.Settings, facts, live.Reasons[kind], blockedMessage(err)))
		}
		return r.failed(ctx, facts, err)
	}
	if !action.StatusFirst {
		if wrote, err = r.writeStatus(ctx, facts.Change, action); err != nil {
			return conflictIsStale(err)
		}
	}
	r.tell(facts.Change, action.Events)
	if action.Again && !wrote {
		return ctrl.Result{RequeueAfter: immediately}, nil
	}
	// A written status brings the change back by its watch.
	return ctrl.Result{RequeueAfter: action.After}, nil
}

// failed records what hinders a change and asks to be tried again with backoff.
func (r *Reconciler) failed(ctx context.Context, facts change.Facts, failure error) (ctrl.Result, error) {
	var stale *apierrors.StatusError
	if errors.As(failure, &stale) {
		return conflictIsStale(failure)
	}
	if kind := secretstore.KindOf(failure); kind != "" {
		action := change.Blocked(r.Settings, facts, live.Reasons[kind], blockedMessage(failure))
		if _, err := r.writeStatus(ctx, facts.Change, action); err != nil {
			log.FromContext(ctx).Error(err, "cannot record what hinders the change")
		} else {
			r.tell(facts.Change, action.Events)
		}
	}
	return ctrl.Result{}, failure
}

func blockedMessage(err error) string { return "Waiting, will be tried again: " + err.Error() }

// conflictIsStale turns a write that lost against a newer object into another
// look at it.
func conflictIsStale(err error) (ctrl.Result, error) {
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: 10 * immediately}, nil
	}
	return ctrl.Result{}, client.IgnoreNotFound(err)
}

// writeStatus writes the status if it differs, and reports whether it did.
func (r *Reconciler) writeStatus(ctx context.Context, object *v1alpha1.SecretChange, action change.Action) (bool, error) {
	if equality.Semantic.DeepEqual(object.Status, action.Status) {
		return false, nil
	}
	from := object.Status.Phase
	object.Status = action.Status
	ends := !from.Finished() && object.Status.Phase.Finished()
	if err := r.updateStatus(ctx, object, ends); err != nil {
		return false, fmt.Errorf("write the status of change %s/%s: %w", object.Namespace, object.Name, err)
	}
	r.writes.wrote(object)
	if to := object.Status.Phase; to != from {
		log.FromContext(ctx).Info("phase changed", "from", from, "to", to, "reason", readyReason(object),
			"project", object.Spec.Project, "environment", object.Spec.Environment,
			"appliedVersionID", object.Status.AppliedVersionID)
		r.Observer.Transition(object, from, to)
	}
	return true, nil
}
