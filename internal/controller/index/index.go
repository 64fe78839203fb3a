// Package index names the cache indexes that the controllers look changes up
// by, and registers them.
package index

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

const (
	// ChangesByEnvironment finds SecretChanges by EnvironmentKey, within a
	// namespace.
	ChangesByEnvironment = "change.environment"
	// UnfinishedByEnvironment finds those of them that have not ended.
	UnfinishedByEnvironment = "change.unfinished.environment"
	// UnfinishedByProject finds those that have not ended by their project's
	// Kubernetes name, within a namespace.
	UnfinishedByProject = "change.unfinished.project"
	// Unfinished finds all that have not ended under the key AnyUnfinished.
	Unfinished = "change.unfinished"
	// changesByUID finds SecretChanges by the beginning of their UID, in every
	// namespace: an entry for each UID would take more memory than all else that
	// is kept of a finished change. See ChangeByUID.
	changesByUID = "change.uid"
	// ProjectsByAWSName finds SecretProjects by their name in AWS.
	ProjectsByAWSName = "project.awsName"
)

// AnyUnfinished is the only value of Unfinished.
const AnyUnfinished = "any"

// EnvironmentKey is the value of ChangesByEnvironment and
// UnfinishedByEnvironment for a project's Kubernetes name and an environment.
func EnvironmentKey(project, environment string) string { return project + "/" + environment }

// Register adds the indexes to a manager's cache. It must be called once,
// before the cache starts.
func Register(ctx context.Context, indexer client.FieldIndexer) error {
	changes := map[string]func(*v1alpha1.SecretChange) []string{
		ChangesByEnvironment: func(c *v1alpha1.SecretChange) []string {
			return []string{EnvironmentKey(c.Spec.Project, c.Spec.Environment)}
		},
		UnfinishedByEnvironment: unfinished(func(c *v1alpha1.SecretChange) string { return EnvironmentKey(c.Spec.Project, c.Spec.Environment) }),
		UnfinishedByProject:     unfinished(func(c *v1alpha1.SecretChange) string { return c.Spec.Project }),
		Unfinished:              unfinished(func(*v1alpha1.SecretChange) string { return AnyUnfinished }),
		changesByUID:            func(c *v1alpha1.SecretChange) []string { return []string{beginning(string(c.UID))} },
	}
	for name, extract := range changes {
		err := indexer.IndexField(ctx, &v1alpha1.SecretChange{}, name, func(o client.Object) []string {
			return extract(o.(*v1alpha1.SecretChange))
		})
		if err != nil {
			return err
		}
	}
	return indexer.IndexField(ctx, &v1alpha1.SecretProject{}, ProjectsByAWSName, func(o client.Object) []string {
		return []string{o.(*v1alpha1.SecretProject).EffectiveProjectName()}
	})
}

// beginning is one of 4,096 for random UUIDs.
func beginning(uid string) string { return uid[:min(3, len(uid))] }

// unfinished indexes changes that have not ended, of which there are few.
func unfinished(key func(*v1alpha1.SecretChange) string) func(*v1alpha1.SecretChange) []string {
	return func(c *v1alpha1.SecretChange) []string {
		if c.Status.Phase.Finished() {
			return nil
		}
		return []string{key(c)}
	}
}
