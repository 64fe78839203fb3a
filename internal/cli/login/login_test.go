package login_test

import (
	"encoding/json"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

var _ = Describe("login", func() {
	const marked = "MARKED-VALUE"
	var scene *clitest.Scene

	reader := func(user string, resources ...string) emulator.Principal {
		return emulator.Principal{AccessKeyID: user, Allow: []emulator.Rule{{Actions: []string{"GetSecretValue"}, Resources: resources}}}
	}
	BeforeEach(func() {
		scene = env.NewScene(GinkgoTB(), map[string]string{"A": marked})
		scene.Emulator.SetPrincipals([]emulator.Principal{
			reader(clitest.Alice, scene.LiveName()), reader(clitest.Bob), {AccessKeyID: clitest.Eve, Expired: true},
		})
	})

	It("shows who one is, what one may do, and what to ask for, and reads no value", func() {
		result := scene.As(clitest.Alice).Run("login")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Err).To(BeEmpty())
		Expect(result.Out).To(MatchRegexp(`Cluster +alice, in .*system:authenticated, by context alice\n`))
		Expect(result.Out).To(MatchRegexp(`AWS +arn:aws:iam::123456789012:user/alice, in account 123456789012, region us-east-1\n`))
		Expect(result.Out).To(MatchRegexp(`backend-api/production +yes +no +no +yes\n`))
		Expect(result.Out).To(MatchRegexp(`approve +in Kubernetes, a RoleBinding to the ClusterRole secretreview-approver in namespace ` + scene.Namespace))
		Expect(result.Out).To(MatchRegexp(`rollback +in Kubernetes, a RoleBinding to the ClusterRole secretreview-rollbacker`))
		Expect(result.Out).NotTo(Or(ContainSubstring("secretreview-proposer"), ContainSubstring("GetSecretValue"), ContainSubstring(marked)))
		calls := emulator.Invocations(scene.Emulator.Calls())
		Expect(calls).To(HaveLen(2))
		Expect(calls[1].Operation).To(Equal("GetSecretValue"))
		Expect(calls[1].Code).To(Equal("ResourceNotFoundException"), "no version is read")
	})

	It("says which permission of AWS is missing", func() {
		result := scene.As(clitest.Bob).Run("login")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Out).To(MatchRegexp(`backend-api/production +no +yes +no +no\n`))
		Expect(result.Out).To(ContainSubstring("in AWS, secretsmanager:GetSecretValue on the secret " + scene.LiveName() + " in us-east-1, and kms:Decrypt on its key " + clitest.KMSKey))
	})

	It("tells a machine the same", func() {
		result := scene.As(clitest.Alice).Run("login", "-o", "json")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		var report struct {
			Cluster      struct{ User string }
			AWS          struct{ ARN, Account, Region string }
			Environments []map[string]string
			Missing      []struct{ Right string }
		}
		Expect(json.Unmarshal([]byte(result.Out), &report)).To(Succeed())
		Expect(report.Cluster.User).To(Equal("alice"))
		Expect(report.AWS.ARN).To(HaveSuffix(":user/alice"))
		Expect(report.Environments).To(Equal([]map[string]string{{
			"namespace": scene.Namespace, "project": "backend-api", "environment": "production",
			"propose": "yes", "approve": "no", "rollback": "no", "read": "yes",
		}}))
		Expect(report.Missing).To(HaveLen(2))
	})

	It("knows a right on one environment, and that a verb alone is not enough", func() {
		scene.UpdateProject(func(p *v1alpha1.SecretProject) {
			p.Spec.Environments = append(p.Spec.Environments, v1alpha1.Environment{Name: "dev"})
		})
		grant(scene, clitest.Eve, "get,list:secretprojects", "approve:secretprojects/dev", "patch:secretchanges", "rollback:secretprojects")
		result := scene.As(clitest.Eve).Run("login")
		Expect(result.Out).To(MatchRegexp(`backend-api/production +no +no +no +\?\n`))
		Expect(result.Out).To(MatchRegexp(`backend-api/dev +no +yes +no +\?\n`))
	})

	It("shows the cluster's half where AWS does not answer", func() {
		scene.Emulator.Inject(emulator.Fault{Kind: emulator.FaultUnavailable})
		result := scene.As(clitest.Alice).Run("login")
		Expect(result.Code).To(Equal(exit.Unavailable))
		Expect(result.Out).To(MatchRegexp(`AWS +ask AWS who you are: GetCallerIdentity: AWS answered ServiceUnavailable`))
		Expect(result.Out).To(MatchRegexp(`backend-api/production +yes +no +no +\?\n`))
	})

	It("says where credentials of AWS have expired", func() {
		grant(scene, clitest.Eve, "get,list:secretprojects")
		result := scene.As(clitest.Eve).Run("login")
		Expect(result.Code).To(Equal(exit.Denied))
		Expect(result.Out).To(ContainSubstring("sign in to AWS again"))
	})

	It("shows AWS's half where the cluster does not answer", func() {
		alice := scene.As(clitest.Alice)
		alice.KubeContext = "nowhere"
		result := alice.Run("login")
		Expect(result.Code).To(Equal(exit.Usage))
		Expect(result.Out).To(MatchRegexp(`Cluster +read the kubeconfig: .*nowhere`))
		Expect(result.Out).To(ContainSubstring(":user/alice"))
		Expect(result.Out).NotTo(ContainSubstring("ENVIRONMENT"))

		write(alice, ".sr.json", `{"project":"backend-api","environment":"production","prefix":"`+naming.DefaultPrefix+`","region":"us-east-1"}`)
		result = alice.Run("login")
		Expect(result.Out).To(MatchRegexp(`backend-api/production +\? +\? +\? +yes\n`))
	})

	It("says what who may do nothing is to ask for", func() {
		result := scene.As(clitest.Eve).Run("login")
		Expect(result.Out).To(MatchRegexp(`Cluster +eve`))
		Expect(result.Err).To(And(HavePrefix("Note: the cluster does not let you see the projects there"), ContainSubstring("secretreview-viewer")))
	})

	It("fits a narrow terminal", func() {
		alice := scene.As(clitest.Alice).AtTerminal()
		alice.Terminal.Width = 60
		for _, line := range strings.Split(alice.Run("login").Out, "\n") {
			if !strings.Contains(line, "secretreview-") {
				Expect(len(line)).To(BeNumerically("<=", 60), line)
			}
		}
	})

	It("refuses flags that it does not know", func() {
		Expect(scene.As(clitest.Alice).Run("login", "-o", "xml").Code).To(Equal(exit.Usage))
		Expect(scene.As(clitest.Alice).Run("login", "-A", "-p", "x").Code).To(Equal(exit.Usage))
		Expect(scene.As(clitest.Alice).Run("login", "-p", "nonesuch").Code).To(Equal(exit.NotFound))
		Expect(scene.As(clitest.Alice).Run("login", "-e", "nonesuch").Code).To(Equal(exit.NotFound))
		retired := scene.As(clitest.Alice).Run("login", "--email", "a@example.com", "-o", "json")
		Expect(retired.Code).To(Equal(exit.OK))
		Expect(retired.Err).To(ContainSubstring("says nothing any more"))
	})
})
