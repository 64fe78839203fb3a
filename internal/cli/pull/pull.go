// Package pull is the command that writes what is live into a dotenv file.
package pull

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/live"
	"github.com/secretreview/secretreview/internal/cli/privatefile"
	"github.com/secretreview/secretreview/internal/cli/wording"
	"github.com/secretreview/secretreview/internal/dotenv"
)

const (
	long = `Write what is live into a dotenv file.

The file can be read by you alone, and is replaced at once or not at all. Its first line
names project, environment and version; "propose" takes that version as the base of your
edit, and notices what others have changed since.

A file with edits that are not live is not overwritten, unless you say so.

The names in AWS come from the SecretProject in the cluster. Where both region and prefix
are known, by flags or configuration (the region also by AWS_REGION), AWS alone is asked,
and --project is the project's name in AWS.`

	examples = `  # Write .env
  {{P}} pull

  # Another environment, into another file
  {{P}} pull -p backend-api -e dev -o dev.env

  # For another program, through a pipe
  {{P}} pull -e dev -o - | grep ^DB_

  # See which keys there are
  {{P}} pull --keys-only

  # Without a cluster, as in a build
  {{P}} pull -p backend-api -e dev --region eu-central-1 --prefix secret-review/`

	defaultFile = ".env"
	// stdoutMark is how standard output is given as the file.
	stdoutMark = "-"
)

// Options are the command's flags.
type Options struct {
	Factory *factory.Factory

	Output   string
	KeysOnly bool
	Yes      bool
	Source   live.SourceFlags
}

// New returns the command.
func New(f *factory.Factory) *cobra.Command {
	o := &Options{Factory: f}
	command := &cobra.Command{
		Use:                   "pull [-o FILE] [--keys-only]",
		DisableFlagsInUseLine: true,
		Short:                 "Write what is live into a dotenv file",
		Long:                  long,
		Example:               strings.ReplaceAll(examples, "{{P}}", f.Program),
		Args:                  factory.NoArgs,
		RunE:                  func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	flags := command.Flags()
	flags.StringVarP(&o.Output, "output", "o", "", `file to write, "-" for standard output (default ".env")`)
	flags.BoolVar(&o.KeysOnly, "keys-only", false, "print the keys, one a line, and write no file")
	flags.BoolVarP(&o.Yes, "yes", "y", false, "overwrite a file also if it has edits that are not live")
	o.Source.AddFlags(flags)
	return command
}

func (o *Options) run(ctx context.Context) error {
	f := o.Factory
	if o.KeysOnly && o.Output != "" {
		return exit.Errorf(exit.Usage, "--keys-only writes no file: leave out -o, and redirect the output if it is meant")
	}
	if o.Output == "" {
		o.Output = defaultFile
	}
	file := privatefile.File{Path: f.Path(o.Output), Shown: o.Output, Flag: "-o"}
	toFile := !o.KeysOnly && o.Output != stdoutMark
	if toFile {
		if err := file.Check(); err != nil {
			return err
		}
	}
	s, err := o.Source.Locate(ctx, f)
	if err != nil {
		return err
	}
	now, err := s.Read(ctx, f)
	if err != nil {
		return err
	}
	if o.KeysOnly {
		return o.printKeys(now)
	}
	p := pulled{source: s, version: now}
	p.leaveOutUnwritable()
	if len(p.leftOut) > 0 {
		_, _ = fmt.Fprintf(f.ErrOut, "Warning: left out, since no dotenv file can carry such keys: %s.\n", wording.Keys(p.leftOut))
	}
	if !toFile {
		return o.print(p)
	}
	store, err := f.Store(ctx, s.Region)
	if err != nil {
		return err
	}
	if err := o.confirmOverwrite(ctx, store, file, p); err != nil {
		return err
	}
	return o.write(ctx, file, p)
}

// pulled is what a file is to hold.
type pulled struct {
	source  live.Source
	version live.Version
	leftOut []string
}

func (p *pulled) header() dotenv.Header {
	return dotenv.Header{Project: p.source.Project, Environment: p.source.Environment, VersionID: p.version.ID}
}

func (p *pulled) leaveOutUnwritable() {
	p.version.Values, p.leftOut = live.Writable(p.version.Values)
}

func (o *Options) printKeys(now live.Version) error {
	for _, key := range now.Values.Keys() {
		if _, err := fmt.Fprintln(o.Factory.Out, wording.Key(key)); err != nil {
			return fmt.Errorf("print the keys: %w", err)
		}
	}
	return nil
}

// write replaces the file, and says so.
func (o *Options) write(ctx context.Context, file privatefile.File, p pulled) error {
	var text bytes.Buffer
	if err := dotenv.Format(&text, p.version.Values, p.header()); err != nil {
		return fmt.Errorf("write %s: %w", file.Shown, err)
	}
	f := o.Factory
	if err := file.Replace(f.ErrOut, text.Bytes()); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(f.Out, "Wrote %s of %s/%s to %s (version %s)\n",
		wording.Count(len(p.version.Values), "key"), p.source.Project, p.source.Environment, file.Shown, p.version.ID)
	file.WarnOfGit(ctx, f.ErrOut)
	return nil
}

// print writes to standard output.
func (o *Options) print(p pulled) error {
	if o.Factory.Terminal.StdoutTTY {
		if err := live.CheckShown(p.version.Values, "-o"); err != nil {
			return err
		}
	}
	if err := dotenv.Format(o.Factory.Out, p.version.Values, p.header()); err != nil {
		return fmt.Errorf("print the values: %w", err)
	}
	return nil
}
