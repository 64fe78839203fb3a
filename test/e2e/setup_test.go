package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/e2e/world"
)

var _ = Describe("Setting up", func() {
	const noCluster = "KUBECONFIG=/nonesuch"
	var team *world.Team
	var alice *world.Shell

	BeforeEach(func() {
		team = w.NewTeam(world.Options{Live: map[string]string{"A": w.Secret("a")}})
		w.AWS.SetStacks(emulator.Stack{Name: world.Stack, Outputs: map[string]string{
			"SecretPrefix": naming.DefaultPrefix, "Region": world.Region, "KmsKeyArn": "arn:aws:kms:x",
		}})
		DeferCleanup(func() { w.AWS.SetStacks() })
		// A home of its own, or the other specs of the same person would be set up too.
		alice = team.Person(world.Alice).Shell()
		home := filepath.Join(alice.Dir, "home")
		Expect(os.Mkdir(home, 0o700)).To(Succeed())
		alice = alice.With("HOME="+home, "XDG_CONFIG_HOME="+filepath.Join(home, "config"))
	})
	calls := func(from int, person string) (made []string) {
		GinkgoHelper()
		for _, call := range emulator.Invocations(w.AWS.Calls()[from:]) {
			if call.AccessKeyID == person {
				made = append(made, call.Operation+" "+call.Code)
			}
		}
		return made
	}

	It("by flags alone lets pull ask AWS by one call, and no cluster", func() {
		from := len(w.AWS.Calls())
		Expect(alice.SR("init", "-n", team.Namespace, "-p", team.Project, "--stack-name", world.Stack, "--region", world.Region)).To(end(0, "Wrote .sr.json"))
		Expect(calls(from, world.Alice)).To(Equal([]string{"DescribeStacks "}))
		Expect(alice.SR("init", "-n", team.Namespace)).To(fail(3, "--force"))

		from = len(w.AWS.Calls())
		pulled := alice.With(noCluster).SR("pull")
		Expect(pulled).To(end(0, "Wrote 1 key"))
		Expect(alice.Read(".env")).To(HaveSuffix("A=" + w.Secret("a") + "\n"))
		Expect(calls(from, world.Alice)).To(Equal([]string{"GetSecretValue "}))
	})

	It("at a terminal chooses from what the cluster offers", func() {
		screen := alice.Terminal("sr", "init")
		screen.Type(`Namespace \[default\]:`, team.Namespace)
		screen.Type(`CloudFormation stack.*:`, "")
		shown, code := screen.Wait()
		Expect(code).To(BeZero(), shown)
		Expect(alice.Read(".sr.json")).To(MatchJSON(`{"namespace":"` + team.Namespace + `","project":"` + team.Project + `","environment":"production"}`))
		Expect(alice.SR("status")).To(end(0))
	})

	It("shows each person who they are, what they may do, and what to ask for", func() {
		login := func(person string, args ...string) world.Result {
			GinkgoHelper()
			return team.As(person).SR(append([]string{"login"}, args...)...)
		}
		from := len(w.AWS.Calls())
		said := login(world.Alice)
		Expect(said).To(end(0, "user/alice", "ClusterRole secretreview-approver in namespace "+team.Namespace))
		Expect(said.Out).To(MatchRegexp(`Cluster +alice`))
		Expect(said.Out).To(MatchRegexp(team.Project + `/production +yes +no +no +yes\n`))
		Expect(calls(from, world.Alice)).To(Equal([]string{"GetCallerIdentity ", "GetSecretValue ResourceNotFoundException"}))
		Expect(login(world.Bob).Out).To(MatchRegexp(team.Project + `/production +no +yes +no +yes\n`))
		Expect(login(world.Eve, "--region", world.Region)).To(end(0, "the cluster does not let you see the projects there"))
		Expect(login(world.Admin, "-A").Out).To(MatchRegexp(team.Namespace + ` +` + team.Project + `/production +yes +yes +yes +yes\n`))

		var report struct {
			Environments []struct{ Propose, Read string }
		}
		machine := login(world.Bob, "-o", "json")
		Expect(json.Unmarshal([]byte(machine.Out), &report)).To(Succeed())
		Expect(report.Environments).To(HaveExactElements(HaveField("Propose", "no")))
	})

	It("shows one system's half where the other does not answer", func() {
		alice := team.As(world.Alice)
		w.Expire(world.Alice)
		Expect(alice.SR("login")).To(end(6, "sign in to AWS again", team.Project+"/production"))
		renewed := team.As(world.Bob)
		dead := renewed.With(noCluster).SR("login", "--region", world.Region)
		Expect(dead).To(end(7, "user/bob"))
		unreachable := renewed.SR("login", "--region", world.Region, "--server", "https://127.0.0.1:1")
		Expect(unreachable).To(end(7, "user/bob", "look at --context"))
	})

	It("writes one's own file, from a stack too, and takes over the replaced tool's", func() {
		legacy := filepath.Join(alice.Dir, "home", ".cdk-gitify-secrets")
		Expect(os.Mkdir(legacy, 0o700)).To(Succeed())
		content, err := json.Marshal(map[string]any{
			"apiUrl": "https://x", "region": world.Region, "secretPrefix": naming.DefaultPrefix,
			"defaultProject": team.Project, "defaultEnv": world.Production, "tokenExpiresAt": 1,
		})
		Expect(err).NotTo(HaveOccurred())
		Expect(os.WriteFile(filepath.Join(legacy, "config.json"), content, 0o600)).To(Succeed())
		Expect(alice.With(noCluster).SR("pull", "--keys-only")).To(end(0, "A"))

		Expect(alice.SR("configure", "--from-stack", world.Stack, "--default-env", "nowhere")).To(end(0, "home/config/secretreview/config.json"))
		info, err := os.Stat(filepath.Join(alice.Dir, "home", "config", "secretreview", "config.json"))
		Expect(err).NotTo(HaveOccurred())
		Expect(info.Mode().Perm()).To(Equal(os.FileMode(0o600)))
		Expect(alice.With(noCluster).SR("pull", "--keys-only")).To(fail(5, "/nowhere"))

		Expect(os.WriteFile(filepath.Join(legacy, "config.json"), []byte("{\n\"region\": 1}"), 0o600)).To(Succeed())
		Expect(alice.SR("status")).To(fail(2, ".cdk-gitify-secrets/config.json", `field "region" must be a string, at line 2`))
	})

	It("sends no credentials to what is neither HTTPS nor this machine", func() {
		alice := team.As(world.Alice)
		for _, address := range []string{"http://localhost.evil.example", "http://10.0.0.1"} {
			Expect(alice.SR("status", "--server", address)).To(fail(3, address+" is neither HTTPS nor on this machine"))
			Expect(alice.With("AWS_ENDPOINT_URL="+address).SR("pull", "-o", "-")).To(fail(3, address+" is neither HTTPS nor on this machine"))
		}
		// This machine's other address reaches the emulator, which must hear nothing.
		from := len(w.AWS.Calls())
		elsewhere := strings.Replace(w.AWS.URL, "127.0.0.1", "0.0.0.0", 1)
		Expect(alice.With("AWS_ENDPOINT_URL_SECRETS_MANAGER="+elsewhere).SR("pull", "-o", "-")).To(fail(3, elsewhere))
		Expect(calls(from, world.Alice)).To(BeEmpty())
	})
})
