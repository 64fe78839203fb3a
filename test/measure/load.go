package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
)

const (
	// keys is how many an environment has. A change adds one.
	keys = 40
	// workers is how many people are at work at once.
	workers = 8
)

// values are those of a live secret.
func values(count int) map[string]string {
	all := map[string]string{}
	for i := range count {
		all[fmt.Sprintf("KEY_%03d", i)] = uuid.NewString()
	}
	return all
}

// finish proposes changes, each of which sets a key, has every other one approved and the rest rejected, and returns when
// all have ended.
func (s *setup) finish(ctx context.Context, count int) error {
	return s.each(ctx, count, func(ctx context.Context, i int) error {
		verdict := v1alpha1.VerdictApproved
		if i/len(s.environments)%2 == 1 {
			verdict = v1alpha1.VerdictRejected
		}
		c, err := s.propose(ctx, fmt.Sprintf("finished-%04d", i), s.environments[i%len(s.environments)])
		if err != nil {
			return err
		}
		err = retry.OnError(retry.DefaultBackoff, apierrors.IsConflict, func() error {
			if err := s.bob.Get(ctx, client.ObjectKeyFromObject(c), c); err != nil {
				return err
			}
			c.Spec.Reviews = append(c.Spec.Reviews, v1alpha1.Review{Reviewer: "bob", Verdict: verdict})
			return s.bob.Update(ctx, c)
		})
		if err != nil {
			return err
		}
		return s.until(ctx, s.manager, func(ctx context.Context) (bool, error) {
			if err := s.admin.Get(ctx, client.ObjectKeyFromObject(c), c); err != nil {
				return false, err
			}
			if phase := c.Status.Phase; phase.Finished() && phase != v1alpha1.PhaseApplied && phase != v1alpha1.PhaseRejected {
				return false, fmt.Errorf("%s is %s: %s", c.Name, phase, c.Status.Message)
			}
			return c.Status.Phase.Finished(), nil
		})
	})
}

// burst proposes changes and returns when all are pending.
func (s *setup) burst(ctx context.Context, count int) error {
	err := s.each(ctx, count, func(ctx context.Context, i int) error {
		_, err := s.propose(ctx, fmt.Sprintf("pending-%04d", i), s.environments[i%len(s.environments)])
		return err
	})
	if err != nil {
		return err
	}
	return s.until(ctx, s.manager, func(ctx context.Context) (bool, error) {
		var list v1alpha1.SecretChangeList
		err := s.admin.List(ctx, &list, client.InNamespace(namespace), client.MatchingFields{"status.phase": string(v1alpha1.PhasePending)})
		return len(list.Items) == count, err
	})
}

// each does something count times, by several at once, and stops at the first failure.
func (s *setup) each(ctx context.Context, count int, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var working sync.WaitGroup
	for range workers {
		working.Go(func() {
			for i := range next {
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := range count {
		next <- i
		if ctx.Err() != nil {
			break
		}
	}
	close(next)
	working.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return ctx.Err()
}

// propose stages a change that sets one key, as sr does, and creates it.
func (s *setup) propose(ctx context.Context, name, environment string) (*v1alpha1.SecretChange, error) {
	nonce, err := document.NewNonce(rand.Reader)
	if err != nil {
		return nil, err
	}
	id := document.Identity{Cluster: clusterName, Namespace: namespace, Project: project, Environment: environment, Change: name}
	wanted := document.Document{"SET_BY_" + uuid.NewString(): sensitive.New(uuid.NewString())}
	value, err := document.Staged{Version: document.StagedVersion, Identity: id, Nonce: nonce, Patch: document.NewPatch(document.Document{}, wanted)}.Encode()
	if err != nil {
		return nil, err
	}
	staged, err := s.store.Create(ctx, secretstore.CreateInput{
		Name: naming.StagedSecret(naming.DefaultPrefix, project, name), VersionID: uuid.NewString(), Value: value,
		Tags: naming.StagedTags{
			Cluster: clusterName, Namespace: namespace, Project: project, Environment: environment, Change: name, KeepUntil: time.Now().Add(time.Hour),
		}.Map(),
	})
	if err != nil {
		return nil, err
	}
	c := &v1alpha1.SecretChange{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec: v1alpha1.SecretChangeSpec{
			Project: project, Environment: environment, Reason: "To be measured", ProposedBy: "alice",
			Staged: &v1alpha1.StagedSource{SecretARN: staged.ARN, VersionID: v1alpha1.VersionID(staged.VersionID), Digest: document.Digest(value)},
		},
	}
	return c, s.alice.Create(ctx, c)
}
