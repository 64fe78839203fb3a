package draft

import (
	"strings"
	"unicode/utf8"

	"github.com/secretreview/secretreview/internal/cli/exit"
)

// maxReasonBytes is the CRD's limit.
const maxReasonBytes = 2048

// DryRunReason stands for the reason of a change that is not going to be stored,
// where none is given: the API server wants one.
const DryRunReason = "dry run"

// CheckReason fails with an exit.Error of Usage for a reason that the API server
// would refuse. A dry run needs none.
func CheckReason(reason string, dryRun bool) error {
	switch {
	case strings.TrimSpace(reason) == "" && !dryRun:
		return exit.Errorf(exit.Usage, "no reason is given: say with -r why it is needed, as in a commit message")
	case len(reason) > maxReasonBytes || !utf8.ValidString(reason):
		return exit.Errorf(exit.Usage, "the reason must be text of at most %d bytes: shorten it", maxReasonBytes)
	default:
		return nil
	}
}

// Reason returns the reason to put into a change.
func Reason(reason string, dryRun bool) string {
	if dryRun && strings.TrimSpace(reason) == "" {
		return DryRunReason
	}
	return reason
}
