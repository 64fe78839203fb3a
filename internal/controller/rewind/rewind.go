// Package rewind ends a manager whose cluster was put back to an earlier state,
// as from a backup of etcd. The API server does not tell those who watch, and
// caches go on remembering what is no more: objects that are gone, and labels in
// AWS that count as known.
package rewind

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// DefaultInterval is how often the cluster's revision is looked at. A backup is
// older than what a cluster writes meanwhile by orders of magnitude.
const DefaultInterval = 10 * time.Second

// Watch looks at the cluster's revision, which only grows while nobody puts the
// cluster back. It is a manager.Runnable of every manager, leading or not.
type Watch struct {
	// Reader reads past the cache.
	Reader   client.Reader
	Clock    clock.WithTicker
	Interval time.Duration
}

// NeedLeaderElection says that every manager has caches.
func (w *Watch) NeedLeaderElection() bool { return false }

// Start returns when ctx ends, or with an error, which ends the manager, once the
// cluster has an older revision than before.
func (w *Watch) Start(ctx context.Context) error {
	ticker := w.Clock.NewTicker(w.Interval)
	defer ticker.Stop()
	newest := ""
	for {
		now, err := w.revision(ctx)
		switch {
		case err != nil:
			// An API server that cannot be reached is told of elsewhere.
			log.FromContext(ctx).V(1).Info("the cluster's revision cannot be read", "error", err.Error())
		case older(now, newest):
			return fmt.Errorf("the cluster was put back to an earlier state, from revision %s to %s: the manager has to be started again, for its caches know nothing of that", newest, now)
		default:
			newest = now
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C():
		}
	}
}

// revision is the one of the whole cluster, which any list bears.
func (w *Watch) revision(ctx context.Context) (string, error) {
	var list v1alpha1.SecretProjectList
	if err := w.Reader.List(ctx, &list, client.Limit(1)); err != nil {
		return "", err
	}
	return list.ResourceVersion, nil
}

// older is false where one of them is no revision.
func older(now, before string) bool {
	order, err := resourceversion.CompareResourceVersion(now, before)
	return err == nil && order < 0
}
