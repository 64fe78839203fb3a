package login_test

import (
	"io/fs"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

var _ = Describe("configure", func() {
	var scene *clitest.Scene
	var alice *clitest.Session
	const file, legacy = "home/secretreview/config.json", "home/legacy.json"

	BeforeEach(func() {
		scene = env.NewScene(GinkgoTB(), map[string]string{"A": "1"})
		scene.Emulator.SetStacks([]emulator.Stack{
			{Name: "ours", Outputs: map[string]string{"SecretPrefix": "team/", "Region": "eu-central-1", "KmsKeyArn": "arn"}},
			{Name: "theirs", Outputs: map[string]string{"SecretReviewSecretPrefix96A20576": "secret-review/", "SecretReviewApiUrl1": "https://x"}},
			{Name: "network"},
		})
		alice = scene.As(clitest.Alice)
		Expect(os.Mkdir(filepath.Join(alice.Dir, "home"), 0o700)).To(Succeed())
		alice.Alter = func(f *factory.Factory) {
			f.UserConfig, f.LegacyConfig = filepath.Join(alice.Dir, file), filepath.Join(alice.Dir, legacy)
		}
	})
	config := func(content string, mode fs.FileMode) {
		GinkgoHelper()
		path := filepath.Join(alice.Dir, file)
		Expect(os.MkdirAll(filepath.Dir(path), 0o700)).To(Succeed())
		Expect(os.WriteFile(path, []byte(content), mode)).To(Succeed())
		Expect(os.Chmod(path, mode)).To(Succeed())
	}

	It("writes what it is told, privately, and shows it", func() {
		result := alice.Run("configure", "--region", "us-east-1", "--secret-prefix", "x/", "--default-project", "backend-api", "--default-env", "dev", "--namespace", "demo", "--context", "staging")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(read(alice, file)).To(MatchJSON(`{"project":"backend-api","environment":"dev","namespace":"demo","context":"staging","region":"us-east-1","prefix":"x/"}`))
		Expect(result.Out).To(And(ContainSubstring("Wrote "+filepath.Join(alice.Dir, file)), MatchRegexp(`project +backend-api\n`), MatchRegexp(`prefix +x/\n`)))
		info, err := os.Stat(filepath.Join(alice.Dir, file))
		Expect(err).NotTo(HaveOccurred())
		Expect(info.Mode().Perm()).To(Equal(fs.FileMode(0o600)))
		Expect(scene.Operations()).To(BeEmpty())
	})

	It("keeps what it is not told, and takes out what is empty", func() {
		config(`{"project":"p","env":"e","region":"us-east-1"}`, 0o600)
		result := alice.Run("configure", "-p", "q", "--default-env", "")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(read(alice, file)).To(MatchJSON(`{"project":"q","region":"us-east-1"}`))
		Expect(result.Err).To(BeEmpty())
	})

	DescribeTable("reads a stack", func(stack, want string, args ...string) {
		result := alice.Run(append([]string{"configure", "--from-stack", stack}, args...)...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(read(alice, file)).To(MatchJSON(want))
		Expect(scene.Operations()).To(Equal([]string{"DescribeStacks"}))
	},
		Entry("of ours", "ours", `{"region":"eu-central-1","prefix":"team/"}`),
		Entry("of ours, which knows its region better than the flag that finds it", "ours", `{"region":"eu-central-1","prefix":"team/"}`, "--region", "us-east-1"),
		Entry("of the replaced tool", "theirs", `{"region":"us-east-1","prefix":"secret-review/"}`, "--region", "us-east-1"),
		Entry("and lets flags go before it", "ours", `{"region":"eu-central-1","prefix":"x/","project":"p"}`, "--secret-prefix", "x/", "--default-project", "p"),
	)

	DescribeTable("writes nothing where a stack says nothing", func(stack string, code exit.Code, says string) {
		config(`{"project":"p"}`, 0o600)
		result := alice.Run("configure", "--from-stack", stack)
		Expect(result.Code).To(Equal(code), result.Err)
		Expect(result.Err).To(ContainSubstring(says))
		Expect(read(alice, file)).To(MatchJSON(`{"project":"p"}`))
	},
		Entry("since it is not there", "gone", exit.NotFound, `there is no stack "gone" in region us-east-1`),
		Entry("since it is another's", "network", exit.NotFound, `has no output SecretPrefix`),
	)

	It("says where reading the stack is denied", func() {
		scene.Emulator.SetPrincipals([]emulator.Principal{{AccessKeyID: clitest.Alice}})
		result := alice.Run("configure", "--from-stack", "ours")
		Expect(result.Code).To(Equal(exit.Denied), result.Err)
		Expect(result.Err).To(ContainSubstring("cloudformation:DescribeStacks"))
	})

	It("asks at a terminal, from what it and the replaced tool's file say", func() {
		config(`{"project":"p","environment":"e"}`, 0o600)
		write(alice, legacy, `{"region":"us-east-1","secretPrefix":"secret-review/","idToken":"TOKEN","defaultProject":"other"}`)
		result := alice.AtTerminal("", "-", "demo", "", "", "x/").Run("configure")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Questions).To(HaveExactElements("Project [p]:", "Environment [e]:", "Namespace:", "Context of the kubeconfig:", "AWS region [us-east-1]:", "Prefix of the secrets' names [secret-review/]:"))
		Expect(read(alice, file)).To(MatchJSON(`{"project":"p","namespace":"demo","region":"us-east-1","prefix":"x/"}`))
	})

	It("says what is missing where nobody can be asked", func() {
		result := alice.Run("configure")
		Expect(result.Code).To(Equal(exit.Usage))
		Expect(result.Err).To(ContainSubstring("nothing is given to write"))
	})

	It("warns of a file that others can use, and makes it private", func() {
		config(`{"project":"p"}`, 0o644)
		result := alice.Run("configure", "--region", "us-east-1")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Err).To(And(HavePrefix("Warning: "), ContainSubstring("(mode 0644)")))
		Expect(alice.Run("configure", "--region", "us-east-1").Err).To(BeEmpty())
	})

	It("has every command warn of it", func() {
		config(`{"project":"`+clitest.Project+`","environment":"`+clitest.Production+`"}`, 0o640)
		result := alice.Run("status")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Err).To(And(ContainSubstring("config.json can be used by others (mode 0640): run chmod 600 on it.")))
	})

	It("leaves a file alone that it cannot read, and names the line", func() {
		config("{\n  \"project\": \"p\",\n  \"proyect\": 1\n}", 0o600)
		result := alice.Run("configure", "--region", "us-east-1")
		Expect(result.Code).To(Equal(exit.Usage))
		Expect(result.Err).To(ContainSubstring(`config.json: it has an unknown field "proyect" at line 3, column 11`))
		Expect(read(alice, file)).To(HavePrefix("{\n  \"project\": \"p\""))
	})

	It("refuses what names nothing", func() {
		Expect(alice.Run("configure", "--region", "evil.example/").Code).To(Equal(exit.Usage))
		Expect(alice.Run("configure", "--secret-prefix", "no-slash").Code).To(Equal(exit.Usage))
		Expect(filepath.Join(alice.Dir, file)).NotTo(BeAnExistingFile())
	})

	It("lets the replaced tool's file say where and what, below all else", func() {
		write(alice, legacy, `{"apiUrl":"https://x","region":"us-east-1","secretPrefix":"secret-review/","defaultProject":"`+clitest.Project+`","defaultEnv":"`+clitest.Production+`"}`)
		alice.KubeContext = "nowhere"
		result := alice.Run("pull", "-o", "-")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Out).To(ContainSubstring("A=1"))
	})

	It("goes on with flags of the replaced tool, and says that they are over", func() {
		result := alice.Run("configure", "--api-url", "https://x", "--client-id", "c", "--region", "us-east-1")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Err).To(ContainSubstring("Note: --api-url says nothing any more"))
		Expect(read(alice, file)).To(MatchJSON(`{"region":"us-east-1"}`))
	})
})
