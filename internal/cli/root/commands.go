package root

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/internal/cli/approve"
	"github.com/secretreview/secretreview/internal/cli/audit"
	"github.com/secretreview/secretreview/internal/cli/check"
	"github.com/secretreview/secretreview/internal/cli/configure"
	"github.com/secretreview/secretreview/internal/cli/diff"
	"github.com/secretreview/secretreview/internal/cli/edit"
	"github.com/secretreview/secretreview/internal/cli/export"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/generate"
	"github.com/secretreview/secretreview/internal/cli/history"
	"github.com/secretreview/secretreview/internal/cli/importer"
	"github.com/secretreview/secretreview/internal/cli/initialize"
	"github.com/secretreview/secretreview/internal/cli/login"
	"github.com/secretreview/secretreview/internal/cli/propose"
	"github.com/secretreview/secretreview/internal/cli/pull"
	"github.com/secretreview/secretreview/internal/cli/rebase"
	"github.com/secretreview/secretreview/internal/cli/reject"
	"github.com/secretreview/secretreview/internal/cli/restore"
	"github.com/secretreview/secretreview/internal/cli/review"
	"github.com/secretreview/secretreview/internal/cli/rollback"
	"github.com/secretreview/secretreview/internal/cli/run"
	"github.com/secretreview/secretreview/internal/cli/set"
	"github.com/secretreview/secretreview/internal/cli/status"
	"github.com/secretreview/secretreview/internal/cli/unset"
	"github.com/secretreview/secretreview/internal/cli/versions"
	"github.com/secretreview/secretreview/internal/cli/watch"
)

// task is what a person wants to do, and the commands for it in the order in
// which help shows them.
type task struct {
	title    string
	commands []func(*factory.Factory) *cobra.Command
}

var tasks = []task{
	{"Propose a change", []func(*factory.Factory) *cobra.Command{
		propose.New, set.New, unset.New, edit.New, generate.New, importer.New, rebase.New,
	}},
	{"Review it", []func(*factory.Factory) *cobra.Command{review.New, approve.New, reject.New, check.New}},
	{"Undo it", []func(*factory.Factory) *cobra.Command{rollback.New, restore.New, versions.New}},
	{"See where things stand", []func(*factory.Factory) *cobra.Command{status.New, watch.New, history.New, audit.New}},
	{"Use what is live", []func(*factory.Factory) *cobra.Command{pull.New, run.New, export.New, diff.New}},
	{"Set up", []func(*factory.Factory) *cobra.Command{initialize.New, configure.New, login.New}},
}

func init() {
	cobra.EnableCommandSorting = false // tasks have their order
}

// addCommands adds all commands to the root, grouped by task.
func addCommands(root *cobra.Command, f *factory.Factory) {
	for _, t := range tasks {
		root.AddGroup(&cobra.Group{ID: t.title, Title: t.title + ":"})
		for _, newCommand := range t.commands {
			command := newCommand(f)
			command.GroupID = t.title
			root.AddCommand(command)
		}
	}
	root.AddCommand(edit.NewGuard(f))
	const other = "Other commands"
	root.AddGroup(&cobra.Group{ID: other, Title: other + ":"})
	root.SetHelpCommandGroupID(other)
	root.SetCompletionCommandGroupID(other)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd("help") // with an argument, as cobra leaves it out for a program that has only this command
	for _, command := range root.Commands() {
		if command.Name() == "help" {
			command.Args = existing
		}
	}
}

// existing is a cobra.PositionalArgs for commands that are there.
func existing(command *cobra.Command, args []string) error {
	if _, rest, err := command.Root().Find(args); err != nil || len(rest) > 0 {
		return fmt.Errorf("there is no command %q", strings.Join(args, " "))
	}
	return nil
}
