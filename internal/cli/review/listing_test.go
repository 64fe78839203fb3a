package review_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
)

// rows returns the first column of a table.
func rows(text string) []string {
	var names []string
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) > 0 {
			names = append(names, fields[0])
		}
	}
	return names
}

var _ = Describe("status and history", func() {
	var scene *clitest.Scene
	BeforeEach(func() {
		scene = env.NewScene(GinkgoTB(), map[string]string{"DB": oldValue})
		record(scene, "a-pending", clitest.Project, clitest.Production, v1alpha1.PhasePending)
		record(scene, "b-new", clitest.Project, clitest.Production, "")
		record(scene, "c-applied", clitest.Project, clitest.Production, v1alpha1.PhaseApplied)
		record(scene, "d-rejected", clitest.Project, clitest.Production, v1alpha1.PhaseRejected)
		record(scene, "e-dev", clitest.Project, "dev", v1alpha1.PhasePending)
		record(scene, "f-payments", "payments", clitest.Production, v1alpha1.PhasePending)
		record(scene, "g-payments-applied", "payments", clitest.Production, v1alpha1.PhaseApplied)
		scene.Emulator.ResetCalls()
	})
	AfterEach(func() { Expect(scene.Operations()).To(BeEmpty(), "nothing is read from AWS") })

	as := func(args ...string) clitest.Result {
		GinkgoHelper()
		result := scene.As(clitest.Bob).Run(args...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		return result
	}

	It("shows where an environment stands, and what is unfinished there", func() {
		applied := metav1.NewMicroTime(time.Now().Add(-time.Hour))
		scene.UpdateProject(func(p *v1alpha1.SecretProject) {
			yes, two := true, int32(2)
			p.Spec.Suspend, p.Spec.Environments[0].RequiredApprovals = &yes, &two
			s := &p.Status.Environments[0]
			s.Keys, s.LastAppliedChange, s.LastAppliedTime = 12, "c-applied", &applied
			s.Replication = []v1alpha1.ReplicationStatus{{Region: "eu-west-1", Status: "InSync"}, {Region: "us-west-2", Status: "Failed", Message: "no key"}}
			s.Drift = &v1alpha1.Drift{LiveVersionID: s.LiveVersionID}
		})
		result := as(append([]string{"status"}, at...)...)
		for _, text := range []string{
			"Environment  backend-api/production in namespace " + scene.Namespace, "Policy       2 approvals, conflicts Strict, changes expire after 7d\n",
			"Live         version " + scene.Live() + ", 12 keys\n", "Last change  c-applied, 60m ago", "Replicas     eu-west-1 InSync, us-west-2 Failed (no key)\n",
			"Beware       backend-api/production is suspended", "Beware       backend-api/production has drifted",
		} {
			Expect(result.Out).To(ContainSubstring(text))
		}
		_, table, _ := strings.Cut(result.Out, "\n\n")
		Expect(rows(table)).To(ConsistOf("NAME", "b-new", "a-pending"))
		scene.Emulator.ResetCalls()
	})

	It("says on a terminal what can be done next, and in a pipe nothing of it", func() {
		in := []string{"-p", clitest.Project, "-e", clitest.Production}
		at := func(args ...string) string {
			GinkgoHelper()
			result := scene.As(clitest.Bob).AtTerminal().Run(append(args, in...)...)
			Expect(result.Code).To(Equal(exit.OK), result.Err)
			return result.Err
		}
		Expect(at("status")).To(HaveSuffix("\nNext:\n  sr review a-pending\n  sr approve a-pending\n"))
		Expect(at("history")).To(HaveSuffix("\nNext:\n  sr review c-applied\n  sr rollback c-applied -r REASON\n"))
		Expect(as(append([]string{"status"}, in...)...).Err).To(BeEmpty())
	})

	It("lists changes that the controller has not seen", func() {
		Expect(rows(as("status", "--status", "new", "-o", "name", "-p", clitest.Project, "-e", clitest.Production).Out)).To(Equal([]string{"secretchange.secretreview.dev/b-new"}))
	})

	It("says why an environment cannot be served", func() {
		scene.UpdateProject(func(p *v1alpha1.SecretProject) {
			p.Status.Environments[0].Problem = &v1alpha1.Problem{Reason: v1alpha1.ReasonSecretMissing, Message: "the live secret does not exist"}
		})
		Expect(as(append([]string{"status"}, at...)...).Out).To(ContainSubstring("Problem      SecretMissing: the live secret does not exist\n"))
	})

	It("lists what is unfinished in a project, in a namespace, and in all", func() {
		Expect(scene.Admin.Create(context.Background(), &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: scene.Namespace},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "secretreview-viewer"},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: clitest.Carol}},
		})).To(Succeed())
		scene.UpdateProject(func(p *v1alpha1.SecretProject) {
			p.Spec.Environments = append(p.Spec.Environments, v1alpha1.Environment{Name: "dev"})
		})
		project := as("status", "-p", clitest.Project)
		Expect(project.Out).To(HavePrefix("ENVIRONMENT  STATE    KEYS  APPROVALS"))
		_, table, _ := strings.Cut(project.Out, "\n\n")
		Expect(rows(table)).To(ConsistOf("NAME", "a-pending", "b-new", "e-dev"))

		for _, args := range [][]string{{"status"}, {"status", "--all"}} {
			Expect(rows(as(args...).Out)).To(ConsistOf("NAME", "a-pending", "b-new", "e-dev", "f-payments"))
		}
		var everywhere clitest.Result
		Eventually(func() exit.Code {
			everywhere = scene.As(clitest.Carol).Run("status", "-A")
			return everywhere.Code
		}).Should(Equal(exit.OK))
		Expect(everywhere.Out).To(And(HavePrefix("NAMESPACE"), ContainSubstring(scene.Namespace+"  f-payments")))
		Expect(scene.As(clitest.Bob).Run("status", "-A").Code).To(Equal(exit.Denied))
	})

	It("asks as somebody else where kubectl would", func() {
		result := scene.As(clitest.Bob).Run("status", "--as", clitest.Eve)
		Expect(result.Code).To(Equal(exit.Denied))
		Expect(result.Err).To(ContainSubstring(`User "bob" cannot impersonate`))
	})

	It("lists less of what is unfinished, or something else", func() {
		Expect(rows(as("status", "--all", "--status", "pending").Out)).To(ConsistOf("NAME", "a-pending", "e-dev", "f-payments"))
		Expect(rows(as("status", "--all", "--status", "Applied").Out)).To(ConsistOf("NAME", "c-applied", "g-payments-applied"))
		few := as("status", "--all", "--limit", "3")
		Expect(rows(few.Out)).To(HaveLen(1 + 3))
		Expect(few.Err).To(Equal("1 older change not listed: --limit lists more.\n"))
		Expect(as("status", "--all", "--status", "Expired").Err).To(ContainSubstring("No changes in phase Expired in"))
		for _, args := range [][]string{{"status", "--status", "x"}, {"status", "--limit", "-1"}, {"status", "a-pending", "--limit", "1"}} {
			Expect(scene.As(clitest.Bob).Run(args...).Code).To(Equal(exit.Usage))
		}
	})

	It("lists what has ended, the latest first", func() {
		Expect(rows(as(append([]string{"history"}, at...)...).Out)).To(Equal([]string{"NAME", "d-rejected", "c-applied"}))
		Expect(rows(as("history").Out)).To(Equal([]string{"NAME", "g-payments-applied", "d-rejected", "c-applied"}))
		Expect(rows(as("history", "--all", "--status", "applied").Out)).To(Equal([]string{"NAME", "g-payments-applied", "c-applied"}))
		Expect(rows(as("history", "--all", "--status", "Pending").Out)).To(ConsistOf("NAME", "f-payments", "e-dev", "a-pending"))
		Expect(as("history", "--all", "-o", "wide").Out).To(And(ContainSubstring("APPROVED-BY"), ContainSubstring(newVersion), ContainSubstring("It ended.")))
		few := as("history", "--limit", "2")
		Expect(rows(few.Out)).To(Equal([]string{"NAME", "g-payments-applied", "d-rejected"}))
		Expect(few.Err).To(Equal("1 older change not listed: --limit lists more.\n"))
	})

	It("says where there is nothing", func() {
		Expect(as(append([]string{"history", "--status", "Expired"}, at...)...).Err).To(HavePrefix("No changes in phase Expired in project \"backend-api\", environment \"production\""))
		empty := env.NewScene(GinkgoTB(), nil)
		Expect(empty.As(clitest.Bob).Run("status").Err).To(HavePrefix("No unfinished changes in namespace"))
		Expect(empty.As(clitest.Bob).Run("history").Err).To(HavePrefix("No ended changes in namespace"))
		Expect(empty.As(clitest.Bob).Run("status", "-o", "json").Out).To(ContainSubstring(`"items": []`))
	})

	It("writes what programs read", func() {
		var list v1alpha1.SecretChangeList
		Expect(json.Unmarshal([]byte(as("status", "--all", "-o", "json").Out), &list)).To(Succeed())
		Expect(list.Kind).To(Equal("SecretChangeList"))
		Expect(list.Items).To(HaveLen(4))
		Expect(list.Items[0].Kind).To(Equal("SecretChange"))
		Expect(list.Items[0].ManagedFields).To(BeEmpty())

		var again v1alpha1.SecretChangeList
		Expect(yaml.Unmarshal([]byte(as("status", "--all", "-o", "yaml").Out), &again)).To(Succeed())
		Expect(again).To(Equal(list))

		Expect(as("history", "-o", "name").Out).To(HavePrefix("secretchange.secretreview.dev/g-payments-applied\n"))
		Expect(as("history", "-o", "jsonpath={.items[*].metadata.name}").Out).To(Equal("g-payments-applied d-rejected c-applied"))

		var one v1alpha1.SecretChange
		Expect(json.Unmarshal([]byte(as("status", "a-pending", "-o", "json").Out), &one)).To(Succeed())
		Expect(one.Kind).To(Equal("SecretChange"))
	})

	DescribeTable("says what is wrong with the command line", func(saying string, args ...string) {
		result := scene.As(clitest.Bob).Run(args...)
		Expect(result.Code).To(Equal(exit.Usage))
		Expect(result.Err).To(ContainSubstring(saying))
	},
		Entry("an unknown phase", "which is no phase", "history", "--status", "done"),
		Entry("a limit below 0", "give 0 or more", "history", "--limit", "-1"),
		Entry("an unknown format", "-o: unable to match a printer", "status", "-o", "xml"),
		Entry("all and one project", "leave --project and --env out", "status", "--all", "-p", "x"),
		Entry("all and one change", "list changes", "status", "--all", "a-pending"),
		Entry("an environment of no project", "no project (-p)", "status", "-e", "dev"),
	)

	It("pages through a long history", func() {
		const many = 230
		for i := range many {
			record(scene, fmt.Sprintf("long-%03d", i), "long", clitest.Production, v1alpha1.PhaseApplied)
		}
		Expect(rows(as("history", "--all", "--limit", "0").Out)).To(HaveLen(1 + many + 3))
		some := as("history", "--all", "--limit", "3")
		Expect(rows(some.Out)).To(Equal([]string{"NAME", "long-229", "long-228", "long-227"}))
		Expect(some.Err).To(HavePrefix("230 older changes"))
		name := strings.TrimSpace(as("status", "long-229", "-o", "name").Out)
		Expect(name).To(HaveSuffix("/long-229"))
	})
})
