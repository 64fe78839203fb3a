// Package export is the command that prints what is live for another program.
package export

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/files"
	"github.com/secretreview/secretreview/internal/cli/format"
	"github.com/secretreview/secretreview/internal/cli/live"
	"github.com/secretreview/secretreview/internal/cli/privatefile"
	"github.com/secretreview/secretreview/internal/cli/wording"
	"github.com/secretreview/secretreview/internal/document"
)

const (
	long = `Print what is live, for another program.

The formats are
{{FORMATS}}
A value or a name that a format cannot hold exactly is refused, and named; --skip leaves it
out instead.

It is written to standard output, or with -f into a file that you alone can read. A terminal
shows values only if you ask for that, by -f -.

In a job of GitHub Actions, github appends to the file that $GITHUB_ENV names, and prints
the commands that hide each line of each value in the log. Leave standard output to the
runner, or nothing is hidden.

Where both region and prefix are known, AWS alone is asked, as by "pull".`

	examples = `  # Into this shell
  eval "$({{P}} export --format shell -e dev)"

  # Into a container
  {{P}} export --format docker -e dev -f dev.list && docker run --env-file dev.list app

  # Into the later steps of a job of GitHub Actions
  {{P}} export --format github -e production

  # One value, by jq
  {{P}} export --format json | jq -r .DB_URL`

	stdoutMark = "-"
	// gitHubFile is the variable that names the file which a runner reads.
	gitHubFile = "GITHUB_ENV"
)

// options are the command's flags.
type options struct {
	factory *factory.Factory
	format  string
	file    string
	skip    bool
	yes     bool
	source  live.SourceFlags
}

// New returns the command.
func New(f *factory.Factory) *cobra.Command {
	o := &options{factory: f}
	command := &cobra.Command{
		Use:                   "export --format FORMAT [-f FILE]",
		DisableFlagsInUseLine: true,
		Short:                 "Print what is live, for another program",
		Long:                  strings.ReplaceAll(long, "{{FORMATS}}", format.About(false)),
		Example:               strings.ReplaceAll(examples, "{{P}}", f.Program),
		Args:                  factory.NoArgs,
		RunE:                  func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	flags := command.Flags()
	flags.StringVar(&o.format, "format", "", strings.Join(format.Names(false), ", ")+" (required)")
	flags.StringVarP(&o.file, "file", "f", "", `file to write, "-" for standard output also if that is a terminal`)
	flags.BoolVar(&o.skip, "skip", false, "leave out what the format cannot hold, and say so")
	flags.BoolVarP(&o.yes, "yes", "y", false, "overwrite a file that holds something else")
	o.source.AddFlags(flags)
	format.Complete(command, false)
	return command
}

func (o *options) run(ctx context.Context) error {
	f := o.factory
	chosen, err := format.Find(o.format, false)
	if err != nil {
		return err
	}
	deliver, err := o.delivery(chosen)
	if err != nil {
		return err
	}
	source, err := o.source.Locate(ctx, f)
	if err != nil {
		return err
	}
	now, err := source.Read(ctx, f)
	if err != nil {
		return err
	}
	values, misfits := chosen.Split(now.Values)
	if err := o.judge(chosen, misfits); err != nil {
		return err
	}
	text, err := chosen.Write(values, f.Rand)
	if err != nil {
		return err
	}
	where, err := deliver(ctx, values, []byte(text))
	if err != nil || where == "" {
		return err
	}
	_, err = fmt.Fprintf(f.ErrOut, "Wrote %s of %s/%s to %s (version %s)\n",
		wording.Count(len(values), "key"), source.Project, source.Environment, where, now.ID)
	return err
}

// judge refuses what the format cannot hold, or says that it is left out.
func (o *options) judge(chosen format.Format, misfits []format.Misfit) error {
	for _, m := range misfits {
		if !o.skip {
			return exit.Errorf(exit.Refused, "%s cannot hold %s: choose another format, or leave them out with --skip", chosen.Name, m)
		}
		_, _ = fmt.Fprintf(o.factory.ErrOut, "Warning: left out: %s.\n", m)
	}
	return nil
}

// delivery brings a text to where it is wanted, and returns the name of the file
// that has it now, if it is one.
type delivery func(ctx context.Context, values document.Document, text []byte) (string, error)

// delivery checks, before anything is read, whether the text may go where it is
// wanted.
func (o *options) delivery(chosen format.Format) (delivery, error) {
	f := o.factory
	switch {
	case chosen.Name == format.GitHub:
		return o.toRunner()
	case o.file == "" && f.Terminal.StdoutTTY:
		return nil, exit.Errorf(exit.Usage, "this would show all values on the terminal: name a file with -f, use a pipe, or ask for it with -f -")
	case o.file == "" || o.file == stdoutMark:
		return o.toStdout(chosen), nil
	}
	file := privatefile.File{Path: f.Path(o.file), Shown: o.file, Flag: "-f"}
	return o.toFile(file), file.Check()
}

func (o *options) toStdout(chosen format.Format) delivery {
	f := o.factory
	return func(_ context.Context, values document.Document, text []byte) (string, error) {
		if f.Terminal.StdoutTTY && !chosen.Escapes {
			if err := live.CheckShown(values, "-f"); err != nil {
				return "", err
			}
		}
		if _, err := f.Out.Write(text); err != nil {
			return "", fmt.Errorf("print the values: %w", err)
		}
		return "", nil
	}
}

func (o *options) toFile(file privatefile.File) delivery {
	f := o.factory
	return func(ctx context.Context, _ document.Document, text []byte) (string, error) {
		if err := o.confirmOverwrite(ctx, file, text); err != nil {
			return "", err
		}
		if err := file.Replace(f.ErrOut, text); err != nil {
			return "", err
		}
		file.WarnOfGit(ctx, f.ErrOut)
		return file.Shown, nil
	}
}

// confirmOverwrite asks, or requires --yes, before a file goes that holds
// something else.
func (o *options) confirmOverwrite(ctx context.Context, file privatefile.File, text []byte) error {
	if o.yes {
		return nil
	}
	old, err := files.Read(file.Path, int64(len(text)))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("read %s: %w", file.Shown, err)
	case len(old) == 0 || bytes.Equal(old, text):
		return nil
	case !o.factory.Terminal.CanAsk():
		return exit.Errorf(exit.Refused, "%s is there already and holds something else: overwrite it with -y, or name another file with -f", file.Shown)
	}
	yes, err := o.factory.Prompter.Confirm(ctx, file.Shown+" is there already and holds something else. Overwrite it?")
	if err == nil && !yes {
		err = exit.Errorf(exit.Cancelled, "%s stays as it is", file.Shown)
	}
	return err
}

