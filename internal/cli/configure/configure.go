// Package configure is the command that writes the user's own configuration
// file.
package configure

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/secretreview/secretreview/internal/cli/config"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/setup"
	"github.com/secretreview/secretreview/internal/cli/terminal"
)

const (
	long = `Write your own configuration file, which counts wherever no .sr.json says otherwise.

What you do not name stays as it is; an empty text takes it out. Without any flag, and at
a terminal, you are asked. The file is yours alone (mode 0600) and holds no credentials.

Nothing has to be configured: the cluster knows region and names. Where both region and
prefix are configured, "pull" and "run" ask AWS alone.

Below your file, what ~/.cdk-gitify-secrets/config.json says of region, prefix, project
and environment counts, too.`

	examples = `  # Be asked
  {{P}} configure

  # Where the secrets are, from what the CloudFormation stack outputs
  {{P}} configure --from-stack secretreview --region eu-central-1

  # One's usual project and environment, in another cluster's namespace
  {{P}} configure --default-project backend-api --default-env dev --namespace demo --context staging

  # No longer a usual environment
  {{P}} configure --default-env ""`
)

// options are the command's flags.
type options struct {
	factory                   *factory.Factory
	fromStack, region, prefix string
}

// New returns the command.
func New(f *factory.Factory) *cobra.Command {
	o := &options{factory: f}
	command := &cobra.Command{
		Use:     "configure",
		Short:   "Write your own configuration file",
		Long:    long,
		Example: strings.ReplaceAll(examples, "{{P}}", f.Program),
		Args:    factory.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), cmd.Flags()) },
	}
	flags := command.Flags()
	flags.StringVar(&o.fromStack, "from-stack", "", "CloudFormation stack to read region and prefix from")
	flags.StringVar(&o.region, "region", "", "AWS region of the stack and of the live secrets")
	flags.StringVar(&o.prefix, "secret-prefix", "", `what the names of all secrets in AWS begin with, such as "secret-review/"`)
	setup.AddDefaults(f, flags)
	setup.AddRetired(f.ErrOut, flags, []string{"api-url", "client-id", "user-pool-id"}, nil)
	return command
}

func (o *options) run(ctx context.Context, flags *pflag.FlagSet) error {
	f := o.factory
	path := f.UserConfig
	if path == "" {
		return exit.Errorf(exit.Failure, "no place for your configuration file is known: set HOME or XDG_CONFIG_HOME")
	}
	now, err := config.Read(path)
	if err != nil {
		return err
	}
	next, err := o.next(ctx, flags, now)
	if err != nil {
		return err
	}
	if err := next.Validate(); err != nil {
		return err
	}
	if mode, exposed := config.Exposed(path); exposed {
		_, _ = fmt.Fprintf(f.ErrOut, "Warning: %s could be used by others (mode %#o); now it is yours alone (mode 0600).\n", terminal.Escape(path), mode)
	}
	if err := config.WriteUser(path, next); err != nil {
		return err
	}
	return setup.Show(f, path, next)
}

// next is what the file is to say.
func (o *options) next(ctx context.Context, flags *pflag.FlagSet, now config.Config) (config.Config, error) {
	f := o.factory
	below, err := config.ReadLegacy(f.LegacyConfig)
	if err != nil {
		return config.Config{}, err
	}
	next, told := now, o.fromStack != ""
	if o.fromStack != "" {
		found, err := setup.ReadStack(ctx, f, o.fromStack, cmp.Or(o.region, now.Region, below.Region))
		if err != nil {
			return config.Config{}, err
		}
		next.Region, next.Prefix = found.Region, found.Prefix
	}
	for _, flag := range []struct {
		name  string
		given string
		to    *string
	}{
		{"region", o.region, &next.Region},
		{"secret-prefix", o.prefix, &next.Prefix},
		{"project", f.Flags.Project, &next.Project},
		{"default-project", f.Flags.Project, &next.Project},
		{"env", f.Flags.Environment, &next.Environment},
		{"default-env", f.Flags.Environment, &next.Environment},
		{"namespace", *f.KubeFlags.Namespace, &next.Namespace},
		{"context", *f.KubeFlags.Context, &next.Context},
	} {
		// With a stack, --region says where that is, and the stack where the secrets are.
		if flags.Changed(flag.name) && (flag.to != &next.Region || o.fromStack == "") {
			*flag.to, told = flag.given, true
		}
	}
	switch {
	case told:
		return next, nil
	case !f.Terminal.CanAsk():
		return config.Config{}, exit.Errorf(exit.Usage, "nothing is given to write, and there is no terminal to ask at: see \"%s configure --help\" for the flags", f.Program)
	default:
		return o.ask(ctx, now.Over(below))
	}
}

// ask goes through all that the file can say.
func (o *options) ask(ctx context.Context, now config.Config) (config.Config, error) {
	f := o.factory
	_, _ = fmt.Fprintln(f.ErrOut, "Enter keeps what stands in brackets, - takes it out.")
	next := now
	for _, question := range []struct {
		label string
		to    *string
	}{
		{"Project", &next.Project}, {"Environment", &next.Environment}, {"Namespace", &next.Namespace},
		{"Context of the kubeconfig", &next.Context}, {"AWS region", &next.Region}, {"Prefix of the secrets' names", &next.Prefix},
	} {
		answer, err := setup.Text(ctx, f, question.label, *question.to)
		if err != nil {
			return config.Config{}, err
		}
		*question.to = answer
	}
	return next, nil
}
