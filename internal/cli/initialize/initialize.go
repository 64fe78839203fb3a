// Package initialize is the command "init", which writes .sr.json.
package initialize

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/internal/cli/config"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/files"
	"github.com/secretreview/secretreview/internal/cli/setup"
)

const (
	long = `Write ` + config.LocalName + ` into this directory: which project and environment it is about, so that the
other commands need no flags in it and below it. It holds no secret; commit it.

At a terminal you choose from what the cluster offers. Elsewhere, as in CI, flags say it;
what there is only one of need not be said. A file that is there is replaced only with
--force, or if you say so.

With a CloudFormation stack, or with both --region and --secret-prefix, the file also says
where in AWS the secrets are, and "pull" and "run" ask AWS alone.`

	examples = `  # Be asked
  {{P}} init

  # In CI
  {{P}} init -n demo -p backend-api -e production

  # With where the secrets are, so that pulling needs no cluster
  {{P}} init -n demo -p backend-api -e production --stack-name secretreview --region eu-central-1`
)

// options are the command's flags.
type options struct {
	factory               *factory.Factory
	stack, region, prefix string
	force                 bool
}

// New returns the command.
func New(f *factory.Factory) *cobra.Command {
	o := &options{factory: f}
	command := &cobra.Command{
		Use:     "init",
		Short:   "Say which project and environment a directory is about",
		Long:    long,
		Example: strings.ReplaceAll(examples, "{{P}}", f.Program),
		Args:    factory.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	flags := command.Flags()
	flags.StringVar(&o.stack, "stack-name", "", "CloudFormation stack to read region and prefix from")
	flags.StringVar(&o.region, "region", "", "AWS region of the stack and of the live secrets")
	flags.StringVar(&o.prefix, "secret-prefix", "", `what the names of all secrets in AWS begin with, such as "secret-review/"`)
	flags.BoolVar(&o.force, "force", false, "replace a "+config.LocalName+" that is there")
	setup.AddDefaults(f, flags)
	setup.AddRetired(f.ErrOut, flags, []string{"email", "password"}, []string{"skip-login", "create-user"})
	return command
}

func (o *options) run(ctx context.Context) error {
	f := o.factory
	// What is to be replaced says nothing here, even if it cannot be read.
	f.IgnoreLocal = true
	path := f.Path(config.LocalName)
	replace, err := o.mayReplace(ctx, path)
	if err != nil {
		return err
	}
	c, err := o.collect(ctx)
	if err != nil {
		return err
	}
	if err := c.Validate(); err != nil {
		return err
	}
	err = config.WriteLocal(path, c, replace)
	if errors.Is(err, config.ErrExists) {
		return exit.Errorf(exit.Conflict, "%s was written by somebody else meanwhile, and is left as it is", config.LocalName)
	}
	if err != nil {
		return err
	}
	if err := setup.Show(f, config.LocalName, c); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(f.ErrOut, "What you may do here: %s login\nTo get what is live:  %s pull\n", f.Program, f.Program)
	return nil
}

// mayReplace reports whether a file that is there may be replaced. It asks before
// all else, so that nobody answers questions in vain.
func (o *options) mayReplace(ctx context.Context, path string) (bool, error) {
	f := o.factory
	if o.force {
		return true, nil
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, exit.Errorf(exit.Failure, "look at %s: %w", config.LocalName, files.Pathless(err))
	case info.IsDir():
		return false, exit.Errorf(exit.Usage, "%s is a directory: move it away", config.LocalName)
	case !f.Terminal.CanAsk():
		return false, exit.Errorf(exit.Refused, "there is a %s here already, and it is left as it is: replace it with --force", config.LocalName)
	}
	yes, err := f.Prompter.Confirm(ctx, fmt.Sprintf("There is a %s here already. Replace it?", config.LocalName))
	if err != nil {
		return false, err
	}
	if !yes {
		return false, exit.Errorf(exit.Cancelled, "%s is left as it is", config.LocalName)
	}
	return true, nil
}

// collect returns what the file is to say.
func (o *options) collect(ctx context.Context) (config.Config, error) {
	f := o.factory
	// Who has said what it is about is not asked for the rest.
	asks := f.Terminal.CanAsk() && (f.Flags.Project == "" || f.Flags.Environment == "")
	var c config.Config
	var err error
	if c.Context, err = o.context(ctx, asks); err != nil {
		return config.Config{}, err
	}
	project, environment, err := o.offered(ctx, asks)
	if err != nil {
		return config.Config{}, err
	}
	c.Namespace, c.Project, c.Environment = project.Namespace, project.Name, environment
	where, err := o.where(ctx, asks)
	if err != nil {
		return config.Config{}, err
	}
	if err := agrees(project, where); err != nil {
		return config.Config{}, err
	}
	if where.Region != "" && where.Prefix != "" {
		// Without the cluster the secret's name is put together from these.
		c.Project = project.EffectiveProjectName()
	}
	return where.Over(c), nil
}
