package inventory

import (
	"context"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/controller/index"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/project"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sweep"
)

// Foreign returns the UID in a label of ours that belongs to no change of this
// cluster, or "". While there is one, nothing of that environment is deleted:
// the cluster may have been restored from a backup that lacks the change, and
// others with it.
func Foreign(ctx context.Context, cache client.Reader, live secretstore.Secret, record *v1alpha1.EnvironmentStatus) (string, error) {
	var failed error
	foreign := project.Foreign(live, func(uid string) bool {
		c, err := index.ChangeByUID(ctx, cache, uid)
		if err != nil {
			failed = err
		}
		return c != nil
	}, record)
	return foreign, failed
}

// withoutHeld leaves out what must not be deleted now.
func (s *Sweeper) withoutHeld(ctx context.Context, plan []sweep.Action, snapshot Snapshot) ([]sweep.Action, error) {
	tags := map[string]naming.StagedTags{}
	for _, secret := range snapshot.Staged {
		if t, err := naming.ParseStagedTags(secret.Tags); err == nil {
			tags[secret.ARN] = t
		}
	}
	var failed error
	plan = slices.DeleteFunc(plan, func(a sweep.Action) bool {
		if a.Kind == sweep.Restore {
			return false
		}
		held, err := s.held(ctx, tags[a.ARN], snapshot)
		if err != nil {
			failed = err
		}
		if held != "" {
			log.FromContext(ctx).Info("a staged secret is not swept because the live one bears a foreign label",
				"secret", a.Name, "foreignChangeUID", held)
		}
		return held != ""
	})
	return plan, failed
}

// held returns the foreign label on the live secret that one was staged for.
func (s *Sweeper) held(ctx context.Context, tags naming.StagedTags, snapshot Snapshot) (string, error) {
	live, listed := snapshot.Live[naming.LiveSecret(s.Prefix, tags.Project, tags.Environment)]
	if !listed {
		return "", nil
	}
	var claimants v1alpha1.SecretProjectList
	err := s.Cache.List(ctx, &claimants, client.InNamespace(tags.Namespace), client.UnsafeDisableDeepCopy,
		client.MatchingFields{index.ProjectsByAWSName: tags.Project})
	if err != nil {
		return "", err
	}
	var record *v1alpha1.EnvironmentStatus
	for i := range claimants.Items {
		if found := claimants.Items[i].Status.Environment(tags.Environment); found != nil {
			record = found
		}
	}
	return Foreign(ctx, s.Cache, live, record)
}
