package pull

import (
	"cmp"
	"context"
	"fmt"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// source says where the live secret is.
type source struct {
	// project is the name in AWS.
	project, environment string
	region, name         string
	// fromCluster is false where the name was put together from a prefix.
	fromCluster bool
}

// locate finds the live secret: without the cluster where region and prefix
// are known.
func (o *Options) locate(ctx context.Context) (source, error) {
	f := o.Factory
	c, err := f.Config()
	if err != nil {
		return source{}, err
	}
	region := cmp.Or(o.Region, c.Region, f.Getenv("AWS_REGION"), f.Getenv("AWS_DEFAULT_REGION"))
	prefix := cmp.Or(o.Prefix, c.Prefix)
	if region == "" || prefix == "" {
		return o.askCluster(ctx)
	}
	if err := f.RequireSelection(c); err != nil {
		return source{}, err
	}
	if !naming.ValidProject(c.Project) || !naming.ValidEnvironment(c.Environment) {
		return source{}, exit.Errorf(exit.Usage,
			"%q and %q are no names of a project and an environment in AWS: they have letters, digits, _ and -, at most %d",
			c.Project, c.Environment, naming.MaxNameLength)
	}
	return source{
		project: c.Project, environment: c.Environment, region: region,
		name: naming.LiveSecret(prefix, c.Project, c.Environment),
	}, nil
}

func (o *Options) askCluster(ctx context.Context) (source, error) {
	t, err := o.Factory.ResolveProject(ctx)
	if err != nil {
		return source{}, err
	}
	if err := t.Known(); err != nil {
		return source{}, err
	}
	return source{
		project: t.Project.EffectiveProjectName(), environment: t.Environment.Name,
		region: t.Project.Status.Region, name: t.Status.SecretName, fromCluster: true,
	}, nil
}

// explain says more of what a missing secret may mean.
func (s source) explain(err error) error {
	err = fmt.Errorf("read what is live: %w", err)
	if secretstore.KindOf(err) == secretstore.KindNotFound && !s.fromCluster {
		return exit.Errorf(exit.NotFound,
			"%w; the name was put together from --prefix and the names that were given: look at them, or leave the prefix out to ask the cluster", err)
	}
	return err
}
