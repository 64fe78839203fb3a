// Package secretproject reconciles SecretProjects: it shows package project what
// there is, reads what that asks for and writes the status once.
package secretproject

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/controller/inventory"
	"github.com/secretreview/secretreview/internal/guard"
	"github.com/secretreview/secretreview/internal/project"
	"github.com/secretreview/secretreview/internal/secretstore"
)

const (
	// maxReads is more rounds of reading than Decide can ask for.
	maxReads = 3
	// staleRetry is how soon a write is tried again that lost against a newer
	// object.
	staleRetry = 10 * time.Millisecond
)

// Outages tells whether AWS can be asked.
type Outages interface{ Outage() *inventory.Outage }

// Reconciler reconciles SecretProjects.
type Reconciler struct {
	// Client reads from the cache and writes.
	Client   client.Client
	Store    secretstore.Store
	Guard    guard.Reader
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	Settings project.Settings
	// Inventory tells of outages, Suspects of what a listing has shown.
	Inventory Outages
	Suspects  *Suspects
	// Concurrency is how many projects are worked on at once; 0 means 1.
	Concurrency int

	recent recent
}

// Reconcile reads what is needed, decides and writes the status once.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (result ctrl.Result, err error) {
	suspected := r.Suspects.take(request.NamespacedName)
	defer func() {
		if err != nil {
			r.Suspects.add(request.NamespacedName, suspected...)
		}
	}()
	facts, err := r.observe(ctx, request.NamespacedName, suspected)
	if err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	action, err := r.decide(ctx, &facts)
	if err != nil {
		return ctrl.Result{}, err
	}
	if err := r.writeStatus(ctx, facts.Project, action); err != nil {
		if apierrors.IsConflict(err) {
			r.Suspects.add(request.NamespacedName, suspected...)
			return ctrl.Result{RequeueAfter: staleRetry}, nil
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	r.Suspects.add(request.NamespacedName, action.Unsettled...)
	if action.Failed != nil {
		return ctrl.Result{}, errors.New(action.Failed.Message)
	}
	return ctrl.Result{RequeueAfter: action.After}, nil
}

// decide reads whatever Decide asks for until it has an answer.
func (r *Reconciler) decide(ctx context.Context, facts *project.Facts) (project.Action, error) {
	for range maxReads {
		action := project.Decide(r.Settings, *facts)
		if len(action.Reads) == 0 {
			return action, nil
		}
		for _, read := range action.Reads {
			if err := r.read(ctx, facts, read); err != nil {
				return project.Action{}, err
			}
		}
	}
	name := client.ObjectKeyFromObject(facts.Project)
	return project.Action{}, fmt.Errorf("project %s: no decision after %d reads", name, maxReads)
}

// writeStatus writes the status if it differs, and then tells what happened.
func (r *Reconciler) writeStatus(ctx context.Context, object *v1alpha1.SecretProject, action project.Action) error {
	if equality.Semantic.DeepEqual(object.Status, action.Status) {
		return nil
	}
	object.Status = action.Status
	if err := r.Client.Status().Update(ctx, object); err != nil {
		return fmt.Errorf("write the status of project %s/%s: %w", object.Namespace, object.Name, err)
	}
	for _, event := range action.Events {
		kind := "Normal"
		if event.Warning {
			kind = "Warning"
		}
		log.FromContext(ctx).Info(event.Message, "reason", event.Reason)
		r.Recorder.Eventf(object, nil, kind, event.Reason, "Observe", "%s", event.Message)
	}
	return nil
}

// environmentsOf names a project's environments.
func environmentsOf(p *v1alpha1.SecretProject) []string {
	names := make([]string, len(p.Spec.Environments))
	for i := range p.Spec.Environments {
		names[i] = p.Spec.Environments[i].Name
	}
	return names
}

func keyOf(o client.Object) types.NamespacedName { return client.ObjectKeyFromObject(o) }
