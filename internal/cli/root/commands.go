package root

import (
	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/internal/cli/factory"
)

// commands lists all commands in the order in which help shows them.
func commands(_ *factory.Factory) []*cobra.Command {
	return []*cobra.Command{}
}
