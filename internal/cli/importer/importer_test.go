package importer_test

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/test/suite"
)

var env *clitest.Env

func TestImport(t *testing.T) {
	suite.Run(t, "sr import")
}

var _ = BeforeSuite(func() { env = clitest.Start(GinkgoTB()) })

func of(format string, args ...string) []string {
	return append([]string{"import", "-p", clitest.Project, "-e", clitest.Production, "-r", "because", "--format", format}, args...)
}

var _ = Describe("import", func() {
	var scene *clitest.Scene
	var alice *clitest.Session

	BeforeEach(func() {
		scene = env.NewScene(GinkgoTB(), map[string]string{"A": "1", "B": "2"})
		alice = scene.As(clitest.Alice)
	})

	write := func(name, content string) {
		GinkgoHelper()
		Expect(os.WriteFile(filepath.Join(alice.Dir, name), []byte(content), 0o600)).To(Succeed())
	}
	expectNothingDone := func(result clitest.Result, code exit.Code, want string) {
		GinkgoHelper()
		Expect(result.Code).To(Equal(code), result.Err)
		Expect(result.Out).To(BeEmpty())
		Expect(result.Err).To(And(MatchRegexp(`\Asr: [^\n]+\n\z`), ContainSubstring(want), Not(ContainSubstring("canary"))))
		Expect(scene.Changes()).To(BeEmpty())
		Expect(scene.Staged()).To(BeEmpty())
	}

	DescribeTable("adds and changes keys, and leaves the others", func(format, content string) {
		write("file", content)
		result := alice.Run(of(format, "-f", "file")...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		patch := scene.StagedPatch()
		Expect(clitest.Reveal(patch.Set)).To(Equal(map[string]string{"B": "it's 9", "C": "new"}))
		Expect(patch.Unset).To(BeEmpty())
	},
		Entry("from dotenv", "dotenv", "B=\"it's 9\"\nC=new\n"),
		Entry("from json", "json", `{"B": "it's 9", "C": "new"}`),
		Entry("from yaml", "yaml", "B: it's 9\nC: new\n"),
		Entry("from docker", "docker", "B=it's 9\nC=new\n"),
	)

	It("takes the whole wanted state with --prune", func() {
		alice.Stdin = `{"B": "9"}`
		Expect(alice.Run(of("json", "--prune")...).Code).To(Equal(exit.OK))
		Expect(scene.StagedPatch().Unset).To(Equal([]string{"A"}))
	})

	It("proposes what export has written, which changes nothing", func() {
		scene.SetLive(map[string]string{"A": "yes", "B": "x\ny", "C": "12:30", "D": "\x1b 'q' \"q\" \\n"})
		for _, format := range []string{"dotenv", "json", "yaml"} {
			alice.Stdin = alice.Run("export", "-p", clitest.Project, "-e", clitest.Production, "--format", format).Out
			result := alice.Run(of(format, "--prune")...)
			Expect(result.Code).To(Equal(exit.OK), result.Err)
			Expect(result.Out).To(ContainSubstring("No changes"))
		}
	})

	It("keeps what others have changed since a file was pulled", func() {
		header := "# secretreview: project=backend-api environment=production version=" + scene.Live() + "\n"
		scene.SetLive(map[string]string{"A": "theirs", "B": "2"})
		write("file", header+"A=1\nB=9\n")
		Expect(alice.Run(of("dotenv", "-f", "file")...).Code).To(Equal(exit.OK))
		Expect(clitest.Reveal(scene.StagedPatch().Set)).To(Equal(map[string]string{"B": "9"}))
	})

	DescribeTable("refuses what it would have to guess, and never quotes it", func(format, content string, code exit.Code, want string) {
		write("file", content)
		expectNothingDone(alice.Run(of(format, "-f", "file")...), code, want)
		Expect(scene.Operations()).To(BeEmpty())
	},
		Entry("a number", "json", `{"PORT": 1, "A": "canary"}`, exit.Failure, `file, key "PORT": its value is not a string; only one object of strings is taken`),
		Entry("an object", "yaml", "A:\n  B: canary\n", exit.Failure, `file, line 2, key "A": its value is not a string; put it in quotes`),
		Entry("a file that is none", "json", "canary", exit.Failure, "file, document: it is not JSON"),
		Entry("a format that is only written", "shell", "export A='canary'\n", exit.Usage, "choose dotenv, json, yaml, docker"),
		Entry("no format", "", "A=canary\n", exit.Usage, "no format is given"),
	)

	It("refuses a key that no file could carry back", func() {
		alice.Stdin = `{"a b": "canary"}`
		expectNothingDone(alice.Run(of("json")...), exit.Refused, `key "a b"`)
	})

	It("needs a file or a pipe", func() {
		expectNothingDone(alice.AtTerminal().Run(of("json")...), exit.Usage, "no file is given")
		expectNothingDone(alice.Run(of("json", "-f", "none")...), exit.Usage, "there is no file none")
		expectNothingDone(alice.Run(of("json", "-f", ".")...), exit.Failure, "is a directory")
	})
})
