package secretproject

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/controller/index"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/guard"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/project"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// observe reads what every decision needs, all of it from the cache.
func (r *Reconciler) observe(ctx context.Context, name types.NamespacedName, suspected []string) (project.Facts, error) {
	facts := project.Facts{
		Now: r.Clock.Now(), Project: &v1alpha1.SecretProject{}, Trust: trustOf(r.Guard.State()), Outage: r.outage(),
		Environments: map[string]project.Environment{},
	}
	if err := r.Client.Get(ctx, name, facts.Project); err != nil {
		return facts, fmt.Errorf("read project %s: %w", name, err)
	}
	claimants, err := claimants(ctx, r.Client, facts.Project)
	if err != nil {
		return facts, err
	}
	for _, environment := range environmentsOf(facts.Project) {
		applied, err := r.recent.get(recentKey{name, environment}, func() ([]project.Change, error) {
			return applied(ctx, r.Client, facts.Project, environment)
		})
		if err != nil {
			return facts, err
		}
		facts.Environments[environment] = project.Environment{
			Rivals: rivals(claimants, environment), Applied: applied, Suspected: slices.Contains(suspected, environment),
		}
	}
	return facts, nil
}

// trustOf: before its first check the guard counts epochs from 1.
func trustOf(s guard.State) project.Trust {
	return project.Trust{Known: s.Epoch > 0, Intact: s.Intact, Reason: s.Reason}
}

func (r *Reconciler) outage() *project.Failure {
	outage := r.Inventory.Outage()
	if outage == nil {
		return nil
	}
	return failureOf(outage.Err)
}

func failureOf(err error) *project.Failure {
	return &project.Failure{Kind: secretstore.KindOf(err), Message: err.Error()}
}

// claimants are the other SecretProjects of the same name in AWS.
func claimants(ctx context.Context, cache client.Reader, p *v1alpha1.SecretProject) ([]v1alpha1.SecretProject, error) {
	var same v1alpha1.SecretProjectList
	err := cache.List(ctx, &same, client.MatchingFields{index.ProjectsByAWSName: p.EffectiveProjectName()}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return nil, fmt.Errorf("list the projects named %s: %w", p.EffectiveProjectName(), err)
	}
	return slices.DeleteFunc(same.Items, func(other v1alpha1.SecretProject) bool {
		return other.Namespace == p.Namespace && other.Name == p.Name
	}), nil
}

func rivals(claimants []v1alpha1.SecretProject, environment string) []project.Rival {
	var out []project.Rival
	for i := range claimants {
		if slices.Contains(environmentsOf(&claimants[i]), environment) {
			out = append(out, project.Rival{Namespace: claimants[i].Namespace, Name: claimants[i].Name})
		}
	}
	slices.SortFunc(out, func(a, b project.Rival) int {
		return slices.Compare([]string{a.Namespace, a.Name}, []string{b.Namespace, b.Name})
	})
	return out
}

// applied are the newest Applied changes of an environment, the newest first.
func applied(ctx context.Context, cache client.Reader, p *v1alpha1.SecretProject, environment string) ([]project.Change, error) {
	var all v1alpha1.SecretChangeList
	key := index.EnvironmentKey(p.Name, environment)
	err := cache.List(ctx, &all, client.InNamespace(p.Namespace), client.MatchingFields{index.ChangesByEnvironment: key}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return nil, fmt.Errorf("list the changes of %s/%s: %w", p.Namespace, key, err)
	}
	var out []project.Change
	for i := range all.Items {
		if all.Items[i].Status.Phase == v1alpha1.PhaseApplied && all.Items[i].Status.AppliedAt != nil {
			out = append(out, project.ChangeOf(&all.Items[i]))
		}
	}
	slices.SortFunc(out, func(a, b project.Change) int { return b.AppliedAt.Compare(a.AppliedAt) })
	// A copy, because the rest would be remembered with it.
	return slices.Clone(out[:min(len(out), project.MaxVersions)]), nil
}

// read adds to the facts what Decide asks for.
func (r *Reconciler) read(ctx context.Context, facts *project.Facts, read project.Read) error {
	environment := facts.Environments[read.Environment]
	var err error
	switch read.Kind {
	case project.ReadSecret:
		err = r.readSecret(ctx, &environment, read.SecretID)
	case project.ReadValue:
		err = r.readValue(ctx, &environment, read)
	}
	if secretstore.KindOf(err) != "" {
		environment.Failure, err = failureOf(err), nil
	}
	facts.Environments[read.Environment] = environment
	return err
}

func (r *Reconciler) readSecret(ctx context.Context, environment *project.Environment, name string) error {
	secret, err := r.Store.Describe(ctx, name)
	if secretstore.KindOf(err) == secretstore.KindNotFound {
		environment.Secret = &project.Secret{Missing: true}
		return nil
	}
	if err != nil {
		return err
	}
	environment.Secret = &project.Secret{Secret: secret}
	environment.Writers, err = writers(ctx, r.Client, secret)
	return err
}

// writers are the known changes whose labels a secret bears.
func writers(ctx context.Context, cache client.Reader, secret secretstore.Secret) (map[string]project.Change, error) {
	out := map[string]project.Change{}
	for _, labels := range secret.Versions {
		for _, label := range labels {
			uid, _, ours := naming.ParseLabel(label)
			if !ours {
				continue
			}
			c, err := index.ChangeByUID(ctx, cache, uid)
			if err != nil {
				return nil, err
			}
			if c != nil {
				out[uid] = project.ChangeOf(c)
			}
		}
	}
	return out, nil
}

func (r *Reconciler) readValue(ctx context.Context, environment *project.Environment, read project.Read) error {
	version, err := r.Store.Get(ctx, secretstore.GetInput{ID: read.SecretID, VersionID: read.VersionID})
	if err != nil {
		return err
	}
	value := &project.Value{VersionID: read.VersionID}
	if parsed, err := parse(version); err != nil {
		value.Problem = err.Error()
	} else {
		value.Keys = len(parsed)
	}
	environment.Value = value
	return nil
}

func parse(version secretstore.Version) (document.Document, error) {
	if version.Binary {
		return nil, errors.New("it is binary, not a JSON object of strings")
	}
	return document.Parse(version.Value)
}
