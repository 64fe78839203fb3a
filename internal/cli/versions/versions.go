// Package versions is the command that lists what an environment can go back to.
package versions

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/printers"
	"github.com/secretreview/secretreview/internal/cli/terminal"
)

const (
	long = `List the versions that an environment can be restored to, the newest first.

Each was written by a change, or replaced by one that is named. How many are kept is the
project's policy (versionHistory). Nothing is read from AWS: the controller looks every
few minutes.`

	examples = `  # The current project and environment
  {{P}} versions

  # For a script
  {{P}} versions -p backend-api -e production -o json`
)

// Output formats.
const (
	outputTable = ""
	outputWide  = "wide"
	outputJSON  = "json"
)

// Options are the command's flags.
type Options struct {
	Factory *factory.Factory
	Output  string
}

// New returns the command.
func New(f *factory.Factory) *cobra.Command {
	o := &Options{Factory: f}
	command := &cobra.Command{
		Use:     "versions",
		Short:   "List the versions that an environment can be restored to",
		Long:    long,
		Example: strings.ReplaceAll(examples, "{{P}}", f.Program),
		Args:    factory.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	const output = "output"
	command.Flags().StringVarP(&o.Output, output, "o", "", "wide or json")
	completion := cobra.FixedCompletions([]string{outputWide, outputJSON}, cobra.ShellCompDirectiveNoFileComp)
	if err := command.RegisterFlagCompletionFunc(output, completion); err != nil {
		panic(err) // there is no such flag
	}
	return command
}

func (o *Options) run(ctx context.Context) error {
	f := o.Factory
	if o.Output != outputTable && o.Output != outputWide && o.Output != outputJSON {
		return exit.Errorf(exit.Usage, "unknown output %q: choose wide or json", o.Output)
	}
	target, err := f.ResolveProject(ctx)
	if err != nil {
		return err
	}
	if err := target.Known(); err != nil {
		return err
	}
	entries := list(target.Status)
	if o.Output == outputJSON {
		return printers.PrintJSON(f.Out, entries)
	}
	if len(entries) == 0 {
		_, err := fmt.Fprintf(f.ErrOut, "%s has no version yet that it can be restored to.\n", target)
		return err
	}
	return o.print(entries)
}

// entry is one version, for a machine.
type entry struct {
	VersionID string `json:"versionID"`
	Live      bool   `json:"live"`
	// Change wrote it, or ReplacedBy replaced it.
	Change     string     `json:"change,omitempty"`
	ReplacedBy string     `json:"replacedBy,omitempty"`
	Time       *time.Time `json:"time,omitempty"`
}

func list(status *v1alpha1.EnvironmentStatus) []entry {
	entries := []entry{}
	for _, v := range status.Versions {
		e := entry{VersionID: v.VersionID, Live: v.VersionID == status.LiveVersionID, Change: v.Change, ReplacedBy: v.ReplacedBy}
		if v.Time != nil {
			utc := v.Time.UTC()
			e.Time = &utc
		}
		entries = append(entries, e)
	}
	return entries
}

func (o *Options) print(entries []entry) error {
	f := o.Factory
	styles := terminal.NewStyles(f.Terminal.Color)
	table := &printers.Table{Columns: []printers.Column{
		{Title: "VERSION", Min: 8}, {Title: ""}, {Title: "", Drop: 3}, {Title: "CHANGE", Min: 12, Name: true, End: true}, {Title: "AGE", Drop: 2},
	}}
	for _, e := range entries {
		what, change := e.what()
		row := []printers.Cell{printers.Text(e.VersionID), {}, printers.Text(what), printers.Text(change), {}}
		if e.Live {
			row[1] = printers.Cell{Text: "live", Style: styles.Good}
		}
		if e.Time != nil {
			row[4] = printers.Text(printers.Age(*e.Time, f.Clock.Now()))
		}
		table.Rows = append(table.Rows, row)
	}
	width := f.Terminal.Width
	if o.Output == outputWide {
		width = 0
	}
	if err := table.Print(f.Out, width, styles); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(f.ErrOut, "To go back: %s restore --to VERSION -r REASON\n", f.Program)
	return nil
}

// what says what a version has to do with which change.
func (e entry) what() (what, change string) {
	switch {
	case e.Change != "":
		return "of", e.Change
	case e.ReplacedBy != "":
		return "before", e.ReplacedBy
	default:
		return "of", "a change that is gone"
	}
}
