package verdict

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

const (
	// pause is how long to wait before the cluster is asked again after it failed
	// or ended a watch.
	pause = time.Second
	// maxRefusals is how often in a row the cluster may refuse somebody who has
	// just added a review: an API server that starts does so for a moment, before
	// it knows who has which rights.
	maxRefusals = 10
)

// follower watches one change until its stage is final.
type follower struct {
	kube  client.WithWatch
	clock clock.Clock
	// reviewed is the change as it was when the review was added.
	reviewed *v1alpha1.SecretChange
	// final tells whether there is nothing more to wait for.
	final func(*v1alpha1.SecretChange, Stage) bool
	// tell is called with each new message of the controller.
	tell func(message string)

	told string
}

// follow returns the change once its stage is final, or the error of ctx. It
// rides out an API server that is away for a while.
func (w *follower) follow(ctx context.Context) (*v1alpha1.SecretChange, error) {
	if done, err := w.look(w.reviewed); done || err != nil {
		return w.reviewed, err
	}
	refusals := 0
	for {
		change := &v1alpha1.SecretChange{}
		err := w.kube.Get(ctx, client.ObjectKeyFromObject(w.reviewed), change)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case apierrors.IsNotFound(err):
			return nil, gone(w.reviewed)
		case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
			if refusals++; refusals > maxRefusals {
				return nil, err
			}
		case err == nil:
			refusals = 0
			if done, err := w.look(change); done || err != nil {
				return change, err
			}
			if change, done, err := w.watch(ctx, change.ResourceVersion); done || err != nil {
				return change, err
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-w.clock.After(pause):
		}
	}
}

// watch looks at every later state until the watch ends. A person who may not
// watch is served by the repeated reading.
func (w *follower) watch(ctx context.Context, since string) (*v1alpha1.SecretChange, bool, error) {
	events, err := w.kube.Watch(ctx, &v1alpha1.SecretChangeList{}, &client.ListOptions{
		Namespace:     w.reviewed.Namespace,
		FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, w.reviewed.Name),
		Raw:           &metav1.ListOptions{ResourceVersion: since},
	})
	if err != nil {
		return nil, false, ctx.Err()
	}
	defer events.Stop()
	for event := range events.ResultChan() {
		change, ok := event.Object.(*v1alpha1.SecretChange)
		if !ok {
			break // an error: read it again
		}
		if event.Type == watch.Deleted {
			return nil, false, gone(w.reviewed)
		}
		if done, err := w.look(change); done || err != nil {
			return change, done, err
		}
	}
	return nil, false, ctx.Err()
}

// look reports whether a state is final.
func (w *follower) look(change *v1alpha1.SecretChange) (bool, error) {
	if change.UID != w.reviewed.UID {
		return false, remade(w.reviewed)
	}
	stage := StageOf(change, w.reviewed.Generation)
	if w.final(change, stage) {
		return true, nil
	}
	if message := change.Status.Message; stage == Working && message != w.told {
		w.told = message
		w.tell(message)
	}
	return false, nil
}
