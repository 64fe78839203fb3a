// Package run is the command that starts another program with what is live in its
// environment.
package run

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os/exec"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/live"
	"github.com/secretreview/secretreview/internal/cli/wording"
	"github.com/secretreview/secretreview/internal/document"
)

const (
	long = `Run a program with what is live in its environment. Nothing is written to a disk.

The program takes the place of this one, so that signals and its exit code are its own.
What is live goes before variables of the same names.

Where both region and prefix are known, AWS alone is asked, as by "pull".`

	examples = `  # Start a server with the values of dev
  {{P}} run -e dev -- npm start

  # What would it see?
  {{P}} run -e dev -- sh -c 'echo "$LOG_LEVEL"'`
)

// options are the command's flags.
type options struct {
	factory *factory.Factory
	source  live.SourceFlags
}

// New returns the command.
func New(f *factory.Factory) *cobra.Command {
	o := &options{factory: f}
	command := &cobra.Command{
		Use:                   "run [-p PROJECT] [-e ENV] -- COMMAND [ARG]...",
		DisableFlagsInUseLine: true,
		Short:                 "Run a program with what is live in its environment",
		Long:                  long,
		Example:               strings.ReplaceAll(examples, "{{P}}", f.Program),
		Args:                  someCommand,
		RunE:                  func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	flags := command.Flags()
	// What follows the program's name is its own.
	flags.SetInterspersed(false)
	o.source.AddFlags(flags)
	return command
}

func someCommand(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return errors.New("it takes the program to run")
	}
	return nil
}

func (o *options) run(ctx context.Context, args []string) error {
	path, err := o.find(args[0])
	if err != nil {
		return err
	}
	source, err := o.source.Locate(ctx, o.factory)
	if err != nil {
		return err
	}
	now, err := source.Read(ctx, o.factory)
	if err != nil {
		return err
	}
	environment, err := merge(o.factory.Environ(), now.Values)
	if err != nil {
		return err
	}
	return o.factory.Exec(path, args, environment)
}

// find looks the program up before anything is read. Its exit codes are those of
// a shell.
func (o *options) find(name string) (string, error) {
	path, err := exec.LookPath(name)
	switch {
	case errors.Is(err, exec.ErrDot), err == nil:
		return cmp.Or(path, name), nil
	case errors.Is(err, fs.ErrPermission):
		return "", exit.Errorf(exit.NotExecutable, "%q cannot be run: look at its mode", name)
	default:
		return "", exit.Errorf(exit.NoCommand, "there is no program %q: look at its name and at PATH", name)
	}
}

// merge puts values into an environment, before what has the same names.
func merge(environment []string, values document.Document) ([]string, error) {
	merged := slices.DeleteFunc(slices.Clone(environment), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		_, replaced := values[name]
		return replaced
	})
	var wrong []string
	for _, key := range values.Keys() {
		value := values[key].Reveal()
		if key == "" || strings.ContainsAny(key, "=\x00") || strings.Contains(value, "\x00") {
			wrong = append(wrong, key)
			continue
		}
		merged = append(merged, key+"="+value)
	}
	if len(wrong) > 0 {
		return nil, exit.Errorf(exit.Refused, "no environment can hold %s: propose other names or values, without = in a name and without NUL bytes", wording.Keys(wrong))
	}
	return merged, nil
}
