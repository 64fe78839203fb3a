package attack

import (
	"encoding/json"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/utils/ptr"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/test/e2e/world"
	"github.com/secretreview/secretreview/test/install"
)

// ourVerbs are those that only a ClusterRoleBinding gives.
var ourVerbs = []string{"administer", "vouch", "purge"}

var _ = Describe("A namespace admin", Ordered, func() {
	var team *world.Team
	var admin *world.Shell
	var done, pending string
	var project string
	BeforeAll(func() {
		team = w.NewTeam(world.Options{Live: live()})
		admin = attacker(team, star, everything)
		done = team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(done, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).SR("approve", done, "-y")).To(end(0, "is applied"))
		pending = team.As(world.Alice).Propose("--set", "A="+w.Secret("two"))
		team.Await(pending, v1alpha1.PhasePending)
		project = team.Admin("get", "sproj", team.Project, "-o", "jsonpath={.spec}{.metadata.labels}{.metadata.annotations}")
	})
	AfterEach(func() {
		Expect(team.Admin("get", "sproj", team.Project, "-o", "jsonpath={.spec}{.metadata.labels}{.metadata.annotations}")).To(Equal(project))
		Expect(team.Change(done).Status.Phase).To(Equal(v1alpha1.PhaseApplied))
		Expect(team.LiveValues()).To(HaveKeyWithValue("A", w.Secret("one")))
	})
	manifest := func(edit func(*v1alpha1.SecretProject)) string {
		GinkgoHelper()
		p := &v1alpha1.SecretProject{}
		Expect(json.Unmarshal([]byte(team.Admin("get", "sproj", team.Project, "-o", "json")), p)).To(Succeed())
		p.ManagedFields, p.UID, p.ResourceVersion = nil, "", ""
		edit(p)
		text, err := json.Marshal(p)
		Expect(err).NotTo(HaveOccurred())
		return string(text)
	}
	lax := func(p *v1alpha1.SecretProject) { p.Spec.Environments[0].RequiredApprovals = ptr.To[int32](0) }

	const administer = "ask for the verb administer"
	DescribeTable("does not change the policy", func(says string, args ...string) {
		Expect(admin.Kubectl(append(args, "-n", team.Namespace)...)).To(end(1, says))
	},
		Entry("by deleting all projects", administer, "delete", "sproj", "--all"),
		Entry("by labels", administer, "label", "sproj", "--all", "a=b"),
		Entry("by annotations", administer, "annotate", "sproj", "--all", "a=b"),
	)
	It("does not change the policy by any kind of patch, replacement or apply", func() {
		for _, args := range [][]string{
			{"patch", "sproj", team.Project, "--type=merge", "-p", `{"spec":{"preventSelfApproval":false}}`},
			{"patch", "sproj", team.Project, "--type=json", "-p", `[{"op":"replace","path":"/spec/environments/0/requiredApprovals","value":0}]`},
			{"patch", "sproj", team.Project, "--type=merge", "-p", `{"metadata":{"generateName":"x"}}`},
		} {
			Expect(admin.Kubectl(append(args, "-n", team.Namespace)...)).To(end(1, administer), args[3])
		}
		for _, args := range [][]string{
			{"replace", "-f", "-"},
			{"apply", "--server-side", "--force-conflicts", "-f", "-"},
			{"apply", "--server-side", "--force-conflicts", "--field-manager=secretreview-manager", "-f", "-"},
			{"replace", "--force", "-f", "-"},
		} {
			Expect(admin.Feed(manifest(lax), "kubectl", args...)).To(end(1, administer), args)
		}
		Expect(admin.Feed(manifest(func(p *v1alpha1.SecretProject) { p.Name = "another"; lax(p) }), "kubectl", "create", "-f", "-")).To(end(1, administer))
	})
	It("does not write what only the manager does, by any subresource", func() {
		for _, kind := range []string{"sproj/" + team.Project, "schg/" + done, "schg/" + pending} {
			Expect(admin.Kubectl("patch", kind, "-n", team.Namespace, "--subresource=status", "--type=merge", "-p", `{"status":{"message":"mine"}}`)).
				To(end(1, "only the secretreview manager may"), kind)
			Expect(admin.Kubectl("patch", kind, "-n", team.Namespace, "--subresource=scale", "--type=merge", "-p", `{"spec":{"replicas":0}}`).Code).NotTo(BeZero(), kind)
			Expect(admin.Kubectl("scale", kind, "-n", team.Namespace, "--replicas=0").Code).NotTo(BeZero(), kind)
			for _, subresource := range []string{"finalizers", "production", "approve"} {
				status, answer := send(star, "POST", "/apis/secretreview.dev/v1alpha1/namespaces/"+team.Namespace+"/secretprojects/"+team.Project+"/"+subresource,
					"application/json", "{}")
				Expect(status).To(BeNumerically(">=", 404), answer)
			}
		}
	})

	DescribeTable("gets no verb that a ClusterRoleBinding gives from a role of their own", func(names func() []string) {
		role := &rbacv1.PolicyRule{APIGroups: []string{"secretreview.dev"}, Resources: []string{"secretprojects", "secretprojects/production"}, Verbs: ourVerbs, ResourceNames: names()}
		text, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "List", "items": []any{
			map[string]any{
				"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": map[string]any{"name": "ours", "namespace": team.Namespace},
				"rules": []any{role},
			},
			bound(team, "Role", "ours", rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: star}),
		}})
		Expect(err).NotTo(HaveOccurred())
		Expect(admin.Feed(string(text), "kubectl", "apply", "-f", "-")).To(end(0), "a namespace admin may")
		Eventually(func() world.Result {
			return admin.Kubectl("auth", "can-i", "purge", "secretprojects.secretreview.dev/"+names()[0], "-n", team.Namespace)
		}).Should(end(0))
		Expect(admin.Kubectl("patch", "sproj", team.Project, "-n", team.Namespace, "--type=merge", "-p", `{"spec":{"suspend":true}}`)).To(end(1, administer))
		Expect(admin.Kubectl("delete", "schg", done, "-n", team.Namespace)).To(end(1, "ask for the verb purge"))
		Expect(admin.Kubectl("patch", "schg", pending, "-n", team.Namespace, "--type=json", "-p",
			`[{"op":"add","path":"/spec/reviews/-","value":{"reviewer":"bob","verdict":"Approved"}}]`)).To(end(1, "ask for the verb vouch"))
	},
		Entry("on the project's name", func() []string { return []string{team.Project} }),
		Entry("on the name that only a cluster's role should have", func() []string { return []string{team.Namespace + "/" + team.Project} }),
	)
	It("gives themselves no role of the cluster", func() {
		for _, args := range [][]string{
			{"create", "clusterrole", "mine", "--verb=administer", "--resource=secretprojects.secretreview.dev"},
			{"create", "clusterrolebinding", "mine", "--clusterrole=secretreview-cluster-administer", "--user=star"},
			{"patch", "clusterrole", "secretreview-viewer", "--type=merge", "-p", `{"metadata":{"labels":{"rbac.authorization.k8s.io/aggregate-to-admin":"true"}}}`},
		} {
			Expect(admin.Kubectl(args...)).To(end(1, "forbidden"), args)
		}
	})
	It("touches neither policies nor CRDs, nor what the API server does to requests", func() {
		for _, args := range [][]string{
			{"delete", "validatingadmissionpolicy", "secretreview-identity"},
			{"delete", identityBinding},
			{"delete", "crd", "secretchanges.secretreview.dev"},
			{"patch", "crd", "secretchanges.secretreview.dev", "--type=merge", "-p", `{"spec":{"scope":"Cluster"}}`},
		} {
			Expect(admin.Kubectl(args...)).To(end(1, "forbidden"), args)
		}
		for _, kind := range []string{"validatingadmissionpolicies", "mutatingwebhookconfigurations", "validatingwebhookconfigurations"} {
			status, answer := send(star, "POST", "/apis/admissionregistration.k8s.io/v1/"+kind, "application/json", "{}")
			Expect(status).To(Equal(403), answer)
		}
	})
	It("reaches nothing of the manager's namespace: its lease, its record of the policies, its tokens and pods", func() {
		for _, args := range [][]string{
			{"delete", "lease", "secretreview-manager"},
			{"patch", "lease", "secretreview-manager", "--type=merge", "-p", `{"spec":{"holderIdentity":"me"}}`},
			{"get", "configmap", "secretreview-admission"},
			{"patch", "configmap", "secretreview-admission", "--type=merge", "-p", `{"data":{"record.json":"{}"}}`},
			{"delete", "configmap", "secretreview-admission"},
			{"get", "secrets"},
			{"create", "serviceaccount", "mine"},
			{"delete", "deployment", "secretreview-manager"},
			{"run", "mine", "--image=x"},
		} {
			Expect(admin.Kubectl(append(args, "-n", install.Namespace)...)).To(end(1, "forbidden"), args)
		}
	})
})

