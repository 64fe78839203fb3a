// Package propose is the command that stages new values in AWS and creates the
// SecretChange that asks for them to be made live.
package propose

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/secretreview/secretreview/internal/cli/draft"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/live"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/dotenv"
)

const (
	long = `Propose a change to an environment's secrets.

The new values are staged in AWS Secrets Manager, encrypted with the key of the live
secret, and a SecretChange that names them is created. Nothing becomes live before
enough people have approved it.

A file (-f, by default .env) is the whole wanted state, one KEY=value a line. Live keys
that it lacks are removed only if you say so: when asked, or with --prune. Where the
file begins with the line that "pull" wrote, that version is its base: what others have
changed since stays, and if you and they changed the same key, nothing is proposed.

--set and --unset change single keys, of what is live or of the file. A value is taken
  KEY=VALUE   from the command line (which others on this machine may see),
  KEY         from you, without showing it,
  KEY=@FILE   from a file, byte for byte,
  KEY=-       from standard input, byte for byte.

With -o yaml or json the values are staged and kept for 90 days, and the manifest is
printed for a Git repository instead of being created.`

	examples = `  # Propose what .env holds
  {{P}} propose -r "Rotate the Stripe key"

  # Change one key, typing its value, and take another one away
  {{P}} propose -p backend-api -e production -r "New database" --set DB_URL --unset DB_HOST

  # A value from a file, and one from another program
  {{P}} propose -r "New certificate" --set TLS_KEY=@key.pem
  vault-export | {{P}} propose -r "Move from vault" --set API_TOKEN=-

  # See what would be proposed
  {{P}} propose -r "Clean up" -f prod.env --prune --dry-run

  # Write the manifest of a change into a Git repository
  {{P}} propose -r "Add Stripe" -f .env -o yaml > changes/add-stripe.yaml`

	defaultFile = ".env"
)

// Output formats.
const (
	outputYAML = "yaml"
	outputJSON = "json"
	outputName = "name"
)

// Options are the command's flags.
type Options struct {
	Factory *factory.Factory

	Reason string
	// File is the path of a dotenv file, or, with Content, what messages call it.
	File  string
	Set   []string
	Unset []string
	// Values are set beside those of Set, by commands that make values.
	Values document.Document
	// RebaseOf is the change that this one is made anew from, if it is.
	RebaseOf string
	// Content is what is in the file, for commands that read it themselves.
	Content *dotenv.File
	// Base is the version that Content is an edit of, if it has no header that says
	// so.
	Base *live.Version
	// Keep leaves live keys as they are that the file lacks.
	Keep   bool
	Prune  bool
	DryRun bool
	Output string
}

// New returns the command.
func New(f *factory.Factory) *cobra.Command {
	o := &Options{Factory: f}
	command := &cobra.Command{
		Use:                   "propose -r REASON [-f FILE] [--set KEY[=VALUE]]... [--unset KEY]...",
		DisableFlagsInUseLine: true,
		Short:                 "Propose a change to an environment's secrets",
		Long:                  long,
		Example:               strings.ReplaceAll(examples, "{{P}}", f.Program),
		Args:                  factory.NoArgs,
		RunE:                  func(cmd *cobra.Command, _ []string) error { return o.Run(cmd.Context()) },
	}
	flags := command.Flags()
	o.AddFlags(flags)
	flags.StringVarP(&o.File, "file", "f", "", `dotenv file with the whole wanted state, "-" for standard input (default ".env", unless --set or --unset is given)`)
	flags.StringArrayVar(&o.Set, "set", nil, "set a key: KEY=VALUE, KEY to be asked, KEY=@FILE, or KEY=- for standard input; may be repeated")
	flags.StringArrayVar(&o.Unset, "unset", nil, "remove a key; may be repeated")
	flags.BoolVar(&o.Prune, "prune", false, "remove live keys that the file lacks, without asking")
	o.Complete(command)
	return command
}

// AddFlags binds the flags that every command has which proposes.
func (o *Options) AddFlags(flags *pflag.FlagSet) {
	flags.StringVarP(&o.Reason, "reason", "r", "", "why, as in a commit message (required)")
	flags.BoolVar(&o.DryRun, "dry-run", false, "show what would be proposed, and stage nothing")
	flags.StringVarP(&o.Output, "output", "o", "", "yaml or json: print the manifest for a Git repository instead of creating it; name: print the change's name only")
}

// Complete lets a shell complete the values of those flags.
func (o *Options) Complete(command *cobra.Command) {
	completion := cobra.FixedCompletions([]string{outputYAML, outputJSON, outputName}, cobra.ShellCompDirectiveNoFileComp)
	if err := command.RegisterFlagCompletionFunc("output", completion); err != nil {
		panic(err) // there is no such flag
	}
}

// check checks the flags that every command has which proposes.
func (o *Options) check() error {
	if err := draft.CheckReason(o.Reason, o.DryRun); err != nil {
		return err
	}
	switch {
	case !slices.Contains([]string{"", outputYAML, outputJSON, outputName}, o.Output):
		return exit.Errorf(exit.Usage, "unknown output %q: choose yaml, json or name", o.Output)
	case o.DryRun && o.Output != "":
		return exit.Errorf(exit.Usage, "--dry-run stages nothing that -o could print: leave one of them out")
	default:
		return nil
	}
}

// Validate fails with an exit.Error of Usage for flags that make no sense.
func (o *Options) Validate() error {
	_, err := o.validate()
	return err
}

// validate checks what can be checked without asking anybody.
func (o *Options) validate() (edits, error) {
	if err := o.check(); err != nil {
		return edits{}, err
	}
	e, err := parseEdits(o.Set, o.Unset)
	if err != nil {
		return edits{}, err
	}
	if o.File == "" && len(o.Set) == 0 && len(o.Unset) == 0 && len(o.Values) == 0 {
		o.File = defaultFile
	}
	readers := e.count(fromStdin)
	if o.File == factory.StdinMark {
		readers++
	}
	switch {
	case o.Prune && o.File == "":
		return edits{}, exit.Errorf(exit.Usage, "--prune is about a file: give one with -f, or use --unset")
	case readers > 1:
		return edits{}, exit.Errorf(exit.Usage, "standard input can be read once only: give the others with @FILE")
	case e.count(fromPrompt) > 0 && !o.Factory.Terminal.CanAsk():
		return edits{}, exit.Errorf(exit.Usage, "there is no terminal to ask for a value: use KEY=-, KEY=@FILE or KEY=VALUE")
	}
	return e, nil
}

// readFile reads the file that is given, if one is.
func (o *Options) readFile(ctx context.Context) (*dotenv.File, error) {
	if o.File == "" || o.Content != nil {
		return o.Content, nil
	}
	file, err := o.Factory.ReadDotenv(ctx, o.File)
	if err != nil {
		return nil, err
	}
	return &file, nil
}
