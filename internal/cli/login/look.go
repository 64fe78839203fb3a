package login

import (
	"cmp"
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/naming"
)

// look finds out what can be found out. It fails only where the person gave
// something wrong, or wants no more.
func (o *options) look(ctx context.Context) (*report, error) {
	r := &report{Environments: []environment{}}
	for _, ask := range []func(context.Context, *report) error{o.askCluster, o.askAWS, o.askRights} {
		if err := ask(ctx, r); err != nil {
			return nil, err
		}
	}
	r.Missing = needs(r.Environments)
	return r, nil
}

// failed takes down why a system does not answer. It returns the error where
// that is no answer of a system.
func (r *report) failed(err error, into *string) error {
	sentence, code := exit.Sentence(err)
	if code == exit.Cancelled {
		return err
	}
	*into = sentence
	if r.code == exit.OK {
		r.code = code
	}
	return nil
}

// askCluster learns who one is there, and lists the environments.
func (o *options) askCluster(ctx context.Context, r *report) error {
	f := o.factory
	c, err := f.Config()
	if err != nil {
		return err
	}
	r.Cluster.Context = c.Context
	who, err := f.UserInfo(ctx)
	if err != nil {
		return r.failed(err, &r.Cluster.Error)
	}
	r.Cluster.User, r.Cluster.Groups = who.Username, who.Groups
	projects, err := o.projects(ctx)
	switch {
	case apierrors.IsForbidden(err):
		r.Notes = append(r.Notes, "the cluster does not let you see the projects there: ask for a RoleBinding to the ClusterRole secretreview-viewer, -proposer, -approver or -rollbacker, or choose another --namespace")
		return nil
	case exit.CodeOf(err) == exit.NotFound:
		return err
	case err != nil:
		return r.failed(err, &r.Cluster.Error)
	}
	for i := range projects {
		p := &projects[i]
		for _, e := range p.Spec.Environments {
			if f.Flags.Environment != "" && f.Flags.Environment != e.Name {
				continue
			}
			row := environment{
				Namespace: p.Namespace, Project: p.Name, Environment: e.Name,
				Propose: unknown, Approve: unknown, Rollback: unknown, Read: unknown,
			}
			if status := p.Status.Environment(e.Name); status != nil {
				row.region, row.secret, row.key = p.Status.Region, status.SecretName, status.KMSKeyID
			}
			r.Environments = append(r.Environments, row)
		}
	}
	if f.Flags.Environment != "" && len(r.Environments) == 0 {
		return exit.Errorf(exit.NotFound, "no project here has an environment %q: choose another with --env, or leave it out", f.Flags.Environment)
	}
	return nil
}

// projects lists those that were asked about: the one of --project, or all of the
// namespace or the cluster.
func (o *options) projects(ctx context.Context) ([]v1alpha1.SecretProject, error) {
	f := o.factory
	if f.Flags.Project != "" {
		project, err := f.FindProject(ctx, f.Flags.Project)
		if err != nil {
			return nil, err
		}
		return []v1alpha1.SecretProject{*project}, nil
	}
	namespace := metav1.NamespaceAll
	if !o.allNamespaces {
		var err error
		if namespace, err = f.Namespace(); err != nil {
			return nil, err
		}
	}
	kube, err := f.Kube()
	if err != nil {
		return nil, err
	}
	var projects v1alpha1.SecretProjectList
	if err := kube.List(ctx, &projects, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("list the projects: %w", err)
	}
	return projects.Items, nil
}

// askAWS learns who one is there. Where the cluster is silent, the one
// environment that the configuration names is asked about.
func (o *options) askAWS(ctx context.Context, r *report) error {
	f := o.factory
	c, err := f.Config()
	if err != nil {
		return err
	}
	region := cmp.Or(o.region, c.Region, f.Getenv("AWS_REGION"), f.Getenv("AWS_DEFAULT_REGION"))
	for i := range r.Environments {
		region = cmp.Or(region, r.Environments[i].region)
	}
	aws, err := f.Account(ctx, region)
	if err != nil {
		return r.failed(err, &r.AWS.Error)
	}
	r.AWS.Region = aws.Region()
	identity, err := aws.CallerIdentity(ctx)
	if err != nil {
		return r.failed(fmt.Errorf("ask AWS who you are: %w", err), &r.AWS.Error)
	}
	r.AWS.ARN, r.AWS.AccountID = identity.ARN, identity.Account
	if r.Cluster.Error != "" && c.Prefix != "" && naming.ValidProject(c.Project) && naming.ValidEnvironment(c.Environment) {
		r.Environments = append(r.Environments, environment{
			Namespace: c.Namespace, Project: c.Project, Environment: c.Environment,
			Propose: unknown, Approve: unknown, Rollback: unknown, Read: unknown,
			region: r.AWS.Region, secret: naming.LiveSecret(c.Prefix, c.Project, c.Environment),
		})
	}
	return nil
}
