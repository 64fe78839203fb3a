package pull_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/naming"
)

// What diff compares is what pull has written.
var _ = Describe("diff", func() {
	const marked = "MARKED-VALUE"
	var scene *clitest.Scene
	var alice *clitest.Session

	BeforeEach(func() {
		scene = env.NewScene(GinkgoTB(), map[string]string{"A": marked + "-1", "B": "2", "odd key": "x"})
		alice = scene.As(clitest.Alice)
		scene.Emulator.ResetCalls()
	})
	diff := func(args ...string) []string {
		return append([]string{"diff", "-p", clitest.Project, "-e", clitest.Production}, args...)
	}

	It("finds nothing in a file that was just pulled", func() {
		Expect(alice.Run(from()...).Code).To(Equal(exit.OK))
		scene.Emulator.ResetCalls()
		result := alice.Run(diff()...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Out).To(BeEmpty())
		Expect(scene.Operations()).To(Equal([]string{"GetSecretValue"}))
	})

	It("shows what a file adds, changes and lacks, with values only where they are asked for", func() {
		write(alice, "my.env", "A="+marked+"-2\nNEW=n\n", 0o600)
		result := alice.Run(diff("-f", "my.env")...)
		Expect(result.Code).To(Equal(exit.Failure))
		Expect(result.Err).To(BeEmpty())
		Expect(result.Out).To(Equal("  ~ A\n  - B\n  + NEW\n"))
		revealed := alice.Run(diff("-f", "my.env", "--reveal")...)
		Expect(revealed.Out).To(HavePrefix("  ~ A\n      - " + marked + "-1\n      + " + marked + "-2\n"))
		terminal := alice.AtTerminal().Run(diff("-f", "my.env")...)
		Expect(terminal.Out).NotTo(ContainSubstring(marked))
	})

	It("compares two environments, without a cluster where region and prefix are known", func() {
		scene.CreateLive(clitest.Project, "other", map[string]string{"A": marked + "-1", "C": "3"})
		scene.Emulator.ResetCalls()
		alice.KubeContext = "none"
		result := alice.Run("diff", "-p", clitest.Project, "--region", "us-east-1", "--prefix", naming.DefaultPrefix, clitest.Production, "other")
		Expect(result.Code).To(Equal(exit.Failure), result.Err)
		Expect(result.Out).To(Equal("  - B\n  + C\n  - odd key\n"))
		Expect(scene.Operations()).To(Equal([]string{"GetSecretValue", "GetSecretValue"}))
	})

	It("says what cannot be compared, by a code above 1", func() {
		write(alice, "bad.env", "A="+marked+"\n=x\n", 0o600)
		for says, args := range map[string][]string{
			"there is no file .env":          diff(),
			"bad.env, line 2":                diff("-f", "bad.env"),
			"it takes two environments":      diff("one"),
			"three environments are given":   diff("one", "two"),
			"two environments and a file":    diff("one", "two", "-f", "bad.env"),
			"has no environment \"nowhere\"": {"diff", "-p", clitest.Project, "nowhere", clitest.Production},
		} {
			result := alice.Run(args...)
			Expect(result.Code).To(BeNumerically(">", 1), "%v", args)
			Expect(result.Err).To(And(ContainSubstring(says), Not(ContainSubstring(marked))))
		}
	})
})
