package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"

	"github.com/secretreview/secretreview/internal/guard"
)

// syncPatience is how long a probe waits for the cache: not at all, in effect.
const syncPatience = 10 * time.Millisecond

// addHealth adds the probes. That AWS can be reached was found out before the
// start, and an outage since is no reason to take managers away.
func addHealth(mgr ctrl.Manager, reader guard.Reader) error {
	return errors.Join(
		mgr.AddHealthzCheck("ping", healthz.Ping),
		mgr.AddReadyzCheck("cache", func(r *http.Request) error { return synced(r.Context(), mgr) }),
		mgr.AddReadyzCheck("policies", func(*http.Request) error { return checked(mgr.Elected(), reader) }),
	)
}

func synced(ctx context.Context, mgr ctrl.Manager) error {
	ctx, cancel := context.WithTimeout(ctx, syncPatience)
	defer cancel()
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		return errors.New("the cache of projects and changes is not synced yet")
	}
	return nil
}

// checked asks the leader alone: only it checks the admission policies.
func checked(elected <-chan struct{}, reader guard.Reader) error {
	select {
	case <-elected:
	default:
		return nil
	}
	if state := reader.State(); state.Epoch == 0 {
		return errors.New(state.Reason)
	}
	return nil
}
