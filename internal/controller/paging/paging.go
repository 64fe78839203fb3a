// Package paging fills the cache of SecretChanges page by page. Streamed one by
// one, as client-go does it otherwise, 10,000 of them took the manager four times
// as long; in one piece, 100,000 would take a gigabyte.
package paging

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/pager"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/controller/slim"
)

// pageSize is how many changes are held at a time before their bulk is taken off.
const pageSize = 500

// NewInformer is for cache.Options.
func NewInformer(lw toolscache.ListerWatcher, example runtime.Object, resync time.Duration, indexers toolscache.Indexers) toolscache.SharedIndexInformer {
	if _, ok := example.(*v1alpha1.SecretChange); ok {
		lw = &pages{lw, toolscache.ToListerWatcherWithContext(lw)}
	}
	return toolscache.NewSharedIndexInformer(lw, example, resync, indexers)
}

// pages lists page by page, and slims each.
type pages struct {
	toolscache.ListerWatcher
	behind toolscache.ListerWatcherWithContext
}

var _ toolscache.ListerWatcherWithContext = (*pages)(nil)

// IsWatchListSemanticsUnSupported keeps client-go from streaming what is there.
func (*pages) IsWatchListSemanticsUnSupported() bool { return true }

// WatchWithContext watches as before.
func (p *pages) WatchWithContext(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	return p.behind.WatchWithContext(ctx, options)
}

// ListWithContext returns all changes as they are now.
func (p *pages) ListWithContext(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
	all := pager.New(p.page)
	all.PageSize = pageSize
	// Whatever version is asked for, the API server would answer in one piece.
	options.Limit, options.ResourceVersion, options.ResourceVersionMatch = 0, "", ""
	list, _, err := all.List(ctx, options)
	return list, err
}

func (p *pages) page(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
	list, err := p.behind.ListWithContext(ctx, options)
	if err != nil {
		return nil, err
	}
	err = meta.EachListItem(list, func(o runtime.Object) error {
		_, err := slim.Change(o)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("slim a page of changes: %w", err)
	}
	return list, nil
}
