package secretproject

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/controller/inventory"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/project"
)

// Watcher compares each listing with the projects' records, and has those
// projects looked at of which something differs.
type Watcher struct {
	// Cache has every change and project.
	Cache    client.Reader
	Clock    clock.PassiveClock
	Settings project.Settings
	Suspects *Suspects

	wake chan event.GenericEvent
}

// NewWatcher returns a Watcher whose suspicions go to suspects.
func NewWatcher(cache client.Reader, clock clock.PassiveClock, settings project.Settings, suspects *Suspects) *Watcher {
	return &Watcher{Cache: cache, Clock: clock, Settings: settings, Suspects: suspects, wake: make(chan event.GenericEvent)}
}

// Observe implements inventory.Consumer.
func (w *Watcher) Observe(ctx context.Context, snapshot inventory.Snapshot) error {
	return w.each(ctx, func(p *v1alpha1.SecretProject) (bool, error) {
		var suspected []string
		var failed []error
		for _, environment := range environmentsOf(p) {
			differs, err := w.differs(ctx, p, environment, snapshot)
			if err != nil {
				failed = append(failed, err)
			}
			if differs {
				suspected = append(suspected, environment)
			}
		}
		w.Suspects.add(keyOf(p), suspected...)
		return len(suspected) > 0, errors.Join(failed...)
	})
}

// OutageChanged has every project looked at.
func (w *Watcher) OutageChanged(ctx context.Context) {
	err := w.each(ctx, func(*v1alpha1.SecretProject) (bool, error) { return true, nil })
	if err != nil {
		log.FromContext(ctx).Error(err, "cannot look at all projects")
	}
}

// each wakes the projects for which wanted says so.
func (w *Watcher) each(ctx context.Context, wanted func(*v1alpha1.SecretProject) (bool, error)) error {
	var all v1alpha1.SecretProjectList
	if err := w.Cache.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list projects: %w", err)
	}
	var failed []error
	for i := range all.Items {
		wake, err := wanted(&all.Items[i])
		if err != nil {
			failed = append(failed, err)
		}
		if !wake {
			continue
		}
		select {
		case w.wake <- event.GenericEvent{Object: &all.Items[i]}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return errors.Join(failed...)
}

func (w *Watcher) differs(ctx context.Context, p *v1alpha1.SecretProject, environment string, snapshot inventory.Snapshot) (bool, error) {
	secret, listed := snapshot.Live[naming.LiveSecret(w.Settings.Prefix, p.EffectiveProjectName(), environment)]
	known, err := writers(ctx, w.Cache, secret)
	if err != nil {
		return false, err
	}
	claimants, err := claimants(ctx, w.Cache, p)
	if err != nil {
		return false, err
	}
	return project.Differs(w.Settings, project.Facts{
		Now: w.Clock.Now(), Project: p,
		Environments: map[string]project.Environment{environment: {
			Rivals: rivals(claimants, environment), Writers: known,
			Secret: &project.Secret{Missing: !listed, Secret: secret, Listed: true},
		}},
	}, environment), nil
}
