package propose_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
)

// header is the line that pull writes.
func header(version string) string {
	return fmt.Sprintf("# secretreview: project=%s environment=%s version=%s\n", clitest.Project, clitest.Production, version)
}

var _ = Describe("propose with a file", func() {
	var scene *clitest.Scene
	var alice *clitest.Session

	BeforeEach(func() {
		scene = env.NewScene(GinkgoTB(), map[string]string{"A": "1", "B": "2"})
		alice = scene.As(clitest.Alice)
	})

	It("takes .env where nothing is named", func() {
		writeFile(alice, ".env", "A=9\nB=2\n")
		Expect(alice.Run(to()...).Code).To(Equal(exit.OK))
		Expect(clitest.Reveal(scene.StagedPatch().Set)).To(Equal(map[string]string{"A": "9"}))
	})

	It("takes standard input", func() {
		alice.Stdin = "A=9\nB=2\n"
		Expect(alice.Run(to("-f", "-")...).Code).To(Equal(exit.OK))
		Expect(clitest.Reveal(scene.StagedPatch().Set)).To(Equal(map[string]string{"A": "9"}))
	})

	It("puts --set and --unset on top of it", func() {
		writeFile(alice, "some.env", "A=9\nB=2\n")
		Expect(alice.Run(to("-f", "some.env", "--set", "C=3", "--unset", "B")...).Code).To(Equal(exit.OK))
		patch := scene.StagedPatch()
		Expect(clitest.Reveal(patch.Set)).To(Equal(map[string]string{"A": "9", "C": "3"}))
		Expect(patch.Unset).To(Equal([]string{"B"}))
	})

	Context("that lacks live keys", func() {
		BeforeEach(func() { writeFile(alice, ".env", "A=9\n") })

		It("refuses where nobody can be asked, and names them", func() {
			result := alice.Run(to()...)
			expectNothingDone(scene, result, exit.Refused)
			Expect(result.Err).To(Equal("sr: .env lacks 1 live key: remove with --prune, or add to the file: B\n"))
		})

		It("names keys like those of built-in properties", func() {
			scene.SetLive(map[string]string{"A": "1", "__proto__": "2", "constructor": "3", "toString": "4"})
			result := alice.Run(to()...)
			expectNothingDone(scene, result, exit.Refused)
			Expect(result.Err).To(ContainSubstring("__proto__, constructor, toString"))
		})

		It("removes them with --prune", func() {
			Expect(alice.Run(to("--prune")...).Code).To(Equal(exit.OK))
			Expect(scene.StagedPatch().Unset).To(Equal([]string{"B"}))
		})

		It("removes them when a person says yes", func() {
			result := alice.AtTerminal("y").Run(to()...)
			Expect(result.Code).To(Equal(exit.OK), result.Err)
			Expect(result.Questions).To(Equal([]string{".env lacks 1 live key: B. Remove?"}))
			Expect(scene.StagedPatch().Unset).To(Equal([]string{"B"}))
		})

		It("does nothing when a person says no", func() {
			expectNothingDone(scene, alice.AtTerminal("n").Run(to()...), exit.Cancelled)
		})

		It("asks even for a dry run, which would tell otherwise", func() {
			Expect(alice.Run(to("--dry-run")...).Code).To(Equal(exit.Refused))
		})
	})

	Context("that was pulled", func() {
		It("keeps what others have changed since", func() {
			base := scene.Live()
			scene.SetLive(map[string]string{"A": "1", "B": "7", "C": "new"})
			scene.Emulator.ResetCalls()
			writeFile(alice, ".env", header(base)+"A=9\nB=2\n")
			result := alice.Run(to()...)
			Expect(result.Code).To(Equal(exit.OK), result.Err)
			Expect(result.Err).To(Equal("Note: changed by others since the file was pulled, and kept as they are: B, C.\n"))
			Expect(clitest.Reveal(scene.StagedPatch().Set)).To(Equal(map[string]string{"A": "9"}))
			Expect(string(scene.Changes()[0].Spec.BaseVersionID)).To(Equal(scene.Live()))
		})

		It("refuses where others have changed the same key, and names it", func() {
			base := scene.Live()
			scene.SetLive(map[string]string{"A": "canary-live", "B": "2"})
			writeFile(alice, ".env", header(base)+"A=canary-mine\nB=2\n")
			result := alice.Run(to()...)
			expectNothingDone(scene, result, exit.Conflict)
			Expect(result.Err).To(ContainSubstring("somebody else have changed A since"))
			Expect(result.Err).NotTo(ContainSubstring("canary"))
		})

		It("reads one version only while it is still live", func() {
			writeFile(alice, ".env", header(scene.Live())+"A=9\nB=2\n")
			scene.Emulator.ResetCalls()
			Expect(alice.Run(to()...).Code).To(Equal(exit.OK))
			Expect(scene.Operations()).To(Equal([]string{"GetSecretValue", "CreateSecret"}))
		})

		It("refuses where AWS no longer has that version", func() {
			writeFile(alice, ".env", header("11111111-2222-3333-4444-555555555555")+"A=9\nB=2\n")
			result := alice.Run(to()...)
			expectNothingDone(scene, result, exit.Conflict)
			Expect(result.Err).To(ContainSubstring("AWS no longer has"))
		})

		DescribeTable("refuses a file of another environment", func(from, instead string) {
			writeFile(alice, ".env", strings.Replace(header(scene.Live()), from, instead, 1)+"A=9\nB=2\n")
			scene.Emulator.ResetCalls()
			result := alice.Run(to()...)
			expectNothingDone(scene, result, exit.Refused)
			Expect(result.Err).To(ContainSubstring("was pulled from"))
			Expect(scene.Operations()).To(BeEmpty())
		},
			Entry("of this project", "production", "staging"),
			Entry("of another project", "backend-api", "frontend"),
		)
	})

	DescribeTable("refuses a file that it cannot read, and never quotes it", func(content, want string) {
		writeFile(alice, ".env", content)
		result := alice.Run(to()...)
		expectNothingDone(scene, result, exit.Failure)
		Expect(result.Err).To(ContainSubstring(want))
		Expect(result.Err).NotTo(ContainSubstring("canary"))
		Expect(scene.Operations()).To(BeEmpty())
	},
		Entry("no assignment", "A=9\ncanary\n", ".env, line 2: "),
		Entry("an open quote", "A=\"canary\n", ".env, line 1: "),
		Entry("a key twice", "A=canary\nA=canary\n", ".env, line 2: key \"A\""),
		Entry("a malformed header", "# secretreview: version=canary\n", ".env, line 1: "),
	)

	It("says that there is no file", func() {
		result := alice.Run(to("-f", "none.env")...)
		expectNothingDone(scene, result, exit.Usage)
		Expect(result.Err).To(ContainSubstring("there is no file none.env"))
	})

	It("keeps keys that no file can carry, and says so", func() {
		scene.SetLive(map[string]string{"A": "1", "B": "2", "not a\x1bkey": "3"})
		writeFile(alice, ".env", "A=9\nB=2\n")
		result := alice.Run(to()...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Err).To(Equal(`Note: cannot stand in a file, and kept as they are: "not a\x1bkey".` + "\n"))
		Expect(scene.StagedPatch().Keys()).To(Equal([]string{"A"}))
	})
})
