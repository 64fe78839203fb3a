package attack

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/test/e2e/world"
	"github.com/secretreview/secretreview/test/install"
)

// managerAccount is the manager's ServiceAccount.
const managerAccount = "secretreview-manager"

var _ = Describe("Being somebody else", Ordered, func() {
	var team *world.Team
	var name string
	BeforeAll(func() {
		team = w.NewTeam(world.Options{Live: live()})
		attacker(team, star, everything)
		attacker(team, mallory, ours)
		name = team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
	})
	AfterEach(func() {
		Expect(team.Change(name).Spec.Reviews).To(BeEmpty())
		Expect(team.Change(name).Status.Phase).To(Equal(v1alpha1.PhasePending))
	})
	approval := func(reviewer string) string {
		return fmt.Sprintf(`[{"op":"add","path":"/spec/reviews/-","value":{"reviewer":%q,"verdict":"Approved"}}]`, reviewer)
	}

	DescribeTable("impersonating without the right to is refused", func(who string, flags ...string) {
		approving := append([]string{"approve", name, "-y", "--without-values"}, flags...)
		Expect(team.As(who).SR(approving...)).To(fail(6, "cannot impersonate"))
	},
		Entry("a proposer as an approver", world.Alice, "--as", world.Bob),
		Entry("a namespace admin as an approver", star, "--as", world.Bob),
		Entry("a namespace admin as themselves in the group of cluster administrators", star, "--as", star, "--as-group", "system:masters"),
		Entry("a namespace admin as the manager", star, "--as", "system:serviceaccount:"+install.Namespace+":"+managerAccount),
		Entry("a namespace admin as a listed applier", star, "--as", "system:serviceaccount:gitops:"+world.Applier),
	)
	It("impersonating by a user id or an extra without the right to is refused", func() {
		path := "/apis/secretreview.dev/v1alpha1/namespaces/" + team.Namespace + "/secretchanges/" + name
		for _, who := range []rest.ImpersonationConfig{
			{UserName: world.Bob, UID: "1"},
			{UserName: star, Extra: map[string][]string{"scopes": {"all"}}},
		} {
			config := w.Cluster.UserConfig(star)
			config.Impersonate = who
			status, answer := sendWith(config, http.MethodPatch, path, "application/json-patch+json", approval(world.Bob))
			Expect(status).To(Equal(http.StatusForbidden), answer)
			Expect(answer).To(ContainSubstring("cannot impersonate"))
		}
	})

	It("a namespace admin's ServiceAccount, impersonated, does not approve", func() {
		robot(team, "puppet", "secretreview-approver")
		user := "system:serviceaccount:" + team.Namespace + ":puppet"
		Expect(team.As(star).SR("approve", name, "-y", "--without-values", "--as", user)).To(end(6, "reviews of a name that begins with system:"))
	})
	It("nor with its token", func() {
		robot(team, "reviewer", "secretreview-approver")
		token := team.As(star).Kubectl("create", "token", "reviewer", "-n", team.Namespace)
		Expect(token).To(end(0))
		Expect(team.As(star).WithToken(strings.TrimSpace(token.Out)).SR("approve", name, "-y", "--without-values")).
			To(end(6, "reviews of a name that begins with system:"))
	})
	It("nor does it propose what its owner would approve then", func() {
		robot(team, "proposer", "secretreview-proposer")
		token := team.As(star).Kubectl("create", "token", "proposer", "-n", team.Namespace)
		manifest := team.As(world.Alice).Manifest("--set", "A="+w.Secret("two"))
		manifest.Spec.ProposedBy = "system:serviceaccount:" + team.Namespace + ":proposer"
		Expect(team.As(star).WithToken(strings.TrimSpace(token.Out)).Create(manifest)).To(end(1, "proposingServiceAccounts"))
	})
	It("a namespace admin gets no token of the manager's ServiceAccount", func() {
		Expect(team.As(star).Kubectl("create", "token", managerAccount, "-n", install.Namespace)).To(end(1, "forbidden"))
	})
	It("a ServiceAccount that is called like the manager's is not the manager", func() {
		robot(team, managerAccount, "secretreview-approver")
		token := team.As(star).Kubectl("create", "token", managerAccount, "-n", team.Namespace)
		Expect(token).To(end(0))
		team.Apply(bound(team, "Role", "only-star", rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: team.Namespace, Name: managerAccount}))
		impostor := team.As(star).WithToken(strings.TrimSpace(token.Out))
		Eventually(func() world.Result {
			return impostor.Kubectl("patch", "schg", name, "-n", team.Namespace, "--subresource=status", "--type=merge", "-p", `{"status":{"phase":"Approved"}}`)
		}).Should(end(1, "only the secretreview manager may"))
	})

	DescribeTable("a reviewer's name that looks like an approver's is nobody's", func(reviewer string) {
		encoded, err := json.Marshal(reviewer)
		Expect(err).NotTo(HaveOccurred())
		patch := fmt.Sprintf(`[{"op":"add","path":"/spec/reviews/-","value":{"reviewer":%s,"verdict":"Approved"}}]`, encoded)
		Expect(team.As(star).Kubectl("patch", "schg", name, "-n", team.Namespace, "--type=json", "-p", patch)).To(end(1, "another name"))
	},
		Entry("as it is", "bob"),
		Entry("with a space", "bob "),
		Entry("in capitals", "BOB"),
		Entry("with a character of no width", "bo\u200bb"),
		Entry("in Cyrillic", "b\u043eb"),
		Entry("with a NUL", "bob\x00"),
		Entry("with a direction override", "\u202ebob"),
	)

	It("two reviewers in one JSON object, or a field of another case, are one name: the caller's, or none", func() {
		path := "/apis/secretreview.dev/v1alpha1/namespaces/" + team.Namespace + "/secretchanges/" + name
		for _, value := range []string{
			`{"reviewer":"star","reviewer":"bob","verdict":"Approved"}`,
			`{"reviewer":"bob","Reviewer":"star","verdict":"Approved"}`,
			`{"Reviewer":"star","verdict":"Approved"}`,
		} {
			for _, query := range []string{"", "?fieldValidation=Ignore"} {
				status, answer := send(star, http.MethodPatch, path+query, "application/json-patch+json",
					`[{"op":"add","path":"/spec/reviews/-","value":`+value+`}]`)
				Expect(status).To(BeNumerically(">=", 400), answer)
				status, answer = send(star, http.MethodPatch, path+query, "application/merge-patch+json", `{"spec":{"reviews":[`+value+`]}}`)
				Expect(status).To(BeNumerically(">=", 400), answer)
			}
		}
		// Of two, the last counts.
		status, answer := send(star, http.MethodPatch, path+"?fieldValidation=Ignore&dryRun=All", "application/merge-patch+json",
			`{"spec":{"reviews":[{"reviewer":"bob","reviewer":"star","verdict":"Approved"}]}}`)
		Expect(status).To(Equal(http.StatusOK), answer)
		Expect(answer).NotTo(ContainSubstring(`"bob"`))
	})

	It("a proposer in another's name is refused, whatever the caller's groups and extras are called", func() {
		manifest := team.As(world.Alice).Manifest("--set", "A="+w.Secret("two"))
		manifest.Spec.ProposedBy = world.Bob
		Expect(team.As(star).Create(manifest)).To(end(1, "may not propose in the name of bob"))
	})
})

