package guard

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// find reads every expected object past the cache; those that are missing are left out.
func (g *Guard) find(ctx context.Context) (Found, error) {
	found := Found{}
	for _, ref := range g.expected.refs {
		object := &unstructured.Unstructured{}
		object.SetGroupVersionKind(ref.GroupVersionKind)
		err := g.config.Reader.Get(ctx, client.ObjectKey{Name: ref.Name}, object)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("cannot read %s: %w", ref, err)
		}
		found[ref] = object
	}
	return found, nil
}

// watch wakes the guard when one of the objects may have changed. It caches their metadata alone.
func (g *Guard) watch(ctx context.Context) error {
	names := map[schema.GroupVersionKind]map[string]bool{}
	for _, ref := range g.expected.refs {
		if names[ref.GroupVersionKind] == nil {
			names[ref.GroupVersionKind] = map[string]bool{}
		}
		names[ref.GroupVersionKind][ref.Name] = true
	}
	for kind, ours := range names {
		metadata := &metav1.PartialObjectMetadata{}
		metadata.SetGroupVersionKind(kind)
		// Without the right to watch, the guard looks less often but not worse.
		informer, err := g.config.Cache.GetInformer(ctx, metadata, cache.BlockUntilSynced(false))
		if err != nil {
			return fmt.Errorf("cannot watch %s: %w", kind.Kind, err)
		}
		if _, err := informer.AddEventHandler(g.waker(ours)); err != nil {
			return fmt.Errorf("cannot watch %s: %w", kind.Kind, err)
		}
	}
	return nil
}

func (g *Guard) waker(names map[string]bool) toolscache.ResourceEventHandler {
	wake := func(event any) {
		if gone, isGone := event.(toolscache.DeletedFinalStateUnknown); isGone {
			event = gone.Obj
		}
		if object, isObject := event.(metav1.Object); isObject && !names[object.GetName()] {
			return
		}
		select {
		case g.wake <- struct{}{}:
		default:
		}
	}
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc:    wake,
		UpdateFunc: func(_, now any) { wake(now) },
		DeleteFunc: wake,
	}
}

func newest(found Found) time.Time {
	var newest time.Time
	for _, object := range found {
		if created := object.GetCreationTimestamp().Time; created.After(newest) {
			newest = created
		}
	}
	return newest
}

// weakness is a sentence about the first problem.
func weakness(problems []Problem) string {
	more := ""
	if len(problems) > 1 {
		more = fmt.Sprintf(" (and %d more)", len(problems)-1)
	}
	return fmt.Sprintf("%s%s: put this release's manifests back by kubectl replace, "+
		"which also takes away what was added to them, with the names that the manager was given.", problems[0], more)
}
