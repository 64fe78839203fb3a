package propose_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

var _ = Describe("propose's input", func() {
	var scene *clitest.Scene
	var alice *clitest.Session

	BeforeEach(func() {
		scene = env.NewScene(GinkgoTB(), map[string]string{"A": "1"})
		alice = scene.As(clitest.Alice)
	})

	It("takes values from everywhere", func() {
		writeFile(alice, "key.pem", "-----BEGIN-----\nx\n-----END-----\n")
		alice.Stdin = "from\\nstdin"
		result := alice.AtTerminal("typed $HOME").Run(to("--set", "ARGUMENT=a=b", "--set", "TYPED", "--set", "FILE=@key.pem", "--set", "STDIN=-", "--set", "EMPTY=")...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Questions).To(Equal([]string{"Value of TYPED"}))
		Expect(result.Err).To(BeEmpty())
		Expect(clitest.Reveal(scene.StagedPatch().Set)).To(Equal(map[string]string{
			"ARGUMENT": "a=b", "TYPED": "typed $HOME", "FILE": "-----BEGIN-----\nx\n-----END-----\n", "STDIN": "from\\nstdin", "EMPTY": "",
		}))
	})

	It("keeps the newline of one line, and says so", func() {
		alice.Stdin = "word\n"
		result := alice.Run(to("--set", "A=-")...)
		Expect(clitest.Reveal(scene.StagedPatch().Set)).To(Equal(map[string]string{"A": "word\n"}))
		Expect(result.Err).To(Equal("Note: the value of A ends with a newline, which is kept.\n"))
	})

	DescribeTable("is refused at once, without a value in the message", func(code exit.Code, want string, args []string) {
		result := alice.Run(args...)
		expectNothingDone(scene, result, code)
		Expect(result.Err).To(ContainSubstring(want))
		Expect(result.Err).NotTo(ContainSubstring("canary"))
		Expect(scene.Operations()).To(BeEmpty())
	},
		Entry("no reason", exit.Usage, "no reason is given", []string{"propose", "-p", "backend-api", "-e", "production", "--set", "A=canary"}),
		Entry("a blank reason", exit.Usage, "no reason is given", []string{"propose", "-r", " \t", "-p", "backend-api", "-e", "production", "--set", "A=canary"}),
		Entry("a reason that is too long", exit.Usage, "at most 2048 bytes", []string{"propose", "-r", strings.Repeat("ü", 1025), "--set", "A=canary"}),
		Entry("no project", exit.Usage, "no project (-p) and no environment (-e) given", []string{"propose", "-r", "x", "--set", "A=canary"}),
		Entry("no environment", exit.Usage, "no environment (-e) given", []string{"propose", "-r", "x", "-p", "backend-api", "--set", "A=canary"}),
		Entry("an unknown project", exit.NotFound, `has no project "nothing": choose backend-api`, []string{"propose", "-r", "x", "-p", "nothing", "-e", "production", "--set", "A=canary"}),
		Entry("a project's name that is none", exit.NotFound, "has no project", []string{"propose", "-r", "x", "-p", "../x", "-e", "production", "--set", "A=canary"}),
		Entry("an unknown environment", exit.NotFound, `has no environment "prod": choose production`, []string{"propose", "-r", "x", "-p", "backend-api", "-e", "prod", "--set", "A=canary"}),
		Entry("an unknown output", exit.Usage, `unknown output "xml"`, to("--set", "A=canary", "-o", "xml")),
		Entry("a dry run with an output", exit.Usage, "leave one of them out", to("--set", "A=canary", "--dry-run", "-o", "yaml")),
		Entry("--prune without a file", exit.Usage, "--prune is about a file", to("--set", "A=canary", "--prune")),
		Entry("standard input twice", exit.Usage, "can be read once only", to("--set", "A=-", "--set", "B=-")),
		Entry("standard input for file and key", exit.Usage, "can be read once only", to("--set", "A=-", "-f", "-")),
		Entry("a question that nobody can answer", exit.Usage, "there is no terminal", to("--set", "A")),
		Entry("a key that is none", exit.Usage, "does not begin with a key", to("--set", "A B=canary")),
		Entry("an argument that is no flag", exit.Usage, "it takes no arguments", to("A=canary")),
		Entry("an unknown flag", exit.Usage, "unknown flag: --sett: see \"sr propose --help\"", to("--sett=canary")),
		Entry("a file that is not there, or a value that begins with @", exit.Failure, "the file that --set names for A cannot be read (no such file", to("--set", "A=@canary")),
	)

	It("refuses to unset what is not there", func() {
		result := alice.Run(to("--unset", "NOT")...)
		expectNothingDone(scene, result, exit.Refused)
		Expect(result.Err).To(ContainSubstring(`key "NOT" is not live`))
	})

	It("refuses a value that is not text", func() {
		writeFile(alice, "binary", "canary\xff")
		result := alice.Run(to("--set", "A=@binary")...)
		expectNothingDone(scene, result, exit.Refused)
		Expect(result.Err).To(ContainSubstring("not valid UTF-8"))
	})

	It("refuses a value that is too long before it asks AWS", func() {
		writeFile(alice, "long", strings.Repeat("x", 65537))
		expectNothingDone(scene, alice.Run(to("--set", "A=@long")...), exit.Refused)
		Expect(scene.Operations()).To(BeEmpty())
	})

	It("says before staging that the live document would be too large", func() {
		scene.SetLive(map[string]string{"A": "1", "LONG": strings.Repeat("x", 40000)})
		scene.Emulator.ResetCalls()
		writeFile(alice, "long", strings.Repeat("y", 30000))
		result := alice.Run(to("--set", "B=@long")...)
		expectNothingDone(scene, result, exit.Refused)
		Expect(result.Err).To(ContainSubstring("the live document would have 70026 bytes, and AWS stores at most 65536"))
		Expect(scene.Operations()).To(Equal([]string{"GetSecretValue"}))
	})

	It("says before staging that the staged document, with old and new values, would be too large", func() {
		scene.SetLive(map[string]string{"LONG": strings.Repeat("x", 40000)})
		scene.Emulator.ResetCalls()
		writeFile(alice, "long", strings.Repeat("y", 40000))
		result := alice.Run(to("--set", "LONG=@long")...)
		expectNothingDone(scene, result, exit.Refused)
		Expect(result.Err).To(ContainSubstring("the staged document would have"))
		Expect(scene.Operations()).To(Equal([]string{"GetSecretValue"}))
	})

	DescribeTable("needs a live secret that can be served", func(spoil func(), code exit.Code, want string) {
		spoil()
		result := alice.Run(to("--set", "B=canary")...)
		expectNothingDone(scene, result, code)
		Expect(result.Err).To(ContainSubstring(want))
		Expect(result.Err).NotTo(ContainSubstring("canary"))
	},
		Entry("the controller has not looked yet", func() {
			scene.UpdateProject(func(p *v1alpha1.SecretProject) { p.Status = v1alpha1.SecretProjectStatus{} })
		}, exit.Unavailable, "the controller has not looked at"),
		Entry("the controller says what is wrong", func() {
			scene.UpdateProject(func(p *v1alpha1.SecretProject) {
				p.Status.Environments[0].Problem = &v1alpha1.Problem{Reason: v1alpha1.ReasonSecretUnusable, Message: "it is being rotated: wait"}
			})
		}, exit.Refused, "cannot be served (SecretUnusable): it is being rotated: wait"),
		Entry("it is missing", func() { scene.DeleteLive(0) }, exit.NotFound, "ResourceNotFoundException"),
		Entry("it is scheduled for deletion", func() { scene.DeleteLive(7) }, exit.Refused, "scheduled for deletion"),
		Entry("it is not JSON", func() { scene.SetLiveText("canary") }, exit.Refused, "does not hold a JSON object of strings"),
		Entry("it is an array", func() { scene.SetLiveText(`["canary"]`) }, exit.Refused, "it is not a JSON object"),
		Entry("a value is no string", func() { scene.SetLiveText(`{"N": 5, "A": "canary"}`) }, exit.Refused, `key "N": its value is not a string`),
		Entry("a key is there twice", func() { scene.SetLiveText(`{"A": "canary", "A": "canary"}`) }, exit.Refused, `key "A": it is there twice`),
	)

	DescribeTable("meets AWS at its worst", func(fault emulator.Fault, code exit.Code, want string) {
		scene.Emulator.Inject(fault)
		result := alice.Run(to("--set", "B=canary")...)
		expectNothingDone(scene, result, code)
		Expect(result.Err).To(ContainSubstring(want))
		Expect(result.Err).NotTo(ContainSubstring("canary"))
	},
		Entry("reading is denied", emulator.Fault{Kind: emulator.FaultDeny, Operations: []string{"GetSecretValue"}}, exit.Denied, "read what is live"),
		Entry("reading is throttled", emulator.Fault{Kind: emulator.FaultThrottle, Operations: []string{"GetSecretValue"}}, exit.Unavailable, "try again later"),
		Entry("reading fails", emulator.Fault{Kind: emulator.FaultInternal, Operations: []string{"GetSecretValue"}}, exit.Unavailable, "read what is live"),
		Entry("the connection breaks", emulator.Fault{Kind: emulator.FaultDrop, Operations: []string{"GetSecretValue"}}, exit.Unavailable, "read what is live"),
		Entry("staging is denied", emulator.Fault{Kind: emulator.FaultDeny, Operations: []string{"CreateSecret"}}, exit.Denied, "stage the values"),
		Entry("staging is throttled", emulator.Fault{Kind: emulator.FaultThrottle, Operations: []string{"CreateSecret"}}, exit.Unavailable, "stage the values"),
		Entry("staging fails", emulator.Fault{Kind: emulator.FaultInternal, Operations: []string{"CreateSecret"}}, exit.Unavailable, "stage the values"),
		Entry("the quota of secrets is used up", emulator.Fault{Kind: emulator.FaultError, Code: "LimitExceededException", Operations: []string{"CreateSecret"}}, exit.Refused, "stage the values"),
		Entry("credentials are expired", emulator.Fault{Kind: emulator.FaultError, Code: "ExpiredTokenException"}, exit.Denied, "sign in to AWS again"),
		Entry("staging takes effect, and every answer is lost", emulator.Fault{Kind: emulator.FaultLose, Operations: []string{"CreateSecret"}}, exit.Unavailable, "what was staged is deleted again"),
	)

	It("gets through one bad moment of AWS", func() {
		scene.Emulator.Inject(emulator.Fault{Kind: emulator.FaultThrottle, Count: 1, Operations: []string{"GetSecretValue"}})
		scene.Emulator.Inject(emulator.Fault{Kind: emulator.FaultLose, Count: 1, Operations: []string{"CreateSecret"}})
		result := alice.Run(to("--set", "B=2")...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(scene.Changes()).To(HaveLen(1))
		Expect(scene.Staged()).To(HaveLen(1))
	})
})
