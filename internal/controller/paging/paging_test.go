package paging_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	toolscache "k8s.io/client-go/tools/cache"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/controller/paging"
)

// server has so many changes, and notes how it was asked.
type server struct {
	count int
	// expires says that the second page is asked for too late.
	expires bool

	mu    sync.Mutex
	asked []metav1.ListOptions
	// streams counts those who want what there is by a watch.
	streams int
}

func (s *server) list(_ context.Context, options metav1.ListOptions) (runtime.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, options)
	if options.Continue != "" && s.expires {
		return nil, &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: http.StatusGone, Reason: metav1.StatusReasonExpired}}
	}
	first := 0
	if options.Continue != "" {
		if _, err := fmt.Sscan(options.Continue, &first); err != nil {
			return nil, err
		}
	}
	last := s.count
	list := &v1alpha1.SecretChangeList{ListMeta: metav1.ListMeta{ResourceVersion: "7"}}
	if options.Limit > 0 && first+int(options.Limit) < s.count {
		last = first + int(options.Limit)
		list.Continue = fmt.Sprint(last)
	}
	for i := first; i < last; i++ {
		c := v1alpha1.SecretChange{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("c-", i), Namespace: "team"}}
		c.Spec.Reason, c.Status.Phase = "because", v1alpha1.PhaseRejected
		list.Items = append(list.Items, c)
	}
	return list, nil
}

func (s *server) watch(_ context.Context, options metav1.ListOptions) (watch.Interface, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if options.SendInitialEvents != nil && *options.SendInitialEvents {
		s.streams++
	}
	return watch.NewFake(), nil
}

// cached runs an informer on the server until it is synced.
func (s *server) cached(t *testing.T, example runtime.Object) toolscache.Store {
	t.Helper()
	informer := paging.NewInformer(&toolscache.ListWatch{ListWithContextFunc: s.list, WatchFuncWithContext: s.watch}, example, 0, toolscache.Indexers{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	go informer.RunWithContext(ctx)
	if !toolscache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		t.Fatal("it is not synced")
	}
	return informer.GetStore()
}

func TestChangesComeByThePage(t *testing.T) {
	for name, tc := range map[string]struct {
		server *server
		asked  int
	}{
		"none":                           {&server{}, 1},
		"one page":                       {&server{count: 500}, 1},
		"several":                        {&server{count: 1200}, 3},
		"all at once where pages expire": {&server{count: 1200, expires: true}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := tc.server
			store := s.cached(t, &v1alpha1.SecretChange{})
			if got := len(store.List()); got != s.count {
				t.Errorf("%d changes are cached of %d", got, s.count)
			}
			for _, o := range store.List() {
				if c := o.(*v1alpha1.SecretChange); c.Spec.Reason != "" || c.Namespace != "team" {
					t.Fatalf("the bulk of a page is kept: %+v", c)
				}
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.asked) != tc.asked || s.streams != 0 || s.asked[0].Limit != 500 || s.asked[0].ResourceVersion != "" {
				t.Errorf("asked %d times and for %d streams: %+v", len(s.asked), s.streams, s.asked)
			}
		})
	}
}
