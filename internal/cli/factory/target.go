package factory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/config"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/policy"
)

// Target is the environment that a command is about.
type Target struct {
	Namespace string
	Project   *v1alpha1.SecretProject
	// Environment is the policy, from the project's spec.
	Environment v1alpha1.Environment
	// Status is what the controller knows of it, nil before it has looked.
	Status *v1alpha1.EnvironmentStatus
}

// String names the target as messages do.
func (t *Target) String() string {
	return fmt.Sprintf("project %q, environment %q in namespace %q", t.Project.Name, t.Environment.Name, t.Namespace)
}

// Known returns an error until the controller has said where in AWS the
// environment is.
func (t *Target) Known() error {
	status := t.Project.Status
	if t.Status == nil || t.Status.SecretName == "" || status.ClusterName == "" || status.Region == "" {
		return exit.Errorf(exit.Unavailable,
			"the controller has not looked at %s yet: wait a moment, or see whether it runs", t)
	}
	return nil
}

// Served returns an error while the environment takes no changes: it is not
// Known, or its live secret cannot be used.
func (t *Target) Served() error {
	if t.Status != nil && t.Status.Problem != nil {
		return exit.Errorf(exit.Refused, "%s cannot be served (%s): %s", t, t.Status.Problem.Reason, t.Status.Problem.Message)
	}
	return t.Known()
}

// ResolveProject finds the project and environment that flags and
// configuration name. It fails with an exit.Error of Usage where they name
// none, and of NotFound, naming what there is, where they name an unknown one.
func (f *Factory) ResolveProject(ctx context.Context) (*Target, error) {
	c, err := f.Config()
	if err != nil {
		return nil, err
	}
	if err := f.RequireSelection(c); err != nil {
		return nil, err
	}
	project, err := f.FindProject(ctx, c.Project)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(project.Spec.Environments, func(e v1alpha1.Environment) bool { return e.Name == c.Environment })
	if at < 0 {
		var names []string
		for _, e := range project.Spec.Environments {
			names = append(names, e.Name)
		}
		return nil, exit.Errorf(exit.NotFound, "project %q in namespace %q has no environment %q: choose %s with --env",
			project.Name, project.Namespace, c.Environment, strings.Join(names, " or "))
	}
	return &Target{
		Namespace: project.Namespace, Project: project, Environment: project.Spec.Environments[at],
		Status: project.Status.Environment(c.Environment),
	}, nil
}

// RequireSelection fails with an exit.Error of Usage unless c names both a
// project and an environment.
func (f *Factory) RequireSelection(c config.Config) error {
	var missing []string
	if c.Project == "" {
		missing = append(missing, "project (-p)")
	}
	if c.Environment == "" {
		missing = append(missing, "environment (-e)")
	}
	if len(missing) == 0 {
		return nil
	}
	return exit.Errorf(exit.Usage, "no %s given: use the flags, or put {\"project\": …, \"environment\": …} into %s",
		strings.Join(missing, " and no "), config.LocalName)
}

// FindProject finds a SecretProject in the current namespace by its Kubernetes
// name, or else by its name in AWS.
func (f *Factory) FindProject(ctx context.Context, name string) (*v1alpha1.SecretProject, error) {
	namespace, err := f.Namespace()
	if err != nil {
		return nil, err
	}
	kube, err := f.Kube()
	if err != nil {
		return nil, err
	}
	if len(content.IsDNS1123Subdomain(name)) == 0 {
		project := &v1alpha1.SecretProject{}
		err := kube.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, project)
		if err == nil {
			return project, nil
		}
		if !apierrors.IsNotFound(err) || exit.NotServed(err) {
			return nil, fmt.Errorf("read project %q in namespace %q: %w", name, namespace, err)
		}
	}
	return findByProjectName(ctx, kube, namespace, name)
}

func findByProjectName(ctx context.Context, kube client.Client, namespace, name string) (*v1alpha1.SecretProject, error) {
	var all v1alpha1.SecretProjectList
	if err := kube.List(ctx, &all, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("list the projects in namespace %q, to find %q: %w", namespace, name, err)
	}
	var names []string
	for i := range all.Items {
		if all.Items[i].EffectiveProjectName() == name {
			return &all.Items[i], nil
		}
		names = append(names, all.Items[i].Name)
	}
	if len(names) == 0 {
		return nil, exit.Errorf(exit.NotFound, "namespace %q has no projects: choose another with --namespace or --context", namespace)
	}
	return nil, exit.Errorf(exit.NotFound, "namespace %q has no project %q: choose %s with --project, or another --namespace",
		namespace, name, strings.Join(names, " or "))
}

// Warnings returns what a person should know before relying on the target, a
// sentence without its full stop each.
func (t *Target) Warnings() []string {
	var warnings []string
	name := t.Project.Name + "/" + t.Environment.Name
	if effective, ok := policy.For(t.Project, t.Environment.Name); ok && effective.Suspended {
		warnings = append(warnings, name+" is suspended: changes can be reviewed, and become live after the freeze")
	}
	if t.Status != nil && t.Status.Drift != nil {
		text := name + " has drifted: what is live was not written by a reviewed change"
		if t.Status.Drift.ForeignChangeUID != "" {
			text += ", and nothing is applied until an administrator adopts it"
		}
		warnings = append(warnings, text)
	}
	if c := meta.FindStatusCondition(t.Project.Status.Conditions, v1alpha1.ConditionPoliciesInForce); c != nil && c.Status == metav1.ConditionFalse {
		warnings = append(warnings, "the admission policies are not in force, and nothing is applied until an administrator repairs them")
	}
	return warnings
}
