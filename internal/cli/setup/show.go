package setup

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/secretreview/secretreview/internal/cli/config"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/printers"
	"github.com/secretreview/secretreview/internal/cli/terminal"
)

// Show says what a file has now.
func Show(f *factory.Factory, path string, c config.Config) error {
	if _, err := fmt.Fprintf(f.Out, "Wrote %s\n", terminal.Escape(path)); err != nil {
		return err
	}
	var fields []printers.Field
	for _, field := range []printers.Field{
		{Label: "project", Text: c.Project}, {Label: "environment", Text: c.Environment}, {Label: "namespace", Text: c.Namespace},
		{Label: "context", Text: c.Context}, {Label: "region", Text: c.Region}, {Label: "prefix", Text: c.Prefix},
	} {
		if field.Text != "" {
			field.Label = "  " + field.Label
			fields = append(fields, field)
		}
	}
	return printers.PrintFields(f.Out, f.Terminal.Width, terminal.NewStyles(f.Terminal.Color), fields)
}

// AddDefaults binds --default-project and --default-env, which are how the
// replaced tool calls -p and -e where they are written down.
func AddDefaults(f *factory.Factory, flags *pflag.FlagSet) {
	flags.StringVar(&f.Flags.Project, "default-project", "", "the same as --project")
	flags.StringVar(&f.Flags.Environment, "default-env", "", "the same as --env")
}
