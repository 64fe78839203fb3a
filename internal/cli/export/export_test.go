package export_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/test/suite"
)

var env *clitest.Env

func TestExport(t *testing.T) {
	suite.Run(t, "sr export")
}

var _ = BeforeSuite(func() { env = clitest.Start(GinkgoTB()) })

func as(format string, args ...string) []string {
	return append([]string{"export", "-p", clitest.Project, "-e", clitest.Production, "--format", format}, args...)
}

var _ = Describe("export", func() {
	var scene *clitest.Scene
	var alice *clitest.Session
	var version string

	BeforeEach(func() {
		scene = env.NewScene(GinkgoTB(), map[string]string{"A": "1", "LINES": "x\ny"})
		alice = scene.As(clitest.Alice)
		version = scene.Live()
		scene.Emulator.ResetCalls()
	})

	path := func(name string) string { return filepath.Join(alice.Dir, name) }
	write := func(name, content string, mode fs.FileMode) {
		GinkgoHelper()
		Expect(os.WriteFile(path(name), []byte(content), mode)).To(Succeed())
	}
	read := func(name string) string {
		GinkgoHelper()
		content, err := os.ReadFile(path(name))
		Expect(err).NotTo(HaveOccurred())
		return string(content)
	}
	expectRefused := func(result clitest.Result, code exit.Code, want string) {
		GinkgoHelper()
		Expect(result.Code).To(Equal(code), result.Err)
		Expect(result.Out).To(BeEmpty())
		Expect(result.Err).To(And(MatchRegexp(`\Asr: [^\n]+\n\z`), ContainSubstring(want), Not(ContainSubstring("canary"))))
	}

	It("prints to a pipe, by one call to AWS", func() {
		result := alice.Run(as("json")...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Out).To(MatchJSON(`{"A": "1", "LINES": "x\ny"}`))
		Expect(result.Err).To(BeEmpty())
		Expect(scene.Operations()).To(Equal([]string{"GetSecretValue"}))
	})

	It("needs no cluster where region and prefix are known", func() {
		alice.KubeContext = "nowhere"
		result := alice.Run(as("shell", "--region", "us-east-1", "--prefix", "secret-review/")...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Out).To(Equal("export A='1'\nexport LINES='x\ny'\n"))
	})

	It("writes a file for its owner alone", func() {
		result := alice.Run(as("yaml", "-f", "out.yaml")...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Out).To(BeEmpty())
		Expect(result.Err).To(Equal("Wrote 2 keys of backend-api/production to out.yaml (version " + version + ")\n"))
		Expect(read("out.yaml")).To(Equal("\"A\": \"1\"\n\"LINES\": \"x\\ny\"\n"))
		Expect(os.Stat(path("out.yaml"))).To(HaveField("Mode()", fs.FileMode(0o600)))

		By("again, over the same")
		Expect(alice.Run(as("yaml", "-f", "out.yaml")...).Code).To(Equal(exit.OK))
	})

	Context("over a file that holds something else", func() {
		BeforeEach(func() { write("out", "canary", 0o644) })

		It("refuses where nobody can be asked", func() {
			expectRefused(alice.Run(as("json", "-f", "out")...), exit.Refused, "out is there already")
			Expect(read("out")).To(Equal("canary"))
		})

		It("asks a person", func() {
			result := alice.AtTerminal("n").Run(as("json", "-f", "out")...)
			expectRefused(result, exit.Cancelled, "stays as it is")
			Expect(result.Questions).To(Equal([]string{"out is there already and holds something else. Overwrite it?"}))
			Expect(alice.AtTerminal("y").Run(as("json", "-f", "out")...).Code).To(Equal(exit.OK))
			Expect(read("out")).To(ContainSubstring(`"A": "1"`))
		})

		It("overwrites with -y, and takes its mode from nobody", func() {
			Expect(alice.Run(as("json", "-f", "out", "-y")...).Code).To(Equal(exit.OK))
			Expect(os.Stat(path("out"))).To(HaveField("Mode()", fs.FileMode(0o600)))
		})
	})

	It("names what the format cannot hold, and leaves it out if that is wanted", func() {
		scene.SetLive(map[string]string{"A": "1", "LINES": "canary\ncanary", "a.b": "canary"})
		expectRefused(alice.Run(as("docker")...), exit.Refused, "docker cannot hold LINES (a value must be one line)")
		expectRefused(alice.Run(as("shell")...), exit.Refused, "shell cannot hold a.b (")
		result := alice.Run(as("docker", "--skip")...)
		Expect(result.Code).To(Equal(exit.OK))
		Expect(result.Out).To(Equal("A=1\na.b=canary\n"))
		Expect(result.Err).To(Equal("Warning: left out: LINES (a value must be one line).\n"))
	})

	Context("on a terminal", func() {
		BeforeEach(func() { alice.AtTerminal() })

		It("shows values only when asked", func() {
			expectRefused(alice.Run(as("json")...), exit.Usage, "this would show all values on the terminal")
			Expect(scene.Operations()).To(BeEmpty())
			Expect(alice.Run(as("json", "-f", "-")...).Out).To(ContainSubstring(`"A": "1"`))
		})

		It("does not let a value or a key repaint the screen", func() {
			scene.SetLive(map[string]string{"A": "canary\x1b[2J", "\u202e": "x"})
			expectRefused(alice.Run(as("yaml", "-f", "-")...), exit.Refused, `A, "\u202e" as they are`)
			result := alice.Run(as("json", "-f", "-")...)
			Expect(result.Code).To(Equal(exit.OK), result.Err)
			Expect(result.Out).To(And(MatchJSON(`{"A": "canary\u001b[2J", "\u202e": "x"}`), Not(ContainSubstring("\x1b")), Not(ContainSubstring("\u202e"))))
		})
	})

	Context("for a job of GitHub Actions", func() {
		BeforeEach(func() {
			write("env", "BEFORE=1", 0o644)
			alice.Vars = map[string]string{"GITHUB_ENV": path("env")}
		})

		It("hides each line in the log, and adds to the runner's file", func() {
			result := alice.Run(as("github")...)
			Expect(result.Code).To(Equal(exit.OK), result.Err)
			Expect(result.Out).To(Equal("::add-mask::1\n::add-mask::x\n::add-mask::y\n"))
			Expect(result.Err).To(ContainSubstring("Wrote 2 keys of backend-api/production"))
			Expect(read("env")).To(MatchRegexp(`\ABEFORE=1\nA<<(sr_[0-9a-f]{32})\n1\n(sr_[0-9a-f]{32})\nLINES<<(sr_[0-9a-f]{32})\nx\ny\n(sr_[0-9a-f]{32})\n\z`))
		})

		It("takes another file, and never standard output", func() {
			Expect(alice.Run(as("github", "-f", "new")...).Code).To(Equal(exit.OK))
			Expect(read("new")).To(HavePrefix("A<<"))
			Expect(read("env")).To(Equal("BEFORE=1"))
			expectRefused(alice.Run(as("github", "-f", "-")...), exit.Usage, "runner's log")
			alice.Vars = nil
			expectRefused(alice.Run(as("github")...), exit.Usage, "$GITHUB_ENV is not set")
		})

		It("refuses to have the commands for the runner go into a file", func() {
			out, err := os.Create(path("log"))
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(out.Close)
			alice.Alter = func(f *factory.Factory) { f.Out = out }
			expectRefused(alice.Run(as("github")...), exit.Refused, "would not hide the values")
			Expect(read("log")).To(BeEmpty())
			Expect(read("env")).To(Equal("BEFORE=1"))
		})

		It("is not for a terminal", func() {
			expectRefused(alice.AtTerminal().Run(as("github")...), exit.Usage, "where no runner hides them")
			Expect(scene.Operations()).To(BeEmpty())
		})

		It("refuses variables of the runner's own", func() {
			scene.SetLive(map[string]string{"GITHUB_TOKEN": "canary"})
			expectRefused(alice.Run(as("github")...), exit.Refused, "github cannot hold GITHUB_TOKEN")
			Expect(read("env")).To(Equal("BEFORE=1"))
		})
	})

	DescribeTable("refuses what makes no sense, before anything is read", func(code exit.Code, want, format string, args ...string) {
		Expect(os.Symlink("aim", path("link"))).To(Succeed())
		expectRefused(alice.Run(as(format, args...)...), code, want)
		Expect(scene.Operations()).To(BeEmpty())
	},
		Entry("an unknown format", exit.Usage, "choose dotenv, json", "xml"),
		Entry("no format", exit.Usage, "no format is given", ""),
		Entry("a directory", exit.Usage, "is a directory: name a file in it with -f", "json", "-f", "."),
		Entry("a symbolic link", exit.Refused, "symbolic link", "json", "-f", "link"),
		Entry("a link for GitHub", exit.Refused, "symbolic link", "github", "-f", "link"),
		Entry("no such directory", exit.Usage, "there is no directory", "json", "-f", "none/out"),
	)
})
