package secretchange

import (
	"context"
	"errors"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	testclock "k8s.io/utils/clock/testing"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// stuck is a store whose writes are never answered.
type stuck struct {
	secretstore.Store
	asked int
}

func (s *stuck) MoveLabel(ctx context.Context, _ secretstore.MoveLabelInput) error {
	s.asked++
	<-ctx.Done()
	return &secretstore.Error{Kind: secretstore.KindUnavailable, Err: ctx.Err()}
}

// setBack is a clock that somebody sets back, while another that nobody can set goes on.
type setBack struct {
	*testclock.FakePassiveClock
	by time.Duration
}

func (c setBack) Now() time.Time { return c.FakePassiveClock.Now().Add(-c.by) }

func TestACallThatMakesLiveIsGivenUpWhenItIsLate(t *testing.T) {
	stepped := time.Now()
	for name, tc := range map[string]struct {
		after, back time.Duration
		asked       int
	}{
		"a process that stood still does not begin it":           {after: 31 * time.Second},
		"nor where the clock has been set back meanwhile":        {after: 31 * time.Second, back: time.Hour},
		"one that is not answered ends it":                       {after: 30*time.Second - 20*time.Millisecond, asked: 1},
		"also where the clock has been set back before the call": {after: 30*time.Second - 20*time.Millisecond, back: time.Hour, asked: 1},
	} {
		t.Run(name, func(t *testing.T) {
			store := &stuck{}
			r := &Reconciler{
				Store: store, Clock: setBack{testclock.NewFakePassiveClock(stepped.Add(tc.after)), tc.back},
				Settings: change.Settings{ConsistencyGrace: time.Minute},
			}
			c := &v1alpha1.SecretChange{}
			at := metav1.NewMicroTime(stepped)
			c.Status.Attempt = &v1alpha1.Attempt{SteppedAt: &at, Moved: true}
			err := r.doInTime(t.Context(), change.Facts{Now: stepped, Change: c}, change.Effect{Kind: change.MoveLabel, Move: secretstore.MoveLabelInput{Label: secretstore.LabelCurrent}})
			if secretstore.KindOf(err) != secretstore.KindUnavailable || store.asked != tc.asked || errors.Is(err, secretstore.ErrNotSent) == (store.asked > 0) {
				t.Errorf("AWS was asked %d times, and it failed with %v", store.asked, err)
			}
		})
	}
}
