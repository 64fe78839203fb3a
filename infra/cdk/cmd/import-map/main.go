// Command import-map prints the mapping file that "cdk import
// --resource-mapping" takes, so that secrets which exist come into a stack as
// they are. It reads what "aws secretsmanager list-secrets" answers from standard
// input, and the template that "cdk synth" has written.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/secretreview/secretreview/infra/cdk/internal/imports"
)

func main() {
	err := run(os.Args[1:], os.Stdin, os.Stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "import-map:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("import-map", flag.ContinueOnError)
	template := flags.String("template", "cdk.out/secretreview.template.json", "the template with the secrets")
	if err := flags.Parse(args); err != nil {
		return err
	}
	text, err := os.ReadFile(*template)
	if err != nil {
		return err
	}
	listed, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	found, err := imports.Of(text, listed)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(found)
}
