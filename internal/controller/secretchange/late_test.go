package secretchange

import (
	"context"
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

func TestACallThatMakesLiveIsGivenUpWhenItIsLate(t *testing.T) {
	stepped := time.Now()
	for name, tc := range map[string]struct {
		after time.Duration
		asked int
	}{
		"a process that stood still does not begin it": {after: 31 * time.Second},
		"one that is not answered ends it":             {after: 30*time.Second - 20*time.Millisecond, asked: 1},
	} {
		t.Run(name, func(t *testing.T) {
			store := &stuck{}
			r := &Reconciler{
				Store: store, Clock: testclock.NewFakePassiveClock(stepped.Add(tc.after)),
				Settings: change.Settings{ConsistencyGrace: time.Minute},
			}
			c := &v1alpha1.SecretChange{}
			at := metav1.NewMicroTime(stepped)
			c.Status.Attempt = &v1alpha1.Attempt{SteppedAt: &at, Moved: true}
			err := r.doInTime(t.Context(), c, change.Effect{Kind: change.MoveLabel, Move: secretstore.MoveLabelInput{Label: secretstore.LabelCurrent}})
			if secretstore.KindOf(err) != secretstore.KindUnavailable || store.asked != tc.asked {
				t.Errorf("AWS was asked %d times, and it failed with %v", store.asked, err)
			}
		})
	}
}
