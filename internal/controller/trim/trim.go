// Package trim deletes finished changes beyond their environment's historyLimit.
package trim

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/controller/index"
	"github.com/secretreview/secretreview/internal/controller/inventory"
	"github.com/secretreview/secretreview/internal/guard"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/policy"
	"github.com/secretreview/secretreview/internal/trim"
)

// DefaultMaxDeletes is how many changes one round deletes at most.
const DefaultMaxDeletes = 200

// Observer is told of deleted changes, for metrics.
type Observer interface{ Trimmed(count int) }

// Trimmer works on each inventory, because that shows which changes AWS still
// has versions of.
type Trimmer struct {
	// Client reads from the cache, and deletes.
	Client   client.Client
	Guard    guard.Reader
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	Observer Observer
	// Prefix is the manager's.
	Prefix string
	// Settle is as in trim.Environment.
	Settle time.Duration
	// MaxDeletes bounds one round; 0 means DefaultMaxDeletes.
	MaxDeletes int
}

// Observe trims as much as one round may.
func (t *Trimmer) Observe(ctx context.Context, snapshot inventory.Snapshot) error {
	var projects v1alpha1.SecretProjectList
	if err := t.Client.List(ctx, &projects, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list projects to trim their changes: %w", err)
	}
	left := t.MaxDeletes
	if left == 0 {
		left = DefaultMaxDeletes
	}
	var failed []error
	for i := range projects.Items {
		p := &projects.Items[i]
		for j := range p.Spec.Environments {
			if left <= 0 || ctx.Err() != nil || !t.Guard.State().Intact {
				return errors.Join(failed...)
			}
			deleted, err := t.environment(ctx, p, p.Spec.Environments[j].Name, snapshot, left)
			if err != nil {
				failed = append(failed, err)
			}
			left -= deleted
		}
	}
	return errors.Join(failed...)
}

// environment trims one, and returns how many changes it has deleted.
func (t *Trimmer) environment(ctx context.Context, p *v1alpha1.SecretProject, name string, snapshot inventory.Snapshot, limit int) (int, error) {
	effective, ok := policy.For(p, name)
	if !ok {
		return 0, nil
	}
	var changes v1alpha1.SecretChangeList
	key := index.EnvironmentKey(p.Name, name)
	err := t.Client.List(ctx, &changes, client.InNamespace(p.Namespace),
		client.MatchingFields{index.ChangesByEnvironment: key}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return 0, fmt.Errorf("list the changes of %s/%s to trim them: %w", p.Namespace, key, err)
	}
	live := snapshot.Live[naming.LiveSecret(t.Prefix, p.EffectiveProjectName(), name)]
	status := p.Status.Environment(name)
	if status != nil && status.Drift != nil && status.Drift.ForeignChangeUID != "" {
		return 0, nil
	}
	labelled := map[string]bool{}
	for _, labels := range live.Versions {
		for _, label := range labels {
			if uid, ours := naming.ChangeUID(label); ours {
				labelled[uid] = true
			}
		}
	}
	plan := trim.Plan(trim.Environment{
		Changes: changes.Items, Limit: effective.HistoryLimit, Status: status,
		Labelled: labelled, Now: t.Clock.Now(), Settle: t.Settle,
	})
	if len(plan) == 0 {
		return 0, nil
	}
	if foreign, err := inventory.Foreign(ctx, t.Client, live, status); err != nil || foreign != "" {
		return 0, err
	}
	return t.delete(ctx, p, name, plan[:min(len(plan), limit)])
}

func (t *Trimmer) delete(ctx context.Context, p *v1alpha1.SecretProject, environment string, plan []*v1alpha1.SecretChange) (int, error) {
	deleted := 0
	var failed []error
	for _, c := range plan {
		err := t.Client.Delete(ctx, c.DeepCopy(),
			client.Preconditions{UID: &c.UID, ResourceVersion: &c.ResourceVersion})
		switch {
		case err == nil:
			deleted++
		case apierrors.IsNotFound(err), apierrors.IsConflict(err):
			// Somebody else was faster; the next round looks again.
		default:
			failed = append(failed, fmt.Errorf("trim change %s/%s: %w", c.Namespace, c.Name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	if deleted > 0 {
		t.Observer.Trimmed(deleted)
		log.FromContext(ctx).Info("trimmed finished changes", "namespace", p.Namespace, "project", p.Name, "environment", environment, "count", deleted)
		t.Recorder.Eventf(p, nil, "Normal", v1alpha1.ReasonTrimmed, "Trim",
			"Deleted %d finished changes of environment %q beyond its historyLimit", deleted, environment)
	}
	return deleted, errors.Join(failed...)
}
