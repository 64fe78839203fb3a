// Package login is the command that shows who one is to the cluster and to AWS,
// and what one may do.
package login

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/printers"
	"github.com/secretreview/secretreview/internal/cli/setup"
)

const (
	long = `Show who you are to the cluster and to AWS, what you may do in each environment, and what
to ask for where you may not.

Nothing is signed in to: the kubeconfig and AWS's own configuration hold your credentials.
If one of the two systems does not answer, the other's half is shown, and the exit code
says why.

  propose, approve, rollback   as the cluster's RBAC has it
  read                         whether AWS lets you call GetSecretValue on the live secret

No value is read: AWS is asked for a version that there is not, and refuses it otherwise
with the right than without. Whether the secret's KMS key lets you decrypt shows when you
pull, and whether AWS lets you stage, when you propose.`

	examples = `  # All environments of the namespace
  {{P}} login

  # One project, for a script
  {{P}} login -p backend-api -o json`
)

// Output formats.
const (
	outputTable = ""
	outputJSON  = "json"
)

// options are the command's flags.
type options struct {
	factory       *factory.Factory
	allNamespaces bool
	region        string
	output        string
}

// New returns the command.
func New(f *factory.Factory) *cobra.Command {
	o := &options{factory: f}
	command := &cobra.Command{
		Use:     "login",
		Aliases: []string{"whoami"},
		Short:   "Show who you are, and what you may do",
		Long:    long,
		Example: strings.ReplaceAll(examples, "{{P}}", f.Program),
		Args:    factory.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	flags := command.Flags()
	flags.BoolVarP(&o.allNamespaces, "all-namespaces", "A", false, "of all projects of all namespaces")
	flags.StringVar(&o.region, "region", "", "AWS region to ask who you are in")
	flags.StringVarP(&o.output, "output", "o", "", "json")
	setup.AddRetired(f.ErrOut, flags, []string{"email", "password"}, nil)
	return command
}

func (o *options) run(ctx context.Context) error {
	f := o.factory
	if o.output != outputTable && o.output != outputJSON {
		return exit.Errorf(exit.Usage, "unknown output %q: choose json", o.output)
	}
	if o.allNamespaces && (f.Flags.Project != "" || f.Flags.Environment != "") {
		return exit.Errorf(exit.Usage, "-A is of all projects: leave --project and --env out, or it")
	}
	// A file that is wrong is no system that does not answer.
	if _, err := f.Config(); err != nil {
		return err
	}
	r, err := o.look(ctx)
	if err != nil {
		return err
	}
	if o.output == outputJSON {
		err = printers.PrintJSON(f.Out, r)
	} else {
		err = o.print(r)
	}
	if err != nil {
		return err
	}
	if r.code != exit.OK {
		return &exit.SilentError{Code: r.code}
	}
	return nil
}
