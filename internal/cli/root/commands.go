package root

import (
	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/propose"
	"github.com/secretreview/secretreview/internal/cli/pull"
)

// commands lists all commands in the order in which help shows them.
func commands(f *factory.Factory) []*cobra.Command {
	return []*cobra.Command{
		propose.New(f),
		pull.New(f),
	}
}
