// Package suite runs a package's ginkgo specs.
package suite

import (
	"fmt"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/onsi/gomega"

	"github.com/secretreview/secretreview/test/cluster"
)

// maxMessage is how much of a failure's message is repeated, in bytes.
const maxMessage = 400

// Run runs the specs. At the end it repeats, a line each, how the failed ones failed: a log of which only the end
// is at hand tells as much.
func Run(t *testing.T, description string) {
	t.Helper()
	config, _ := ginkgo.GinkgoConfiguration()
	run(t, description, config)
}

func run(t *testing.T, description string, config types.SuiteConfig) {
	t.Helper()
	gomega.RegisterFailHandler(ginkgo.Fail)
	ginkgo.ReportAfterSuite("what failed", func(report ginkgo.Report) { fmt.Print(failures(report)) })
	ginkgo.RunSpecs(t, description, config)
}

// attempts is how often a spec is tried in which the API server has died.
const attempts = 3

// RunWithPolicies is Run for specs that write admission policies, of which the API server of some
// releases of Kubernetes may die by a fault of its own. A spec in which it did is tried again, and no other.
func RunWithPolicies(t *testing.T, description string, server func() *cluster.Cluster) {
	t.Helper()
	if binaries, err := cluster.FindBinaries(""); err != nil || !binaries.MayDieOfPolicies() {
		Run(t, description)
		return
	}
	var failed []string
	ginkgo.AfterEach(func(ctx ginkgo.SpecContext) {
		revived, err := server().Revive(ctx)
		gomega.Expect(err).NotTo(gomega.HaveOccurred())
		spec := ginkgo.CurrentSpecReport()
		if revived {
			fmt.Printf("\nREPORT: the API server died of a fault of its own, and was started again: %s\n", spec.FullText())
		} else if spec.Failed() {
			failed = append(failed, spec.FullText())
		}
	})
	ginkgo.AfterSuite(func() { gomega.Expect(failed).To(gomega.BeEmpty(), "failed, whatever came of a later attempt") })
	config, _ := ginkgo.GinkgoConfiguration()
	config.FlakeAttempts = attempts
	run(t, description, config)
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