var _ = Describe("Who may write roles of the cluster, but not raise their own rights", func() {
	It("gets none of our verbs by a role, a binding or an aggregation", func() {
		team := w.NewTeam(world.Options{Live: live()})
		roles := clusterwide(team, "roles", rbacv1.PolicyRule{
			APIGroups: []string{rbacv1.GroupName}, Resources: []string{"clusterroles", "clusterrolebindings", "roles", "rolebindings"},
			Verbs: []string{"get", "list", "create", "update", "patch"},
		})
		can := func() world.Result { return roles.Kubectl("auth", "can-i", "create", "clusterroles") }
		Eventually(can).Should(end(0))
		for _, verb := range ourVerbs {
			Expect(roles.Kubectl("create", "clusterrole", "mine", "--verb="+verb, "--resource=secretprojects.secretreview.dev")).
				To(end(1, "attempting to grant RBAC permissions not currently held"))
			Expect(roles.Kubectl("create", "clusterrolebinding", "mine", "--clusterrole=secretreview-cluster-"+verb, "--user=roles")).
				To(end(1, "attempting to grant RBAC permissions not currently held"))
		}
		Expect(roles.Feed(`{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"mine"},
			"aggregationRule":{"clusterRoleSelectors":[{"matchExpressions":[{"key":"app.kubernetes.io/name","operator":"Exists"}]}]},"rules":[]}`, "kubectl", "create", "-f", "-")).
			To(end(1, "aggregation"))
	})
})

