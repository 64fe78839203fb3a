package root

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/selector"
)

// flagCompletions are how flags are completed that several commands have. A
// command may know better.
func flagCompletions(f *factory.Factory) map[string]cobra.CompletionFunc {
	return map[string]cobra.CompletionFunc{
		"project": f.CompleteProjects,
		"env":     f.CompleteEnvironments,
		"context": f.CompleteContexts,
		"status":  selector.CompletePhases,
	}
}

// files are flags whose values are files, which a shell completes by itself.
var files = map[string]bool{"file": true, "output": true, "kubeconfig": true}

// idFlag names a change, as the argument of its command does.
const idFlag = "id"

// complete lets a shell complete the flags of a command and of all below it. It
// offers no files where none are meant.
func complete(command *cobra.Command, flags map[string]cobra.CompletionFunc) {
	command.LocalFlags().VisitAll(func(flag *pflag.Flag) {
		if _, known := command.GetFlagCompletionFunc(flag.Name); known || flag.NoOptDefVal != "" {
			return
		}
		function := flags[flag.Name]
		switch {
		case function != nil:
		case flag.Name == idFlag && command.ValidArgsFunction != nil:
			function = command.ValidArgsFunction
		case files[flag.Name]:
			return
		default:
			function = cobra.NoFileCompletions
		}
		if err := command.RegisterFlagCompletionFunc(flag.Name, function); err != nil {
			panic(err) // there is no such flag
		}
	})
	for _, child := range command.Commands() {
		complete(child, flags)
	}
}
