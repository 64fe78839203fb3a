package stream_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/selector"
	"github.com/secretreview/secretreview/internal/cli/watch/stream"
)

// forgetful is a cluster whose first watch says that it has forgotten what it
// showed, after something has happened.
func forgetful(kube client.WithWatch, meanwhile func()) client.WithWatch {
	var forgot atomic.Bool
	return interceptor.NewClient(kube, interceptor.Funcs{
		Watch: func(ctx context.Context, kube client.WithWatch, list client.ObjectList, options ...client.ListOption) (watch.Interface, error) {
			if forgot.Swap(true) {
				return kube.Watch(ctx, list, options...)
			}
			meanwhile()
			events := watch.NewFakeWithChanSize(1, false)
			events.Error(&metav1.Status{Status: metav1.StatusFailure, Code: http.StatusGone, Reason: metav1.StatusReasonExpired})
			return events, nil
		},
	})
}

func TestFollowGoesOnWhereTheClusterHasForgotten(t *testing.T) {
	scene := clitest.Start(t).NewScene(t, map[string]string{"A": "1"})
	propose := func() {
		if result := scene.As(clitest.Alice).Run("propose", "-p", clitest.Project, "-e", clitest.Production, "-r", "because", "--set", "A=9"); result.Code != 0 {
			t.Error(result.Err)
		}
	}
	propose()
	first := scene.Changes()[0]
	kube := forgetful(scene.Admin, func() {
		scene.SetStatus(&first, v1alpha1.SecretChangeStatus{ObservedGeneration: 1, Phase: v1alpha1.PhaseInvalid})
		propose()
	})
	done := errors.New("seen enough")
	got := map[stream.Kind]int{}
	err := stream.Follow(t.Context(), kube, stream.Options{
		Filter: selector.Filter{Namespace: scene.Namespace, Phases: selector.Unfinished}, Clock: clock.RealClock{},
		Tell: func(text string) { t.Errorf("a person is bothered: %s", text) },
		Emit: func(e stream.Event) error {
			if got[e.Kind]++; e.Time.IsZero() || time.Since(e.Time) > time.Hour {
				t.Errorf("it happened at %s", e.Time)
			}
			if len(got) == 3 {
				return done
			}
			return nil
		},
	})
	if !errors.Is(err, done) || got[stream.Open] != 1 || got[stream.Proposed] != 1 || got[stream.Ended] != 1 {
		t.Errorf("%v, %v", got, err)
	}
}
