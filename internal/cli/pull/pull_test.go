package pull_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

var _ = Describe("pull", func() {
	var scene *clitest.Scene
	var alice *clitest.Session

	BeforeEach(func() {
		scene = env.NewScene(GinkgoTB(), map[string]string{"A": "1", "B": "two words"})
		alice = scene.As(clitest.Alice)
	})

	It("writes .env for its owner alone, headed by what it is a copy of", func() {
		version := scene.Live()
		scene.Emulator.ResetCalls()
		result := alice.Run(from()...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Err).To(BeEmpty())
		Expect(result.Out).To(Equal("Wrote 2 keys of backend-api/production to .env (version " + version + ")\n"))
		Expect(read(alice, ".env")).To(Equal(header(version) + "A=1\nB='two words'\n"))
		Expect(files(alice)).To(Equal(map[string]fs.FileMode{".env": 0o600}))
		Expect(scene.Operations()).To(Equal([]string{"GetSecretValue"}))
	})

	It("brings every value through, so that proposing it changes nothing", func() {
		scene.SetLive(map[string]string{
			"BACKSLASH": `C:\new\table\\`, "DOLLAR": "$HOME ${PATH} $$", "QUOTES": `it's "quoted" ` + "`x`", "LINES": "-----BEGIN-----\nx\n-----END-----\n",
			"CR": "a\r\nb\rc", "NUL": "a\x00b", "ESC": "\x1b[2Jx", "EMPTY": "", "SPACES": "  x  ", "HASH": "a#b #c", "EQUALS": "a=b", "UNICODE": "grün 🔑 \u202e",
			"EXPORT": "export X=1", "HTML": "<&>", "PERCENT": "%s", "NEWLINE": "\n", "__proto__": "x", "constructor": "y",
		})
		Expect(alice.Run(from()...).Code).To(Equal(exit.OK))
		result := alice.Run("propose", "-p", clitest.Project, "-e", clitest.Production, "-r", "because")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Out).To(ContainSubstring("No changes"))
		Expect(scene.Changes()).To(BeEmpty())
	})

	It("takes the file's mode from nobody", func() {
		write(alice, ".env", "", 0o644)
		result := alice.Run(from()...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(files(alice)).To(Equal(map[string]fs.FileMode{".env": 0o600}))
		Expect(result.Err).To(Equal("Note: .env could be read or written by others (mode 0644); now it is yours alone (mode 0600).\n"))
	})

	DescribeTable("writes only where a file is its own", func(prepare func(dir string), output string, code exit.Code, want string) {
		prepare(alice.Dir)
		before := files(alice)
		result := alice.Run(from("-o", output)...)
		expectFailure(result, code)
		Expect(result.Err).To(ContainSubstring(want))
		Expect(files(alice)).To(Equal(before))
		Expect(scene.Operations()).To(BeEmpty())
	},
		Entry("not through a symbolic link", func(dir string) {
			Expect(os.WriteFile(filepath.Join(dir, "aim"), []byte("old"), 0o600)).To(Succeed())
			Expect(os.Symlink("aim", filepath.Join(dir, ".env"))).To(Succeed())
		}, ".env", exit.Refused, "is a symbolic link"),
		Entry("not through one that leads nowhere", func(dir string) {
			Expect(os.Symlink("nowhere", filepath.Join(dir, ".env"))).To(Succeed())
		}, ".env", exit.Refused, "is a symbolic link"),
		Entry("not into a directory", func(dir string) {
			Expect(os.Mkdir(filepath.Join(dir, "some"), 0o700)).To(Succeed())
		}, "some", exit.Usage, "some is a directory"),
		Entry("not into a directory that is not there", func(string) {}, "none/.env", exit.Usage, "there is no directory for none/.env"),
		Entry("not into a device", func(string) {}, "/dev/null", exit.Refused, "not a regular file"),
	)

	Context("over a file", func() {
		It("replaces one that was not edited, by a newer version", func() {
			Expect(alice.Run(from()...).Code).To(Equal(exit.OK))
			version := scene.SetLive(map[string]string{"A": "7"})
			Expect(alice.Run(from()...).Code).To(Equal(exit.OK))
			Expect(read(alice, ".env")).To(Equal(header(version) + "A=7\n"))
		})

		edit := func() string {
			GinkgoHelper()
			edited := header(scene.Live()) + "A=canary\nB='two words'\nMINE=canary\n"
			write(alice, ".env", edited, 0o600)
			return edited
		}

		It("refuses to lose an edit, and names the keys", func() {
			edited := edit()
			result := alice.Run(from()...)
			expectFailure(result, exit.Refused)
			Expect(result.Err).To(ContainSubstring(".env has edits that are not live (A, MINE)"))
			Expect(result.Err).NotTo(ContainSubstring("canary"))
			Expect(read(alice, ".env")).To(Equal(edited))
		})

		It("asks a person", func() {
			edited := edit()
			result := alice.AtTerminal("n").Run(from()...)
			expectFailure(result, exit.Cancelled)
			Expect(result.Questions).To(Equal([]string{".env has edits that are not live (A, MINE). Overwrite it?"}))
			Expect(read(alice, ".env")).To(Equal(edited))
			Expect(alice.AtTerminal("y").Run(from()...).Code).To(Equal(exit.OK))
			Expect(read(alice, ".env")).NotTo(ContainSubstring("canary"))
		})

		It("overwrites with -y", func() {
			edit()
			Expect(alice.Run(from("-y")...).Code).To(Equal(exit.OK))
			Expect(read(alice, ".env")).NotTo(ContainSubstring("canary"))
		})

		It("sees an edit that has become live since as no loss", func() {
			base := scene.Live()
			scene.SetLive(map[string]string{"A": "9", "B": "two words"})
			write(alice, ".env", header(base)+"A=9\nB='two words'\n", 0o600)
			Expect(alice.Run(from()...).Code).To(Equal(exit.OK))
		})

		It("does not overwrite what it cannot read, or did not write", func() {
			for content, want := range map[string]string{
				"canary":          "cannot be read (line 1:",
				"OTHER=canary\n":  "has edits that are not live (OTHER)",
				"A=1\nB=canary\n": "has edits that are not live (B)",
			} {
				write(alice, ".env", content, 0o600)
				result := alice.Run(from()...)
				expectFailure(result, exit.Refused)
				Expect(result.Err).To(ContainSubstring(want))
				Expect(result.Err).NotTo(ContainSubstring("canary"))
				Expect(read(alice, ".env")).To(Equal(content))
			}
		})
	})

	Context("to standard output", func() {
		It("writes the same", func() {
			result := alice.Run(from("-o", "-")...)
			Expect(result.Out).To(Equal(header(scene.Live()) + "A=1\nB='two words'\n"))
			Expect(files(alice)).To(BeEmpty())
		})

		It("does not let a value repaint a terminal", func() {
			scene.SetLive(map[string]string{"A": "plain", "EVIL": "canary\x1b[2J", "BIDI": "\u202ecanary"})
			result := alice.AtTerminal().Run(from("-o", "-")...)
			expectFailure(result, exit.Refused)
			Expect(result.Err).To(ContainSubstring("the values of BIDI, EVIL"))
			Expect(result.Err).NotTo(ContainSubstring("canary"))
		})

		It("shows lines on a terminal that asked for them", func() {
			scene.SetLive(map[string]string{"A": "one\ntwo"})
			Expect(alice.AtTerminal().Run(from("-o", "-")...).Out).To(ContainSubstring("A='one\ntwo'\n"))
		})
	})

	It("prints keys alone, and writes nothing", func() {
		scene.SetLive(map[string]string{"B": "canary", "A": "canary", "not\x1ba key": "canary"})
		result := alice.Run(from("--keys-only")...)
		Expect(result.Code).To(Equal(exit.OK))
		Expect(result.Out).To(Equal("A\nB\n" + `"not\x1ba key"` + "\n"))
		Expect(files(alice)).To(BeEmpty())
		expectFailure(alice.Run(from("--keys-only", "-o", "x")...), exit.Usage)
	})

	It("leaves out keys that no file can carry, and says so", func() {
		scene.SetLive(map[string]string{"A": "1", "not a key": "2"})
		result := alice.Run(from()...)
		Expect(result.Code).To(Equal(exit.OK))
		Expect(result.Err).To(Equal(`Warning: left out, since no dotenv file can carry such keys: "not a key".` + "\n"))
		Expect(read(alice, ".env")).To(HaveSuffix("\nA=1\n"))
		Expect(alice.Run(from()...).Code).To(Equal(exit.OK))
	})

	Context("in a work tree of Git", func() {
		git := func(args ...string) {
			GinkgoHelper()
			command := exec.Command("git", args...)
			command.Dir = alice.Dir
			output, err := command.CombinedOutput()
			Expect(err).NotTo(HaveOccurred(), string(output))
		}
		const warning = "Warning: Git does not ignore .env: add it to .gitignore, or its values may be committed.\n"
		BeforeEach(func() { git("init", "--quiet") })

		It("warns where the file is not ignored", func() {
			result := alice.Run(from()...)
			Expect(result.Code).To(Equal(exit.OK))
			Expect(result.Err).To(Equal(warning))
		})

		It("is quiet where it is", func() {
			write(alice, ".gitignore", ".env\n", 0o644)
			Expect(alice.Run(from()...).Err).To(BeEmpty())
		})

		It("warns where it is tracked already, whatever is ignored", func() {
			write(alice, ".gitignore", ".env\n", 0o644)
			write(alice, ".env", "", 0o600)
			git("add", "--force", ".env")
			Expect(alice.Run(from()...).Err).To(Equal(warning))
		})
	})

	DescribeTable("meets AWS at its worst, and touches no file", func(spoil func(), code exit.Code, want string) {
		write(alice, ".env", "A=1\n", 0o600)
		spoil()
		result := alice.Run(from()...)
		expectFailure(result, code)
		Expect(result.Err).To(ContainSubstring(want))
		Expect(result.Err).NotTo(ContainSubstring("canary"))
		Expect(read(alice, ".env")).To(Equal("A=1\n"))
		Expect(files(alice)).To(HaveLen(1))
	},
		Entry("the secret is missing", func() { scene.DeleteLive(0) }, exit.NotFound, "read what is live"),
		Entry("it is scheduled for deletion", func() { scene.DeleteLive(7) }, exit.Refused, "scheduled for deletion"),
		Entry("it is not an object", func() { scene.SetLiveText(`["canary"]`) }, exit.Refused, "does not hold a JSON object of strings"),
		Entry("reading is denied", func() { scene.Emulator.Inject(emulator.Fault{Kind: emulator.FaultDeny}) }, exit.Denied, "ask for this right"),
		Entry("credentials are expired", func() {
			scene.Emulator.SetPrincipals([]emulator.Principal{{AccessKeyID: clitest.Alice, Expired: true}})
		}, exit.Denied, "sign in to AWS again"),
		Entry("it is throttled", func() { scene.Emulator.Inject(emulator.Fault{Kind: emulator.FaultThrottle}) }, exit.Unavailable, "try again later"),
		Entry("it is down", func() { scene.Emulator.Inject(emulator.Fault{Kind: emulator.FaultUnavailable}) }, exit.Unavailable, "try again later"),
		Entry("the controller has not looked yet", func() {
			scene.UpdateProject(func(p *v1alpha1.SecretProject) { p.Status = v1alpha1.SecretProjectStatus{} })
		}, exit.Unavailable, "the controller has not looked at"),
	)

	It("reads a secret that takes no changes", func() {
		scene.UpdateProject(func(p *v1alpha1.SecretProject) {
			p.Status.Environments[0].Problem = &v1alpha1.Problem{Reason: v1alpha1.ReasonSecretUnusable, Message: "it is being rotated"}
		})
		Expect(alice.Run(from()...).Code).To(Equal(exit.OK))
	})

	Context("without the cluster", func() {
		BeforeEach(func() { alice.KubeContext = "nowhere" })

		DescribeTable("asks AWS alone, where region and prefix are known", func(prepare func(), args ...string) {
			prepare()
			result := alice.Run(from(args...)...)
			Expect(result.Code).To(Equal(exit.OK), result.Err)
			Expect(read(alice, ".env")).To(HavePrefix(header(scene.Live())))
		},
			Entry("from flags", func() {}, "--region", "us-east-1", "--prefix", "secret-review/"),
			Entry("from .sr.json", func() { write(alice, ".sr.json", `{"region": "us-east-1", "prefix": "secret-review/"}`, 0o644) }),
			Entry("from a flag and the environment", func() { alice.Vars = map[string]string{"AWS_REGION": "us-east-1"} }, "--prefix", "secret-review/"),
			Entry("from a flag and the older variable", func() { alice.Vars = map[string]string{"AWS_DEFAULT_REGION": "us-east-1"} }, "--prefix", "secret-review/"),
		)

		It("needs the cluster where one of them is not", func() {
			expectFailure(alice.Run(from("--region", "us-east-1")...), exit.Usage)
		})

		It("says that the name was put together", func() {
			result := alice.Run(from("--region", "us-east-1", "--prefix", "other/")...)
			expectFailure(result, exit.NotFound)
			Expect(result.Err).To(And(ContainSubstring(`"other/backend-api/production"`), ContainSubstring("leave the prefix out")))
		})

		DescribeTable("refuses names that would lead elsewhere", func(args ...string) {
			result := alice.Run(append([]string{"pull", "--region", "us-east-1", "--prefix", "secret-review/"}, args...)...)
			expectFailure(result, exit.Usage)
			Expect(scene.Operations()).To(BeEmpty())
		},
			Entry("a path", "-p", "pending/backend-api", "-e", "x"),
			Entry("the staging project", "-p", "pending", "-e", "x"),
			Entry("a reserved environment", "-p", "x", "-e", "status"),
			Entry("none", "-p", "backend-api"),
			Entry("a long one", "-p", strings.Repeat("x", 64), "-e", "production"),
		)
	})
})
