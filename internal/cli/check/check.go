// Package check is the command that looks at manifests in a Git repository,
// before they are merged.
package check

import (
	"context"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/internal/cli/check/rules"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/naming"
)

const (
	long = `Check manifests of changes and projects in a Git repository, as CI does on a pull request.

No cluster is asked. Of files, and of all .yaml, .yml and .json files in and below
directories, it looks at the SecretChanges and SecretProjects, and ignores other kinds:

  - what the API server and the admission policy would refuse, by their own rules
  - what looks like a value: unknown fields, credentials in a reason or comment,
    Kubernetes Secrets that hold data, and files of values that "pull" wrote
  - whether what a change pins can be its own

With AWS credentials in the environment it reads what is staged and what is live, holds the
former to the digest, and shows which keys a change adds, modifies or removes. No output
ever holds a value. Configuration files are not read: a pull request could bring one.

It exits with 0 where nothing is wrong, warnings aside, with 3 where something is, and with
1 or 2 where a file cannot be read or the command line is wrong.`

	examples = `  # All manifests of a repository
  {{P}} check changes

  # The Markdown for a comment on a pull request
  {{P}} check changes -o markdown > comment.md

  # Annotations of a GitHub workflow, without asking AWS
  {{P}} check changes -o github --offline

  # What is about to be proposed
  {{P}} propose -r "Add Stripe" -f .env -o yaml | {{P}} check -`
)

// Options are the command's flags.
type Options struct {
	Factory *factory.Factory

	Output   string
	Offline  bool
	Strict   bool
	Expected rules.Expected
	// ClusterName is the cluster that staged values must belong to, if it is given.
	ClusterName string
}

// New returns the command.
func New(f *factory.Factory) *cobra.Command {
	o := &Options{Factory: f}
	command := &cobra.Command{
		Use:                   "check DIRECTORY|FILE|-...",
		DisableFlagsInUseLine: true,
		Short:                 "Check manifests in a Git repository, without a cluster",
		Long:                  long,
		Example:               strings.ReplaceAll(examples, "{{P}}", f.Program),
		Args:                  some,
		// Files, which a shell completes by itself.
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault
		},
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	flags := command.Flags()
	const output = "output"
	flags.StringVarP(&o.Output, output, "o", outputText, "text, markdown, json, or github for a workflow's annotations")
	flags.BoolVar(&o.Offline, "offline", false, "do not ask AWS, and show no keys")
	flags.BoolVar(&o.Strict, "strict", false, "fail on warnings, too")
	flags.StringVar(&o.Expected.Region, "region", "", "AWS region in which values must be staged")
	flags.StringVar(&o.Expected.Account, "account", "", "AWS account in which values must be staged, by its 12 digits")
	flags.StringVar(&o.Expected.Prefix, "prefix", "", `what the names of all secrets in AWS must begin with, such as "secret-review/"`)
	flags.StringVar(&o.ClusterName, "cluster-name", "", "cluster that staged values must be for, by the manager's --cluster-name")
	completion := cobra.FixedCompletions(slices.Sorted(maps.Keys(printers)), cobra.ShellCompDirectiveNoFileComp)
	if err := command.RegisterFlagCompletionFunc(output, completion); err != nil {
		panic(err) // there is no such flag
	}
	return command
}

func some(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("name a directory or file, or %q for standard input", factory.StdinMark)
	}
	return nil
}

// Output formats.
const (
	outputText     = "text"
	outputMarkdown = "markdown"
	outputJSON     = "json"
	outputGitHub   = "github"
)

var printers = map[string]func(*report, io.Writer) error{
	outputText: (*report).text, outputMarkdown: (*report).markdown, outputJSON: (*report).json, outputGitHub: (*report).github,
}

var account = regexp.MustCompile(`^([0-9]{12})?$`)

func (o *Options) validate(args []string) error {
	flags, stdin := o.Factory.Flags, 0
	for _, arg := range args {
		if arg == factory.StdinMark {
			stdin++
		}
	}
	switch {
	case printers[o.Output] == nil:
		return exit.Errorf(exit.Usage, "unknown output %q: choose text, markdown, json or github", o.Output)
	case flags.Project != "" || flags.Environment != "":
		return exit.Errorf(exit.Usage, "manifests say which project and environment they are about: leave -p and -e out")
	case stdin > 1:
		return exit.Errorf(exit.Usage, "standard input can be read once only: give %q once", factory.StdinMark)
	case !account.MatchString(o.Expected.Account):
		return exit.Errorf(exit.Usage, "--account is not the 12 digits of an AWS account")
	case o.Expected.Prefix != "" && !naming.ValidPrefix(o.Expected.Prefix):
		return exit.Errorf(exit.Usage, `--prefix does not end with "/", or has a character that AWS does not take`)
	case o.ClusterName != "" && !naming.ValidCluster(o.ClusterName):
		return exit.Errorf(exit.Usage, "--cluster-name is not the name of a cluster")
	default:
		return nil
	}
}

func (o *Options) run(ctx context.Context, args []string) error {
	if err := o.validate(args); err != nil {
		return err
	}
	r, err := o.check(ctx, args)
	if err != nil {
		return err
	}
	if err := printers[o.Output](r, o.Factory.Out); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if r.failed(o.Strict) {
		return &exit.SilentError{Code: exit.Refused} // the report says why
	}
	return nil
}
