package printers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/printers"
	"sigs.k8s.io/yaml"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/terminal"
)

// Output is the flag -o of a listing.
type Output struct{ Format string }

const (
	formatTable = ""
	formatWide  = "wide"
	formatJSON  = "json"
	formatYAML  = "yaml"
	formatName  = "name"
)

// AddFlag binds -o, and lets a shell complete it.
func (o *Output) AddFlag(command *cobra.Command) {
	const name = "output"
	command.Flags().StringVarP(&o.Format, name, "o", "", "wide, name, json, yaml, or jsonpath=… and go-template=… as kubectl takes them")
	err := command.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(
		[]string{formatWide, formatName, formatJSON, formatYAML, "jsonpath=", "go-template="},
		cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveNoSpace))
	if err != nil {
		panic(err) // there is no such flag
	}
}

// IsTable reports whether a person reads the output.
func (o *Output) IsTable() bool { return o.Format == formatTable || o.Format == formatWide }

// IsWide reports whether a person wants all columns.
func (o *Output) IsWide() bool { return o.Format == formatWide }

// Width returns how wide a table may be. What is wanted wide is not cut, as
// with kubectl.
func (o *Output) Width(f *factory.Factory) int {
	if o.IsWide() {
		return 0
	}
	return f.Terminal.Width
}

// Printer writes objects in a machine's format.
type Printer func(runtime.Object) error

// Printer returns what writes in the format to the factory's Out, nil for a
// table. It fails with an exit.Error of Usage for an unknown format.
func (o *Output) Printer(f *factory.Factory) (Printer, error) {
	if o.IsTable() {
		return nil, nil
	}
	printer, err := o.resourcePrinter()
	if err != nil {
		return nil, err
	}
	out := f.Out
	if o.Format == formatJSON || f.Terminal.StdoutTTY {
		out = &terminal.Writer{Out: out}
	}
	each := func(object runtime.Object) error { return printer.PrintObj(object, out) }
	return func(object runtime.Object) error {
		var err error
		// The printer of names takes no lists.
		if o.Format == formatName && meta.IsListType(object) {
			err = meta.EachListItem(object, each)
		} else {
			err = each(object)
		}
		if err != nil {
			return fmt.Errorf("write as %s: %w", o.Format, err)
		}
		return nil
	}, nil
}

func (o *Output) resourcePrinter() (printers.ResourcePrinter, error) {
	scheme, err := factory.Scheme()
	if err != nil {
		return nil, err
	}
	format := o.Format
	if format == formatYAML {
		format = formatJSON
	}
	flags := genericclioptions.NewPrintFlags("").WithTypeSetter(scheme)
	flags.OutputFormat = &format
	printer, err := flags.ToPrinter()
	if err != nil {
		return nil, exit.Errorf(exit.Usage, "-o: %w", err)
	}
	if o.Format == formatYAML {
		return printers.ResourcePrinterFunc(func(object runtime.Object, w io.Writer) error { return printYAML(printer, object, w) }), nil
	}
	return printer, nil
}

// printYAML makes YAML of escaped JSON, because cli-runtime's own YAML printer
// fails for a text with a control character that JSON leaves as it is.
func printYAML(asJSON printers.ResourcePrinter, object runtime.Object, w io.Writer) error {
	var text bytes.Buffer
	if err := asJSON.PrintObj(object, &terminal.Writer{Out: &text}); err != nil {
		return err
	}
	converted, err := yaml.JSONToYAML(text.Bytes())
	if err != nil {
		return err
	}
	_, err = w.Write(converted)
	return err
}

// List returns changes as an object to print, each saying what it is.
func List(changes []v1alpha1.SecretChange) *v1alpha1.SecretChangeList {
	list := &v1alpha1.SecretChangeList{Items: append([]v1alpha1.SecretChange{}, changes...)}
	for i := range list.Items {
		list.Items[i].SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("SecretChange"))
	}
	return list
}

// PrintJSON writes v, which must not hold a value that is not to be shown.
func PrintJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(&terminal.Writer{Out: w})
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("write the JSON: %w", err)
	}
	return nil
}
