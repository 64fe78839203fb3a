// Command helm-values prints values for the Helm chart from the outputs of a
// stack, which it reads from standard input or a file: as "cdk deploy
// --outputs-file" writes them, or as "aws cloudformation describe-stacks"
// answers.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/secretreview/secretreview/infra/cdk/internal/values"
)

func main() {
	err := run(os.Args[1:], os.Stdin, os.Stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "helm-values:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("helm-values", flag.ContinueOnError)
	file := flags.String("file", "-", "file with the outputs; - is standard input")
	stack := flags.String("stack", "", "name of the stack; not needed where the file has one only")
	cluster := flags.String("cluster", "", "name of the cluster, as in the configuration")
	podIdentity := flags.Bool("pod-identity", false, "the cluster uses EKS Pod Identity, so the ServiceAccount needs no annotation")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *file != "-" {
		opened, err := os.Open(*file)
		if err != nil {
			return err
		}
		defer opened.Close()
		in = opened
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	outputs, err := values.Read(text, *stack)
	if err != nil {
		return err
	}
	printed, err := values.Helm(outputs, *cluster, *podIdentity)
	if err != nil {
		return err
	}
	_, err = out.Write(printed)
	return err
}
