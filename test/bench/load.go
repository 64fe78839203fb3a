package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
)

const (
	// keys is how many an environment has in the beginning. Each change adds one.
	keys = 40
	// workers is how many people are at work at once.
	workers = 16
	// projectSize is how many environments a project has at most here; the API takes 64.
	projectSize = 50
)

// environment is one, with the version that is live in the beginning.
type environment struct{ project, name, version string }

// environments makes so many, with their projects and live secrets, and returns when all can be served.
func (s *site) environments(ctx context.Context, prefix string, count int) ([]environment, error) {
	values := map[string]string{}
	for i := range keys {
		values[fmt.Sprintf("KEY_%03d", i)] = uuid.NewString()
	}
	live, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	all := make([]environment, count)
	var projects []*v1alpha1.SecretProject
	for i := range all {
		if i%projectSize == 0 {
			p := &v1alpha1.SecretProject{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("%s-%02d", prefix, i/projectSize)}}
			p.Spec.ConflictPolicy, p.Spec.PendingLimit, p.Spec.HistoryLimit = v1alpha1.ConflictByKey, ptr.To[int32](1000), ptr.To[int32](1000)
			projects = append(projects, p)
		}
		p := projects[len(projects)-1]
		all[i] = environment{p.Name, fmt.Sprintf("environment-%02d", i%projectSize), uuid.NewString()}
		p.Spec.Environments = append(p.Spec.Environments, v1alpha1.Environment{Name: all[i].name})
	}
	err = each(ctx, count, func(ctx context.Context, i int) error {
		_, err := s.store.Create(ctx, secretstore.CreateInput{
			Name: naming.LiveSecret(naming.DefaultPrefix, all[i].project, all[i].name), VersionID: all[i].version, Value: sensitive.New(string(live)),
			Tags: map[string]string{naming.TagOwner: naming.Owner(clusterName, namespace)},
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, p := range projects {
		if err := s.admin.Create(ctx, p); err != nil {
			return nil, err
		}
	}
	return all, s.ready(ctx, projects)
}

// ready waits until projects can be served, if a manager runs.
func (s *site) ready(ctx context.Context, projects []*v1alpha1.SecretProject) error {
	if s.manager == nil || !s.manager.Running() {
		return nil
	}
	for _, p := range projects {
		err := s.until(ctx, s.manager, func(ctx context.Context) (bool, error) {
			if err := s.admin.Get(ctx, client.ObjectKeyFromObject(p), p); err != nil {
				return false, err
			}
			return meta.IsStatusConditionTrue(p.Status.Conditions, v1alpha1.ConditionReady), nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// proposed stages and creates so many changes, spread over environments, and returns their names once all are pending.
func (s *site) proposed(ctx context.Context, prefix string, count int, environments []environment) ([]string, error) {
	before, err := s.managerMetrics(ctx)
	if err != nil {
		return nil, err
	}
	names := make([]string, count)
	err = each(ctx, count, func(ctx context.Context, i int) error {
		names[i] = fmt.Sprintf("%s-%05d", prefix, i)
		return s.propose(ctx, names[i], environments[i%len(environments)])
	})
	if err != nil {
		return nil, err
	}
	return names, s.reached(ctx, before, v1alpha1.PhasePending, count)
}

// reached waits until so many changes have come into a phase.
func (s *site) reached(ctx context.Context, before series, phase v1alpha1.Phase, count int) error {
	return s.counted(ctx, before, float64(count), "secretreview_change_transitions_total", `to="`+string(phase)+`"`)
}

// cleaned waits until the staged secrets of so many changes are deleted, and nothing is left to do.
func (s *site) cleaned(ctx context.Context, before series, count int) error {
	if err := s.counted(ctx, before, float64(count), "secretreview_aws_calls_total", `operation="DeleteSecret"`, `result="ok"`); err != nil {
		return err
	}
	return s.patiently(ctx, func(ctx context.Context) (bool, error) {
		m, err := s.managerMetrics(ctx)
		return m.sum("workqueue_depth")+m.sum("controller_runtime_active_workers") == 0, err
	})
}

func (s *site) counted(ctx context.Context, before series, count float64, metric string, labels ...string) error {
	return s.patiently(ctx, func(ctx context.Context) (bool, error) {
		now, err := s.managerMetrics(ctx)
		return now.since(before).sum(metric, labels...) >= count, err
	})
}

// propose stages a change that adds one key to what is live, as sr does, and creates it.
func (s *site) propose(ctx context.Context, name string, e environment) error {
	live, err := s.store.Get(ctx, secretstore.GetInput{ID: naming.LiveSecret(naming.DefaultPrefix, e.project, e.name)})
	if err != nil {
		return err
	}
	nonce, err := document.NewNonce(rand.Reader)
	if err != nil {
		return err
	}
	id := document.Identity{Cluster: clusterName, Namespace: namespace, Project: e.project, Environment: e.name, Change: name}
	// Each has a key of its own, so that none is in another's way.
	wanted := document.Document{"SET_BY_" + uuid.NewString()[:8]: sensitive.New("x")}
	value, err := document.Staged{Version: document.StagedVersion, Identity: id, Nonce: nonce, Patch: document.NewPatch(document.Document{}, wanted)}.Encode()
	if err != nil {
		return err
	}
	staged, err := s.store.Create(ctx, secretstore.CreateInput{
		Name: naming.StagedSecret(naming.DefaultPrefix, e.project, name), VersionID: uuid.NewString(), Value: value,
		Tags: naming.StagedTags{
			Cluster: clusterName, Namespace: namespace, Project: e.project, Environment: e.name, Change: name, KeepUntil: time.Now().Add(time.Hour),
		}.Map(),
	})
	if err != nil {
		return err
	}
	return s.alice.Create(ctx, &v1alpha1.SecretChange{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec: v1alpha1.SecretChangeSpec{
			Project: e.project, Environment: e.name, Reason: "To be measured", ProposedBy: "alice",
			BaseVersionID: v1alpha1.VersionID(live.VersionID),
			Staged:        &v1alpha1.StagedSource{SecretARN: staged.ARN, VersionID: v1alpha1.VersionID(staged.VersionID), Digest: document.Digest(value)},
		},
	})
}

// review adds bob's verdict, as sr does.
func (s *site) review(ctx context.Context, name string, verdict v1alpha1.Verdict) error {
	patch, err := json.Marshal([]map[string]any{{"op": "add", "path": "/spec/reviews/-", "value": v1alpha1.Review{Reviewer: "bob", Verdict: verdict}}})
	if err != nil {
		return err
	}
	c := &v1alpha1.SecretChange{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}}
	return s.bob.Patch(ctx, c, client.RawPatch(types.JSONPatchType, patch))
}

// each does something count times, by several at once, and stops at the first failure.
func each(ctx context.Context, count int, do func(context.Context, int) error) error {
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
