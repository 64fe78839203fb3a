package live

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// SourceFlags say where the live secret is, for commands that need no cluster
// where they are given.
type SourceFlags struct{ Region, Prefix string }

// AddFlags binds the flags.
func (s *SourceFlags) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&s.Region, "region", "", "AWS region of the live secret")
	flags.StringVar(&s.Prefix, "prefix", "", `what the names of all secrets in AWS begin with, such as "secret-review/"`)
}

// Source says where the live secret is.
type Source struct {
	// Project is the name in AWS.
	Project, Environment string
	Region, Name         string
	// fromCluster is false where the name was put together from a prefix.
	fromCluster bool
}

// Locate finds the live secret: without the cluster where region and prefix
// are known, by flags or configuration.
func (s *SourceFlags) Locate(ctx context.Context, f *factory.Factory) (Source, error) {
	c, err := f.Config()
	if err != nil {
		return Source{}, err
	}
	region := cmp.Or(s.Region, c.Region, f.Getenv("AWS_REGION"), f.Getenv("AWS_DEFAULT_REGION"))
	prefix := cmp.Or(s.Prefix, c.Prefix)
	if region == "" || prefix == "" {
		return askCluster(ctx, f)
	}
	if err := f.RequireSelection(c); err != nil {
		return Source{}, err
	}
	if !naming.ValidProject(c.Project) || !naming.ValidEnvironment(c.Environment) {
		return Source{}, exit.Errorf(exit.Usage,
			"%q and %q are no names of a project and an environment in AWS: they have letters, digits, _ and -, at most %d",
			c.Project, c.Environment, naming.MaxNameLength)
	}
	return Source{
		Project: c.Project, Environment: c.Environment, Region: region,
		Name: naming.LiveSecret(prefix, c.Project, c.Environment),
	}, nil
}

func askCluster(ctx context.Context, f *factory.Factory) (Source, error) {
	t, err := f.ResolveProject(ctx)
	if err != nil {
		return Source{}, err
	}
	if err := t.Known(); err != nil {
		return Source{}, err
	}
	return Source{
		Project: t.Project.EffectiveProjectName(), Environment: t.Environment.Name,
		Region: t.Project.Status.Region, Name: t.Status.SecretName, fromCluster: true,
	}, nil
}

// Read reads what is live there.
func (s Source) Read(ctx context.Context, f *factory.Factory) (Version, error) {
	store, err := f.Store(ctx, s.Region)
	if err != nil {
		return Version{}, err
	}
	now, err := Read(ctx, store, s.Name, "")
	if err != nil {
		return Version{}, s.explain(err)
	}
	return now, nil
}

// explain says more of what a missing secret may mean.
func (s Source) explain(err error) error {
	err = fmt.Errorf("read what is live: %w", err)
	if secretstore.KindOf(err) == secretstore.KindNotFound && !s.fromCluster {
		return exit.Errorf(exit.NotFound,
			"%w; the name was put together from --prefix and the names that were given: look at them, or leave the prefix out to ask the cluster", err)
	}
	return err
}