var _ = Describe("Being two", func() {
	const role = "arn:aws:sts::123456789012:assumed-role/approvers/"

	It("sessions of one role are one approval", func() {
		team := w.NewTeam(world.Options{
			Live: live(), Approvers: []string{role + "monday", role + "tuesday", world.Carol},
			Policy: func(p *v1alpha1.SecretProjectSpec) { p.Environments[0].RequiredApprovals = ptr.To[int32](2) },
		})
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		Expect(team.As(role+"monday").SR("approve", name, "-y")).To(end(0, "1/2"))
		Expect(team.As(role+"tuesday").SR("approve", name, "-y", "--no-wait")).To(end(0))
		Eventually(func() v1alpha1.SecretChange { return team.Change(name) }).Should(SatisfyAll(
			HaveField("Spec.Reviews", HaveLen(2)),
			Satisfy(func(c v1alpha1.SecretChange) bool { return c.Status.ObservedGeneration == c.Generation }),
		))
		Expect(team.Change(name).Status).To(And(HaveField("Phase", v1alpha1.PhasePending), HaveField("Approvals", "1/2")))
		Expect(team.LiveValues()).To(Equal(live()))
		Expect(team.As(world.Carol).SR("approve", name, "-y")).To(end(0, "is applied"))
	})

	It("a role that everybody is bound to approves for nobody's second self", func() {
		team := w.NewTeam(world.Options{Live: live(), Approvers: []string{world.Bob}})
		attacker(team, star, everything)
		admin := team.As(star)
		Expect(admin.Kubectl("create", "rolebinding", "everybody", "-n", team.Namespace, "--clusterrole=secretreview-approver", "--group=system:authenticated")).
			To(end(0), "a namespace admin may")
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		By("the proposer is still its proposer")
		Eventually(func() world.Result { return team.As(world.Alice).SR("approve", name, "-y", "--without-values") }).Should(fail(3, "somebody else's approval"))
		Expect(team.As(world.Alice).Kubectl("patch", "schg", name, "-n", team.Namespace, "--type=json", "-p",
			`[{"op":"add","path":"/spec/reviews/-","value":{"reviewer":"alice","verdict":"Approved"}}]`)).To(end(1, "denied request"))
		By("a ServiceAccount is one of everybody, and still no reviewer")
		robot(team, "anybody", "secretreview-viewer")
		token := admin.Kubectl("create", "token", "anybody", "-n", team.Namespace)
		Expect(admin.WithToken(strings.TrimSpace(token.Out)).SR("approve", name, "-y", "--without-values")).To(end(6))
		Expect(team.Change(name).Spec.Reviews).To(BeEmpty())
	})
})

// robot makes a ServiceAccount in a team's namespace and gives it a role there, as a namespace admin can.
func robot(team *world.Team, name, role string) {
	GinkgoHelper()
	team.Apply(
		&corev1.ServiceAccount{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"}, ObjectMeta: metav1.ObjectMeta{Namespace: team.Namespace, Name: name},
		},
		bound(team, "ClusterRole", role, rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: team.Namespace, Name: name}),
	)
}
