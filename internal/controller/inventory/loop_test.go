package inventory

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/utils/clock"

	"github.com/secretreview/secretreview/internal/secretstore"
)

// account is a Lister that fails as often as it is told to.
type account struct {
	secrets  []secretstore.Secret
	failures int
	asked    []time.Duration
	began    time.Time
}

func (a *account) List(_ context.Context, prefix string) ([]secretstore.Secret, error) {
	a.asked = append(a.asked, time.Since(a.began))
	if a.failures > 0 {
		a.failures--
		return nil, &secretstore.Error{Kind: secretstore.KindUnavailable, Op: "ListSecrets", ID: prefix}
	}
	return a.secrets, nil
}

type counts struct {
	listed, live, staged int
	failed               []secretstore.Kind
}

func (c *counts) Listed(_ time.Time, live, staged int) {
	c.listed, c.live, c.staged = c.listed+1, live, staged
}
func (c *counts) ListFailed(err error) { c.failed = append(c.failed, secretstore.KindOf(err)) }

type consumer struct {
	seen []Snapshot
	err  error
}

func (c *consumer) Observe(_ context.Context, s Snapshot) error {
	c.seen = append(c.seen, s)
	return c.err
}

// play runs a loop in a bubble, where time passes as soon as everybody waits.
func play(t *testing.T, a *account, lasting time.Duration, consumers ...Consumer) (l *Loop, observed *counts, told []bool) {
	t.Helper()
	observed = &counts{}
	l = &Loop{Store: a, Prefix: "p/", Interval: 5 * time.Minute, OutageGrace: DefaultOutageGrace, Clock: clock.RealClock{}, Observer: observed, Consumers: consumers}
	l.OutageChanged = func(context.Context) { told = append(told, l.Outage() != nil) }
	a.began = time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), lasting)
	defer cancel()
	if err := l.Start(ctx); err != nil {
		t.Fatal(err)
	}
	return l, observed, told
}

func TestTakesTheInventoryAtOnceAndEveryInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &account{}
		_, observed, told := play(t, a, 11*time.Minute)
		if want := []time.Duration{0, 5 * time.Minute, 10 * time.Minute}; !slices.Equal(a.asked, want) || observed.listed != 3 {
			t.Errorf("asked at %v", a.asked)
		}
		if len(told) > 0 {
			t.Errorf("told of an outage: %v", told)
		}
	})
}

func TestTriesAFailedInventoryAgainEverLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &account{failures: 8}
		l, observed, told := play(t, a, 25*time.Minute)
		second := time.Second
		want := []time.Duration{0, 5 * second, 15 * second, 35 * second, 75 * second, 155 * second, 315 * second, 615 * second,
			915 * second, 1215 * second}
		if !slices.Equal(a.asked, want) {
			t.Errorf("asked at %v", a.asked)
		}
		if len(observed.failed) != 8 || observed.failed[0] != secretstore.KindUnavailable || observed.listed != 2 {
			t.Errorf("observed %+v", observed)
		}
		if !slices.Equal(told, []bool{true, false}) || l.Outage() != nil {
			t.Errorf("told %v", told)
		}
	})
}

func TestAShortFailureIsNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if _, _, told := play(t, &account{failures: 3}, 10*time.Minute); len(told) > 0 {
			t.Errorf("told %v", told)
		}
	})
}

func TestAnOutageTellsItsCauseAndBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		l, _, _ := play(t, &account{failures: 100}, 10*time.Minute)
		outage := l.Outage()
		if outage == nil || !outage.Since.Equal(began) || secretstore.KindOf(outage.Err) != secretstore.KindUnavailable {
			t.Errorf("got %+v", outage)
		}
	})
}

func TestOneConsumersErrorDoesNotKeepOthersFromTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := &consumer{err: errors.New("no")}, &consumer{}
		play(t, &account{}, time.Minute, first, second)
		if len(first.seen) != 1 || len(second.seen) != 1 {
			t.Errorf("seen %d and %d times", len(first.seen), len(second.seen))
		}
	})
}

func TestTellsLiveSecretsFromStagedOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		created := time.Now()
		c := &consumer{}
		a := &account{secrets: []secretstore.Secret{
			{Name: "p/api/production", ARN: "live"},
			{Name: "p/pending/api/fix", ARN: "staged", Tags: map[string]string{"a": "b"}, CreatedAt: created, DeletedAt: &created},
			{Name: "p/pending-api/dev", ARN: "live too"},
		}}
		_, observed, _ := play(t, a, time.Minute, c)
		s := c.seen[0]
		if len(s.Live) != 2 || s.Live["p/api/production"].ARN != "live" || s.Live["p/pending-api/dev"].ARN != "live too" || !s.TakenAt.Equal(created) {
			t.Errorf("live are %+v", s.Live)
		}
		if len(s.Staged) != 1 || s.Staged[0].ARN != "staged" || s.Staged[0].Tags["a"] != "b" || s.Staged[0].CreatedAt != created || s.Staged[0].DeletedAt == nil {
			t.Errorf("staged are %+v", s.Staged)
		}
		if observed.live != 2 || observed.staged != 1 {
			t.Errorf("observed %+v", observed)
		}
	})
}
