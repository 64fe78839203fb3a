// Package root is the command that all others hang from, and how a run ends.
package root

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
)

const long = `Propose, review and approve changes to an environment's secrets.

A change is proposed as a SecretChange in the cluster; its values wait in AWS Secrets
Manager and never enter the cluster. Once enough people have approved it, a controller
makes exactly the reviewed values live.

Project and environment come from --project and --env, else from ` + ".sr.json" + ` in this
directory or above it, else from your own configuration file. Each may say, in JSON:
project, environment, namespace, context, region, prefix; "init" and "configure" write
them. "login" shows what you may do. All of kubectl's connection flags work too.

`

// New returns the root command.
func New(f *factory.Factory) *cobra.Command {
	root := &cobra.Command{
		Use:               f.Program,
		Short:             "Pull requests for secrets",
		Long:              long + exit.Help,
		Version:           f.Version,
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		Args:              cobra.NoArgs,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		// A plugin is called as "kubectl sr", which cobra would take for a
		// command "kubectl" with an argument.
		Annotations: map[string]string{cobra.CommandDisplayNameAnnotation: f.Program},
	}
	root.SetIn(f.In)
	root.SetOut(f.Out)
	root.SetErr(f.ErrOut)
	root.SetVersionTemplate(f.Program + " {{.Version}}\n")
	root.SetUsageTemplate(wrapped(root.UsageTemplate(), f.Terminal.Width))
	f.AddFlags(root.PersistentFlags())
	for _, command := range commands(f) {
		root.AddCommand(command)
	}
	complete(root, map[string]cobra.CompletionFunc{"project": f.CompleteProjects, "env": f.CompleteEnvironments})
	return root
}

// complete sets how flags of a command are completed.
func complete(command *cobra.Command, flags map[string]cobra.CompletionFunc) {
	for name, function := range flags {
		if err := command.RegisterFlagCompletionFunc(name, function); err != nil {
			panic(err) // there is no such flag
		}
	}
}

// helpWidth is how many columns help takes at most.
const helpWidth = 96

// wrapped makes a usage template wrap the flags' descriptions.
func wrapped(template string, width int) string {
	if width <= 0 || width > helpWidth {
		width = helpWidth
	}
	return strings.ReplaceAll(template, ".FlagUsages", fmt.Sprintf(".FlagUsagesWrapped %d", width))
}

// Run runs the command line and returns the process's exit code. Whatever
// fails before a command begins is a mistake in the command line.
func Run(ctx context.Context, f *factory.Factory, args []string) exit.Code {
	root := New(f) //nolint:contextcheck // Commands take their context from cobra.
	root.SetArgs(args)
	began := false
	markBegin(root, &began)
	called, err := root.ExecuteContextC(ctx)
	if err != nil && !began {
		err = exit.Errorf(exit.Usage, "%w: see \"%s --help\"", err, strings.TrimSpace(called.CommandPath()))
	}
	return exit.Report(f.ErrOut, "sr", err)
}

func markBegin(command *cobra.Command, began *bool) {
	if run := command.RunE; run != nil {
		command.RunE = func(cmd *cobra.Command, args []string) error {
			*began = true
			return run(cmd, args)
		}
	}
	for _, child := range command.Commands() {
		markBegin(child, began)
	}
}

// Invocation returns how to call this program, and the command line, from how
// it was called: as kubectl-sr it is kubectl's plugin, and as
// kubectl_complete-sr what completes the plugin's command line.
func Invocation(path string, args []string) (program string, commandLine []string) {
	base := path[strings.LastIndexAny(path, `/\`)+1:]
	switch strings.TrimSuffix(base, ".exe") {
	case "kubectl-sr":
		return "kubectl sr", args
	case "kubectl_complete-sr":
		return "kubectl sr", append([]string{cobra.ShellCompRequestCmd}, args...)
	default:
		return "sr", args
	}
}