var _ = Describe("A project that is deleted and made again under its name", func() {
	It("between review and approval takes no approval that was given under the first", func() {
		team := w.NewTeam(world.Options{Live: live(), Policy: func(p *v1alpha1.SecretProjectSpec) { p.Environments[0].RequiredApprovals = ptr.To[int32](2) }})
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).SR("approve", name, "-y", "--no-wait")).To(end(0))
		Eventually(func() string { return team.Change(name).Status.Approvals }).Should(Equal("1/2"))

		team.Admin("delete", "sproj", team.Project, "--timeout=60s")
		again := fmt.Sprintf(`{"apiVersion":"secretreview.dev/v1alpha1","kind":"SecretProject","metadata":{"name":%q,"namespace":%q},
			"spec":{"environments":[{"name":"production","requiredApprovals":1}]}}`, team.Project, team.Namespace)
		Expect(team.As(world.Admin).Feed(again, "kubectl", "create", "-f", "-")).To(end(0))
		team.AwaitReady()

		By("one approval would be enough by now, and the one that there is was given under another policy")
		Eventually(func() []string { return team.Change(name).Status.Admission.Discounted }).Should(ConsistOf(world.Bob))
		change := team.AwaitReason(name, v1alpha1.ConditionApproved, v1alpha1.ReasonReviewAnew)
		Expect(change.Status.Phase).To(Equal(v1alpha1.PhasePending))
		Expect(change.Status.Message).To(ContainSubstring("another person must review"))
		Expect(team.LiveValues()).To(Equal(live()))
		Expect(team.As(world.Carol).SR("approve", name, "-y")).To(end(0, "is applied"))
	})

	It("or a namespace so, gives nobody a policy who may only make namespaces", func() {
		team := w.NewTeam(world.Options{Live: live()})
		mover := clusterwide(team, "mover", rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"namespaces"}, Verbs: []string{"*"}},
			rbacv1.PolicyRule{APIGroups: []string{"secretreview.dev"}, Resources: []string{"*"}, Verbs: []string{"get", "list", "watch", "create", "update", "patch", "delete"}})
		Eventually(func() world.Result { return mover.Kubectl("auth", "can-i", "create", "sproj", "-n", team.Namespace) }).Should(end(0))
		Expect(mover.Kubectl("delete", "namespace", team.Namespace, "--timeout=60s")).To(end(0))
		Expect(mover.Kubectl("create", "namespace", team.Namespace)).To(end(0))
		lax := fmt.Sprintf(`{"apiVersion":"secretreview.dev/v1alpha1","kind":"SecretProject","metadata":{"name":%q,"namespace":%q},
			"spec":{"environments":[{"name":"production","requiredApprovals":0}]}}`, team.Project, team.Namespace)
		Expect(mover.Feed(lax, "kubectl", "create", "-f", "-")).To(end(1, "ask for the verb administer"))
		Expect(team.LiveValues()).To(Equal(live()))
	})
})
