// Package inventory lists, every few minutes, all secrets under the prefix:
// about one call to AWS for a hundred of them. What a listing shows may be
// minutes old, so it is a reason to look, never to act.
package inventory

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sweep"
)

const (
	// DefaultInterval is how often the inventory is taken.
	DefaultInterval = 5 * time.Minute
	// firstRetry is how soon a failed listing is tried again; the wait doubles
	// up to the interval.
	firstRetry = 5 * time.Second
	// DefaultOutageGrace is for Loop.OutageGrace.
	DefaultOutageGrace = time.Minute
)

// Lister is the part of a secretstore.Store that the inventory needs.
type Lister interface {
	List(ctx context.Context, prefix string) ([]secretstore.Secret, error)
}

// Snapshot is one complete listing.
type Snapshot struct {
	// TakenAt is when the listing began.
	TakenAt time.Time
	// Live are the secrets outside the staging prefix, by name.
	Live map[string]secretstore.Secret
	// Staged are the secrets under the staging prefix.
	Staged []sweep.Secret
}

// Consumer makes use of each listing. What it returns is logged, and does not
// keep other consumers from their turn.
type Consumer interface {
	Observe(ctx context.Context, s Snapshot) error
}

// Outage is why and since when the inventory cannot be taken.
type Outage struct {
	Since time.Time
	Err   error
}

// Observer is told how listings end, for metrics.
type Observer interface {
	// Listed reports a complete listing.
	Listed(at time.Time, live, staged int)
	// ListFailed reports a failure.
	ListFailed(err error)
}

// Loop takes the inventory. It is a manager.Runnable of the leader alone.
type Loop struct {
	Store    Lister
	Prefix   string
	Interval time.Duration
	// OutageGrace is how long AWS may be silent before that counts as an outage.
	OutageGrace time.Duration
	Clock       clock.WithTicker
	Observer    Observer
	// Consumers get each listing, in this order.
	Consumers []Consumer
	// OutageChanged is called when an outage begins to count, and when it ends.
	OutageChanged func(ctx context.Context)

	mu     sync.Mutex
	outage *Outage
	// told says that OutageChanged has told of outage.
	told bool
}

// NeedLeaderElection says that one inventory is enough.
func (l *Loop) NeedLeaderElection() bool { return true }

// Outage returns why AWS could not be asked for at least OutageGrace, or nil.
func (l *Loop) Outage() *Outage {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.outage == nil || l.Clock.Since(l.outage.Since) < l.OutageGrace {
		return nil
	}
	out := *l.outage
	return &out
}

// Start takes the inventory at once and then every interval, until ctx ends.
func (l *Loop) Start(ctx context.Context) error {
	ctx = log.IntoContext(ctx, log.FromContext(ctx).WithName("inventory"))
	retry := firstRetry
	for ctx.Err() == nil {
		wait := l.Interval
		if err := l.round(ctx); err != nil {
			log.FromContext(ctx).Error(err, "the inventory could not be taken")
			wait, retry = min(retry, l.Interval), min(2*retry, l.Interval)
		} else {
			retry = firstRetry
		}
		timer := l.Clock.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C():
		}
		timer.Stop()
	}
	return nil
}

// round lists once and lets the consumers work on it.
func (l *Loop) round(ctx context.Context) error {
	began := l.Clock.Now()
	secrets, err := l.Store.List(ctx, l.Prefix)
	if ctx.Err() != nil {
		return nil //nolint:nilerr // being stopped is no failure
	}
	l.settle(ctx, err)
	if err != nil {
		l.Observer.ListFailed(err)
		return err
	}
	snapshot := snapshotOf(secrets, l.Prefix, began)
	l.Observer.Listed(began, len(snapshot.Live), len(snapshot.Staged))
	var failed []error
	for _, consumer := range l.Consumers {
		failed = append(failed, consumer.Observe(ctx, snapshot))
	}
	if err := errors.Join(failed...); err != nil && ctx.Err() == nil {
		log.FromContext(ctx).Error(err, "not all that follows from the inventory could be done; it is tried again the next time")
	}
	return nil
}

// settle keeps the outage up to date, and tells when it begins and ends to count.
func (l *Loop) settle(ctx context.Context, err error) {
	l.mu.Lock()
	switch {
	case err == nil:
		l.outage = nil
	case l.outage == nil:
		l.outage = &Outage{Since: l.Clock.Now(), Err: err}
	default:
		l.outage.Err = err
	}
	counts := l.outage != nil && l.Clock.Since(l.outage.Since) >= l.OutageGrace
	tell := counts != l.told
	l.told = counts
	l.mu.Unlock()
	if tell {
		l.OutageChanged(ctx)
	}
}

func snapshotOf(secrets []secretstore.Secret, prefix string, at time.Time) Snapshot {
	s := Snapshot{TakenAt: at, Live: make(map[string]secretstore.Secret, len(secrets))}
	staging := naming.StagingPrefix(prefix)
	for _, secret := range secrets {
		if strings.HasPrefix(secret.Name, staging) {
			s.Staged = append(s.Staged, staged(secret))
			continue
		}
		s.Live[secret.Name] = secret
	}
	return s
}

func staged(s secretstore.Secret) sweep.Secret {
	return sweep.Secret{ARN: s.ARN, Name: s.Name, Tags: s.Tags, CreatedAt: s.CreatedAt, DeletedAt: s.DeletedAt}
}