// toRunner has a runner of GitHub Actions hide the values in its log before they
// get into the file from which it sets variables.
func (o *options) toRunner() (delivery, error) {
	f := o.factory
	name := o.file
	if name == "" {
		name = f.Getenv(gitHubFile)
	}
	switch {
	case name == "":
		return nil, exit.Errorf(exit.Usage, "this is no job of GitHub Actions ($%s is not set): name a file with -f", gitHubFile)
	case name == stdoutMark:
		return nil, exit.Errorf(exit.Usage, "standard output is the runner's log, which gets the commands that hide values: name the file for the values with -f, or leave -f to $%s", gitHubFile)
	case f.Terminal.StdoutTTY:
		return nil, exit.Errorf(exit.Usage, "this would show all values on the terminal, where no runner hides them: use %s in a job of GitHub Actions", format.GitHub)
	case !isRead(f.Out):
		return nil, exit.Errorf(exit.Refused, "standard output does not go to the runner, so that it would not hide the values: leave the redirection out, the values go to $%s by themselves", gitHubFile)
	}
	file := privatefile.File{Path: f.Path(name), Shown: name, Flag: "-f"}
	return func(_ context.Context, values document.Document, text []byte) (string, error) {
		if _, err := io.WriteString(f.Out, format.Masks(values)); err != nil {
			return "", fmt.Errorf("print the commands that hide the values: %w", err)
		}
		return file.Shown, file.Append(text)
	}, file.Check()
}

// isRead reports whether what is written goes to another program: into a pipe or
// a socket, and neither into a file nor nowhere.
func isRead(out io.Writer) bool {
	file, ok := out.(interface{ Stat() (fs.FileInfo, error) })
	if !ok {
		return true
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&(fs.ModeNamedPipe|fs.ModeSocket) != 0
}
