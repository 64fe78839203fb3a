package stream

import (
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/selector"
)

const (
	// pause is how long to wait before a change that has ended is read again.
	pause = time.Second
	// maxRefusals is how often in a row the cluster may refuse somebody whom it
	// has served: an API server that starts does so for a moment.
	maxRefusals = 5
)

// Options say what to follow.
type Options struct {
	// Filter must select what is unfinished.
	Filter selector.Filter
	Clock  clock.Clock
	// Emit is called with each event, one after the other.
	Emit func(Event) error
	// Tell is called with what a person should know of the connection.
	Tell func(string)
}

// Follow emits what becomes of changes until ctx ends, whose error it then
// returns. It rides out an API server that is away for a while, and what it has
// forgotten meanwhile, by client-go's informer. It fails where the first list
// does, where the first watch is refused, where the right to watch is taken away, or where Emit fails.
func Follow(ctx context.Context, kube client.WithWatch, o Options) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	quiet := logr.Discard()
	f := &follower{Options: o, kube: kube, stop: cancel, known: map[string]*v1alpha1.SecretChange{}}
	_, informer := cache.NewInformerWithOptions(cache.InformerOptions{
		Logger: &quiet, ListerWatcher: f, ObjectType: &v1alpha1.SecretChange{},
		Handler: cache.ResourceEventHandlerDetailedFuncs{
			AddFunc:    func(object any, initial bool) { f.seen(ctx, object, initial) },
			UpdateFunc: func(_, object any) { f.seen(ctx, object, false) },
			DeleteFunc: func(object any) { f.left(ctx, object) },
		},
	})
	informer.RunWithContext(klog.NewContext(ctx, quiet))
	return context.Cause(ctx)
}

// follower is what the informer lists and watches by, and tells.
type follower struct {
	Options
	kube client.WithWatch
	stop context.CancelCauseFunc
	// known are the unfinished changes as they were seen last.
	known map[string]*v1alpha1.SecretChange

	// listed and begun say that there has been a list, and a watch; lost that there
	// is no watch now.
	listed, begun, lost bool
	refusals            int
}

// List implements cache.ListerWatcher.
func (f *follower) List(options metav1.ListOptions) (runtime.Object, error) {
	return f.ListWithContext(context.Background(), options)
}

// Watch implements cache.ListerWatcher.
func (f *follower) Watch(options metav1.ListOptions) (watch.Interface, error) {
	return f.WatchWithContext(context.Background(), options)
}

// ListWithContext implements cache.ListerWithContext.
func (f *follower) ListWithContext(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
	list := &v1alpha1.SecretChangeList{}
	err := f.kube.List(ctx, list, f.Filter.Narrowed(options))
	if err != nil {
		f.judge(ctx, fmt.Errorf("list the changes in %s: %w", f.Filter.Place(), err))
		return list, err
	}
	f.listed = true
	return list, nil
}

// WatchWithContext implements cache.WatcherWithContext.
func (f *follower) WatchWithContext(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	events, err := f.kube.Watch(ctx, &v1alpha1.SecretChangeList{}, f.Filter.Narrowed(options))
	if err != nil {
		f.judge(ctx, fmt.Errorf("watch the changes in %s: %w", f.Filter.Place(), err))
		return nil, err
	}
	if f.lost {
		f.Tell("The cluster answers again.")
	}
	f.begun, f.lost, f.refusals = true, false, 0
	return events, nil
}

// IsWatchListSemanticsUnSupported has the informer list first, so that what
// fails at the beginning fails here, and not again and again inside of it.
func (f *follower) IsWatchListSemanticsUnSupported() bool { return true }

// judge decides what an error means: the end, or that the informer tries again.
func (f *follower) judge(ctx context.Context, err error) {
	refused := apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err)
	switch {
	case ctx.Err() != nil, apierrors.IsResourceExpired(err), apierrors.IsGone(err):
		return
	case !f.listed, !f.begun && refused:
		f.stop(err)
		return
	case refused:
		if f.refusals++; f.refusals > maxRefusals {
			f.stop(err)
			return
		}
	}
	if !f.lost {
		f.lost = true
		f.Tell("The cluster does not answer: trying again.")
	}
}

// seen is told of a change that is unfinished.
func (f *follower) seen(ctx context.Context, object any, initial bool) {
	change, ok := object.(*v1alpha1.SecretChange)
	if !ok {
		return
	}
	key := client.ObjectKeyFromObject(change).String()
	before := f.known[key]
	f.known[key] = change
	if before != nil && before.UID != change.UID {
		f.emit(ctx, newEvent(Deleted, before, "", ""))
		before = nil
	}
	if before == nil && initial {
		f.emit(ctx, newEvent(Open, change, change.Spec.ProposedBy, change.Spec.Reason))
		return
	}
	f.emit(ctx, Between(before, change)...)
}

// left is told of a change that is not unfinished any more: it has ended, or is
// gone. The API server says no more than that.
func (f *follower) left(ctx context.Context, object any) {
	key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object)
	before := f.known[key]
	if err != nil || before == nil {
		return
	}
	delete(f.known, key)
	after, err := f.read(ctx, before)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		f.stop(fmt.Errorf("read what has become of change %q in namespace %q: %w", before.Name, before.Namespace, err))
	case after == nil:
		f.emit(ctx, newEvent(Deleted, before, "", ""))
	default:
		f.emit(ctx, Between(before, after)...)
	}
}

// read reads a change again, as long as that may take, and returns nil where it
// is gone.
func (f *follower) read(ctx context.Context, before *v1alpha1.SecretChange) (*v1alpha1.SecretChange, error) {
	for refusals := 0; ; {
		after := &v1alpha1.SecretChange{}
		err := f.kube.Get(ctx, client.ObjectKeyFromObject(before), after)
		switch {
		case apierrors.IsNotFound(err), err == nil && after.UID != before.UID:
			return nil, nil
		case err == nil:
			return after, nil
		case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
			if refusals++; refusals > maxRefusals {
				return nil, err
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-f.Clock.After(pause):
		}
	}
}

func (f *follower) emit(ctx context.Context, events ...Event) {
	for _, e := range events {
		if ctx.Err() != nil {
			return
		}
		e.Time = f.Clock.Now().UTC()
		if err := f.Emit(e); err != nil {
			f.stop(err)
			return
		}
	}
}
