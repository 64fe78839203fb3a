package e2e

import (
	"os/exec"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/controller/metrics"
	"github.com/secretreview/secretreview/test/alerts"
	"github.com/secretreview/secretreview/test/e2e/world"
)

var _ = Describe("What the manager serves to Prometheus", func() {
	It("is as Prometheus wants it, and has what alerts and dashboard ask for", func() {
		team := w.NewTeam(world.Options{Live: map[string]string{"A": w.Secret("a")}})
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).SR("approve", name, "-y")).To(end(0, "is applied"))

		served := w.Manager.Metrics()
		for _, ours := range []string{
			metrics.Changes + `{environment="production",namespace="` + team.Namespace + `",phase="Applied",project="` + team.Project + `"} 1`,
			metrics.ProposalToDecision + `_count{decision="Approved"}`, metrics.ApprovalToLive + "_count ",
			metrics.AWSRequests + `{code="ok",operation="PutSecretValue"}`,
		} {
			Expect(served).To(ContainSubstring(ours))
		}

		queries, err := alerts.Queries()
		Expect(err).NotTo(HaveOccurred())
		for place, query := range queries {
			for _, asked := range alerts.MetricsOf(query) {
				// Ours are compared with the code in test/alerts: some have no series before something goes wrong.
				if !strings.HasPrefix(asked, "secretreview_") {
					Expect(served).To(ContainSubstring("# TYPE "+asked+" "), place)
				}
			}
		}

		promtool, err := alerts.Promtool()
		Expect(err).NotTo(HaveOccurred())
		var ours strings.Builder
		for line := range strings.Lines(served) {
			if strings.Contains(line, "secretreview_") {
				ours.WriteString(line)
			}
		}
		check := exec.CommandContext(GinkgoT().Context(), promtool, "check", "metrics")
		check.Stdin = strings.NewReader(ours.String())
		out, err := check.CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(out))
		Expect(string(out)).To(BeEmpty())
	})
})
