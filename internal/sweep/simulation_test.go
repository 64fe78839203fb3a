package sweep_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/sweep"
)

const (
	tick  = 5 * time.Minute
	ticks = 600 // 50 hours
)

// life is one staged secret and the change that it was staged for.
type life struct {
	tags    naming.StagedTags
	arn     string
	staged  time.Time
	created time.Time // of the change; zero if it never comes
	ends    time.Time // of the change; zero if it stays unfinished

	deleted *time.Time // scheduled for deletion
	gone    bool
}

func (l *life) secret() sweep.Secret {
	s := sweep.Secret{
		ARN: l.arn, Name: naming.StagedSecret(prefix, l.tags.Project, l.tags.Change),
		Tags: l.tags.Map(), CreatedAt: l.staged,
	}
	if l.deleted != nil {
		at := *l.deleted
		s.DeletedAt = &at
	}
	return s
}

func (l *life) claimAt(at time.Time) (sweep.Claim, bool) {
	if l.created.IsZero() || at.Before(l.created) || l.tags.Cluster != cluster {
		return sweep.Claim{}, false
	}
	return sweep.Claim{
		Namespace: l.tags.Namespace, Name: l.tags.Change, UID: "uid-" + l.tags.Change,
		Project: l.tags.Project, Environment: l.tags.Environment, ARN: l.arn,
		Finished: !l.ends.IsZero() && !at.Before(l.ends),
	}, true
}

// due is when an orphan's time is over.
func (l *life) due() time.Time {
	if l.staged.After(l.tags.KeepUntil) {
		return l.staged.Add(sweep.DefaultGrace)
	}
	return l.tags.KeepUntil.Add(sweep.DefaultGrace)
}

// newLife draws a life. Some changes come late, within the recovery window;
// some never come; some never end; some keep-until times are over from birth.
func newLife(random *rand.Rand, n int) *life {
	hours := func(most int) time.Duration { return time.Duration(random.IntN(most*60)) * time.Minute }
	staged := now.Add(hours(24))
	l := &life{
		tags: naming.StagedTags{
			Cluster: cluster, Namespace: fmt.Sprint("team-", random.IntN(3)), Project: fmt.Sprint("project-", random.IntN(3)),
			Environment: "production", Change: fmt.Sprint("change-", n), KeepUntil: staged.Add(hours(12) - time.Hour),
		},
		arn: fmt.Sprint("arn:aws:secretsmanager:eu-west-1:111111111111:secret:staged-", n), staged: staged,
	}
	if random.IntN(5) == 0 {
		l.tags.Cluster = "green"
	}
	if random.IntN(4) > 0 {
		l.created = staged.Add(hours(20))
		if random.IntN(4) > 0 {
			l.ends = l.created.Add(hours(10))
		}
	}
	return l
}

// world runs lives under a sweep each tick, on a listing that is a tick old.
type world struct {
	t      *testing.T
	at     time.Time
	lives  map[string]*life
	listed []sweep.Secret
	trace  []string
	did    map[sweep.ActionKind]int
}

func (w *world) sweepOnce() {
	s := sweep.Sweep{Cluster: cluster, Prefix: prefix, Now: w.at, Grace: sweep.DefaultGrace, Synced: true}
	for _, key := range slices.Sorted(maps.Keys(w.lives)) {
		if claim, made := w.lives[key].claimAt(w.at); made {
			s.Claims = append(s.Claims, claim)
		}
	}
	for _, action := range s.Plan(w.listed) {
		l := w.lives[action.ARN]
		if action.Kind == sweep.Keep || l.gone {
			continue
		}
		if again := s.Decide(l.secret()); again.Kind == action.Kind {
			w.act(l, again)
		}
	}
	w.listed = nil
	for _, key := range slices.Sorted(maps.Keys(w.lives)) {
		if l := w.lives[key]; !l.gone && !l.staged.After(w.at) {
			w.listed = append(w.listed, l.secret())
		}
	}
}

func (w *world) act(l *life, action sweep.Action) {
	w.trace = append(w.trace, fmt.Sprintf("%s %s %s %s", w.at.Format(time.RFC3339), action.Kind, action.Reason, action.ARN))
	w.did[action.Kind]++
	claim, made := l.claimAt(w.at)
	switch {
	case l.tags.Cluster != cluster:
		w.t.Fatalf("another cluster's secret is touched: %+v", action)
	case action.Kind == sweep.Restore && (!made || claim.Finished || l.deleted == nil):
		w.t.Fatalf("restored for nobody: %+v", action)
	case action.Kind == sweep.DeleteNow && (!made || !claim.Finished):
		w.t.Fatalf("deleted at once, and no change is finished: %+v", action)
	case action.Kind == sweep.Delete && (made || !w.at.After(l.due())):
		w.t.Fatalf("deleted while it is claimed or awaited: %+v", action)
	}
	switch at := w.at; action.Kind {
	case sweep.Delete:
		l.deleted = &at
	case sweep.DeleteNow:
		l.gone = true
	case sweep.Restore:
		l.deleted = nil
	case sweep.Keep:
	}
}

// check runs after each sweep. A listing lags by a tick, so what a tick before
// was due to be done is done.
func (w *world) check() {
	before := w.at.Add(-2 * tick)
	for arn, l := range w.lives {
		claim, made := l.claimAt(w.at)
		_, madeBefore := l.claimAt(before)
		if made && !claim.Finished {
			if l.gone {
				w.t.Fatalf("%s is gone while its change is unfinished", arn)
			}
			if l.deleted != nil && madeBefore {
				w.t.Fatalf("%s is not restored while its change is unfinished", arn)
			}
			if l.deleted != nil && !l.created.After(l.due()) {
				w.t.Fatalf("%s was scheduled for deletion before its change was late", arn)
			}
		}
	}
}

func (w *world) end() {
	before := w.at.Add(-2 * tick)
	for arn, l := range w.lives {
		claim, made := l.claimAt(before)
		switch {
		case l.tags.Cluster != cluster:
		case made && claim.Finished && !l.gone:
			w.t.Fatalf("%s outlives its finished change", arn)
		case !made && before.After(l.due()) && l.created.IsZero() && l.deleted == nil:
			w.t.Fatalf("%s is an orphan that nobody deletes", arn)
		}
	}
}

func simulate(t *testing.T, seed uint64) *world {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	w := &world{t: t, at: now, lives: map[string]*life{}, did: map[sweep.ActionKind]int{}}
	for n := range 60 {
		l := newLife(random, n)
		w.lives[l.arn] = l
	}
	for range ticks {
		w.sweepOnce()
		w.check()
		w.at = w.at.Add(tick)
	}
	w.end()
	return w
}

func TestSimulatedSweepsLoseNothingAndLeaveNothing(t *testing.T) {
	did := map[sweep.ActionKind]int{}
	for seed := range uint64(16) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := simulate(t, seed)
			for kind, n := range w.did {
				did[kind] += n
			}
			if seed < 4 && !slices.Equal(simulate(t, seed).trace, w.trace) {
				t.Fatal("the same world is swept differently")
			}
		})
	}
	for _, kind := range []sweep.ActionKind{sweep.Delete, sweep.DeleteNow, sweep.Restore} {
		if did[kind] < 50 {
			t.Errorf("the simulation hardly shows %s: %d times", kind, did[kind])
		}
	}
}
