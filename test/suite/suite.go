// Package suite runs a package's ginkgo specs.
package suite

import (
	"fmt"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
)

// maxMessage is how much of a failure's message is repeated, in bytes.
const maxMessage = 400

// Run runs the specs. At the end it repeats, a line each, how the failed ones failed: a log of which only the end
// is at hand tells as much.
func Run(t *testing.T, description string) {
	t.Helper()
	gomega.RegisterFailHandler(ginkgo.Fail)
	ginkgo.ReportAfterSuite("what failed", func(report ginkgo.Report) { fmt.Print(failures(report)) })
	ginkgo.RunSpecs(t, description)
}

func failures(report ginkgo.Report) string {
	var text strings.Builder
	for _, spec := range report.SpecReports {
		if !spec.Failed() {
			continue
		}
		message := strings.Join(strings.Fields(spec.Failure.Message), " ")
		if len(message) > maxMessage {
			message = strings.ToValidUTF8(message[:maxMessage], "") + " …"
		}
		fmt.Fprintf(&text, "\nFAILED: %s (%s): %s", spec.FullText(), spec.Failure.Location, message)
	}
	if text.Len() > 0 {
		text.WriteString("\n")
	}
	return text.String()
}
