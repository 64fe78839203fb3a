package initialize

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/config"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/setup"
	"github.com/secretreview/secretreview/internal/cli/wording"
)

// context returns the kubeconfig's context to write down: the one that was given
// or chosen. Where there is but one, none is, since others of a team may call
// theirs otherwise.
func (o *options) context(ctx context.Context, asks bool) (string, error) {
	f := o.factory
	if given := *f.KubeFlags.Context; given != "" || !asks {
		return given, nil
	}
	names, current, err := f.Contexts()
	if err != nil || len(names) < 2 {
		return "", err
	}
	c, err := f.Config()
	if err != nil {
		return "", err
	}
	chosen, err := setup.Choose(ctx, f, "Which context of the kubeconfig", names, cmp.Or(c.Context, current))
	*f.KubeFlags.Context = chosen
	return chosen, err
}

// offered finds the project and the environment that flags or the person name
// among those of the cluster.
func (o *options) offered(ctx context.Context, asks bool) (*v1alpha1.SecretProject, string, error) {
	f := o.factory
	projects, err := o.projects(ctx, asks)
	if err != nil {
		return nil, "", err
	}
	pick := func(label, flag string, options []string, preferred string) (string, error) {
		switch {
		case len(options) == 1:
			return options[0], nil
		case asks:
			return setup.Choose(ctx, f, label, options, preferred)
		default:
			return "", exit.Errorf(exit.Usage, "there are several to choose from, %s: choose with %s", wording.Keys(options), flag)
		}
	}
	preferred, err := f.Namespace()
	if err != nil {
		return nil, "", err
	}
	namespace, err := pick("Which namespace", "--namespace", distinct(projects, func(p *v1alpha1.SecretProject) string { return p.Namespace }), preferred)
	if err != nil {
		return nil, "", err
	}
	projects = slices.DeleteFunc(projects, func(p v1alpha1.SecretProject) bool { return p.Namespace != namespace })
	c, err := f.Config()
	if err != nil {
		return nil, "", err
	}
	name, err := pick("Which project", "--project", distinct(projects, func(p *v1alpha1.SecretProject) string { return p.Name }), c.Project)
	if err != nil {
		return nil, "", err
	}
	project := &projects[slices.IndexFunc(projects, func(p v1alpha1.SecretProject) bool { return p.Name == name })]
	environments := environmentsOf(project)
	if given := f.Flags.Environment; given != "" {
		if !slices.Contains(environments, given) {
			return nil, "", exit.Errorf(exit.NotFound, "project %q in namespace %q has no environment %q: choose %s with --env",
				project.Name, project.Namespace, given, strings.Join(environments, " or "))
		}
		return project, given, nil
	}
	environment, err := pick("Which environment", "--env", environments, c.Environment)
	return project, environment, err
}

// projects lists what there is to choose from: where --project says so, only
// what has that name. It is never empty.
func (o *options) projects(ctx context.Context, asks bool) ([]v1alpha1.SecretProject, error) {
	f := o.factory
	namespace := *f.KubeFlags.Namespace
	found, err := list(ctx, f, namespace)
	if namespace == "" && apierrors.IsForbidden(err) {
		// Most people see the projects of their own namespaces alone.
		if namespace, err = f.Namespace(); err != nil {
			return nil, err
		}
		if asks {
			if namespace, err = setup.Text(ctx, f, "Namespace", namespace); err != nil {
				return nil, err
			}
		}
		found, err = list(ctx, f, namespace)
	}
	if err != nil {
		return nil, err
	}
	place := "the cluster"
	if namespace != "" {
		place = fmt.Sprintf("namespace %q", namespace)
	}
	if len(found) == 0 {
		return nil, exit.Errorf(exit.NotFound, "there are no projects in %s: choose another with --namespace or --context, or have an administrator create one", place)
	}
	given := f.Flags.Project
	if given == "" {
		return found, nil
	}
	named := slices.DeleteFunc(slices.Clone(found), func(p v1alpha1.SecretProject) bool { return p.Name != given })
	if len(named) == 0 {
		named = slices.DeleteFunc(slices.Clone(found), func(p v1alpha1.SecretProject) bool { return p.EffectiveProjectName() != given })
	}
	if len(named) == 0 {
		return nil, exit.Errorf(exit.NotFound, "there is no project %q in %s: choose %s with --project, or another --namespace",
			given, place, strings.Join(distinct(found, func(p *v1alpha1.SecretProject) string { return p.Name }), " or "))
	}
	return named, nil
}

func list(ctx context.Context, f *factory.Factory, namespace string) ([]v1alpha1.SecretProject, error) {
	kube, err := f.Kube()
	if err != nil {
		return nil, err
	}
	var projects v1alpha1.SecretProjectList
	if err := kube.List(ctx, &projects, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("list the projects to choose from: %w", err)
	}
	return projects.Items, nil
}

func distinct(projects []v1alpha1.SecretProject, of func(*v1alpha1.SecretProject) string) []string {
	var names []string
	for i := range projects {
		names = append(names, of(&projects[i]))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func environmentsOf(project *v1alpha1.SecretProject) []string {
	var names []string
	for _, e := range project.Spec.Environments {
		names = append(names, e.Name)
	}
	return names
}

// where returns the region and the prefix that flags or a stack name, or nothing.
func (o *options) where(ctx context.Context, asks bool) (config.Config, error) {
	given := config.Config{Region: o.region, Prefix: o.prefix}
	stack := o.stack
	if stack == "" && asks && o.prefix == "" {
		var err error
		if stack, err = setup.Text(ctx, o.factory, "CloudFormation stack to read region and prefix from (Enter for none)", ""); err != nil {
			return config.Config{}, err
		}
	}
	if stack == "" {
		return given, nil
	}
	c, err := o.factory.Config()
	if err != nil {
		return config.Config{}, err
	}
	found, err := setup.ReadStack(ctx, o.factory, stack, cmp.Or(o.region, c.Region))
	if err != nil {
		return config.Config{}, err
	}
	return config.Config{Prefix: o.prefix}.Over(found), nil
}

// agrees fails where the controller serves the project from elsewhere.
func agrees(project *v1alpha1.SecretProject, where config.Config) error {
	for _, field := range []struct{ what, given, served string }{
		{"region", where.Region, project.Status.Region}, {"prefix", where.Prefix, project.Status.Prefix},
	} {
		if field.given != "" && field.served != "" && field.given != field.served {
			return exit.Errorf(exit.Refused, "the %s would be %q, but the controller serves project %q under the %s %q: name another stack or project, or leave the stack and its flags out",
				field.what, field.given, project.Name, field.what, field.served)
		}
	}
	return nil
}
