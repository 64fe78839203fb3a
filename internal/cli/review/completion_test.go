package review_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
)

// A shell asks by "sr __complete WORD..." what the last word may become.
var _ = Describe("completion", func() {
	const files = ":0"
	var scene *clitest.Scene

	BeforeEach(func() {
		scene = env.NewScene(GinkgoTB(), map[string]string{"DB": oldValue})
		record(scene, "pending", clitest.Project, clitest.Production, v1alpha1.PhasePending)
		record(scene, "conflicted", clitest.Project, clitest.Production, v1alpha1.PhaseConflicted)
		record(scene, "applied", clitest.Project, clitest.Production, v1alpha1.PhaseApplied)
		record(scene, "elsewhere", clitest.Project, "dev", v1alpha1.PhasePending)
		scene.UpdateProject(func(p *v1alpha1.SecretProject) {
			p.Status.Environments[0].Versions = []v1alpha1.RestorableVersion{{VersionID: newVersion, Change: "applied"}}
		})
	})

	DescribeTable("offers", func(line string, want ...string) {
		result := scene.As(clitest.Bob).Run(append([]string{"__complete"}, strings.Split(line, " ")...)...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		var offers []string
		for _, offer := range strings.Split(strings.TrimSpace(result.Out), "\n") {
			word, _, _ := strings.Cut(offer, "\t")
			if !strings.HasPrefix(word, ":") || word == files {
				offers = append(offers, word)
			}
		}
		Expect(offers).To(ConsistOf(want))
	},
		Entry("unfinished changes to approve", "approve ", "pending", "elsewhere"),
		Entry("those of the environment that is given", "approve -e production ", "pending"),
		Entry("those of the project that is given", "reject -p backend-api ", "pending", "elsewhere"),
		Entry("the same for --id", "review --id ", "pending", "elsewhere"),
		Entry("what can be rebased", "rebase ", "pending", "conflicted", "elsewhere"),
		Entry("what can be undone", "rollback ", "applied"),
		Entry("versions and changes to go back to", "restore -p backend-api -e production --to ", "applied", newVersion),
		Entry("projects", "pull -p ", clitest.Project),
		Entry("environments of the project", "pull -p backend-api -e ", clitest.Production),
		Entry("phases", "history --status ", "New", "Pending", "Approved", "Applied", "Rejected", "Conflicted", "Expired", "Invalid"),
		Entry("formats", "status -o ", "wide", "name", "json", "yaml", "jsonpath=", "go-template="),
		Entry("files where a file is meant", "propose -f ", files),
		Entry("nothing for a reason", "propose -r "),
		Entry("nothing where the project is not there", "approve -p nosuch "),
	)
})
