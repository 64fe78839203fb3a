package root

import (
	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/internal/cli/approve"
	"github.com/secretreview/secretreview/internal/cli/diff"
	"github.com/secretreview/secretreview/internal/cli/edit"
	"github.com/secretreview/secretreview/internal/cli/export"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/generate"
	"github.com/secretreview/secretreview/internal/cli/history"
	"github.com/secretreview/secretreview/internal/cli/importer"
	"github.com/secretreview/secretreview/internal/cli/propose"
	"github.com/secretreview/secretreview/internal/cli/pull"
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

// commands lists all commands in the order in which help shows them.
func commands(f *factory.Factory) []*cobra.Command {
	return []*cobra.Command{
		propose.New(f),
		set.New(f),
		unset.New(f),
		generate.New(f),
		edit.New(f),
		importer.New(f),
		review.New(f),
		approve.New(f),
		reject.New(f),
		pull.New(f),
		diff.New(f),
		run.New(f),
		export.New(f),
		rollback.New(f),
		restore.New(f),
		status.New(f),
		watch.New(f),
		history.New(f),
		versions.New(f),
		edit.NewGuard(f),
	}
}
