// Package root is the command that all others hang from, and how a run ends.
package root

import (
	"context"
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
	f.AddFlags(root.PersistentFlags())
	addCommands(root, f)
	fit(root, f.Terminal.Width)
	complete(root, flagCompletions(f))
	return root
}

// Run runs the command line and returns the process's exit code. Whatever
// fails before a command begins is a mistake in the command line.
func Run(ctx context.Context, f *factory.Factory, args []string) exit.Code {
	root := New(f)
	root.SetArgs(append([]string{}, args...)) // cobra takes nil for os.Args
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
	base := strings.TrimSuffix(path[strings.LastIndexAny(path, `/\`)+1:], ".exe")
	if name, ok := strings.CutPrefix(base, "kubectl-"); ok {
		return pluginName(name), args
	}
	if name, ok := strings.CutPrefix(base, "kubectl_complete-"); ok {
		return pluginName(name), append([]string{cobra.ShellCompRequestCmd}, args...)
	}
	return "sr", args
}

// pluginName is how to call a plugin: kubectl finds "a-b" as kubectl-a_b.
func pluginName(name string) string { return "kubectl " + strings.ReplaceAll(name, "_", "-") }
