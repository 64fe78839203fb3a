package stream_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
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

// failing is a cluster that lists, and whose first watch fails.
func failing(kube client.WithWatch, failure error) client.WithWatch {
	var failed atomic.Bool
	return interceptor.NewClient(kube, interceptor.Funcs{
		Watch: func(ctx context.Context, kube client.WithWatch, list client.ObjectList, options ...client.ListOption) (watch.Interface, error) {
			if failed.Swap(true) {
				return kube.Watch(ctx, list, options...)
			}
			return nil, failure
		},
	})
}

func TestFollowBeginsOnceThereWasAList(t *testing.T) {
	scene := clitest.Start(t).NewScene(t, map[string]string{"A": "1"})
	if result := scene.As(clitest.Alice).Run("propose", "-p", clitest.Project, "-e", clitest.Production, "-r", "because", "--set", "A=9"); result.Code != 0 {
		t.Fatal(result.Err)
	}
	refused := apierrors.NewForbidden(schema.GroupResource{Resource: "secretchanges"}, "", errors.New("no"))
	done := errors.New("it goes on")
	for name, tc := range map[string]struct{ failure, want error }{
		"a connection that is lost just then is waited for": {errors.New("connection reset by peer"), done},
		"who may list and not watch is told at once":        {refused, refused},
	} {
		t.Run(name, func(t *testing.T) {
			err := stream.Follow(t.Context(), failing(scene.Admin, tc.failure), stream.Options{
				Filter: selector.Filter{Namespace: scene.Namespace, Phases: selector.Unfinished}, Clock: clock.RealClock{},
				Tell: func(text string) {
					if text == "The cluster answers again." {
						go scene.As(clitest.Alice).Run("propose", "-p", clitest.Project, "-e", clitest.Production, "-r", "because", "--set", "A=8")
					}
				},
				Emit: func(e stream.Event) error {
					if e.Kind == stream.Proposed {
						return done
					}
					return nil
				},
			})
			if !errors.Is(err, tc.want) {
				t.Errorf("ended with %v, want %v", err, tc.want)
			}
		})
	}
}
