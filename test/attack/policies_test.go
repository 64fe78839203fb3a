package attack

import (
	"encoding/json"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/test/e2e/world"
)

const identityBinding = "validatingadmissionpolicybinding/secretreview-identity"

// unguarded takes the identity policy's binding away, and returns once it no longer stands in the way. The returned function
// puts it back, and returns once the manager trusts identities again.
func unguarded(team *world.Team) (restore func()) {
	GinkgoHelper()
	admin := team.As(world.Admin)
	admin.Write("binding.json", team.Admin("get", identityBinding, "-o", "json"))
	restored := false
	restore = func() {
		GinkgoHelper()
		if !restored {
			restored = true
			Expect(admin.Kubectl("replace", "--force", "-f", "binding.json")).To(end(0))
			team.AwaitReady()
		}
	}
	DeferCleanup(restore)
	team.Admin("delete", identityBinding)
	return restore
}

var _ = Describe("While a cluster administrator has the identity policy taken away, and puts it back", func() {
	var team *world.Team
	var admin *world.Shell
	var name string
	BeforeEach(func() {
		team = w.NewTeam(world.Options{Live: live()})
		admin = attacker(team, star, everything)
		name = team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
	})
	patch := func(name, subresource, patch string) func() world.Result {
		args := []string{"patch", "schg", name, "-n", team.Namespace, "--type=merge", "-p", patch}
		if subresource != "" {
			args = append(args, "--subresource="+subresource)
		}
		return func() world.Result { return admin.Kubectl(args...) }
	}
	forgedReview := `{"spec":{"reviews":[{"reviewer":"bob","verdict":"Approved"}]}}`
	// epoch is the one in which a change's reviews were checked.
	epoch := func(name string) int64 {
		GinkgoHelper()
		record := team.Change(name).Status.Admission
		Expect(record).NotTo(BeNil())
		return record.Epoch
	}
	// nothingApplied waits until the manager has seen a change anew, and holds that it did not believe the forgery.
	nothingApplied := func(name string) {
		GinkgoHelper()
		team.AwaitReason(name, v1alpha1.ConditionApproved, v1alpha1.ReasonReviewAnew)
		change := team.Change(name)
		Expect(change.Status.Phase).To(Equal(v1alpha1.PhasePending))
		Expect(change.Status.Admission.Discounted).To(ContainElement(world.Bob))
		Expect(team.LiveValues()).To(Equal(live()))
	}

	It("a review forged meanwhile does not count", func() {
		restore := unguarded(team)
		Eventually(patch(name, "", forgedReview)).Should(end(0))
		restore()
		nothingApplied(name)
		Expect(team.As(world.Carol).SR("approve", name, "-y")).To(end(0, "is applied"))
	})

	It("nor does one where status claims that it was checked in the epoch to come", func() {
		now := epoch(name)
		restore := unguarded(team)
		Eventually(patch(name, "", forgedReview)).Should(end(0))
		team.AwaitReason(name, v1alpha1.ConditionApplied, v1alpha1.ReasonPoliciesWeakened)
		Expect(patch(name, "status", fmt.Sprintf(`{"status":{"admission":{"epoch":%d}}}`, now+1))()).To(end(0))
		restore()
		nothingApplied(name)
	})

	It("a change forged meanwhile in somebody's name, with all that status can claim, is not applied", func() {
		now := epoch(name)
		manifest := team.As(world.Alice).Manifest("--set", "A="+w.Secret("forged"))
		restore := unguarded(team)
		manifest.Spec.Reviews = []v1alpha1.Review{{Reviewer: world.Bob, Verdict: v1alpha1.VerdictApproved}}
		Eventually(func() world.Result { return admin.Create(manifest) }).Should(end(0))
		claims := fmt.Sprintf(`{"status":{"phase":"Approved","admission":{"epoch":%d},"decision":{"approvers":["bob"],"requiredApprovals":1},"approvals":"1/1"}}`, now+1)
		Expect(patch(manifest.Name, "status", claims)()).To(end(0))
		restore()
		nothingApplied(manifest.Name)
	})

	It("a change forged meanwhile that claims nothing ends as invalid", func() {
		manifest := team.As(world.Alice).Manifest("--set", "A="+w.Secret("forged"))
		restore := unguarded(team)
		manifest.Spec.Reviews = []v1alpha1.Review{{Reviewer: world.Bob, Verdict: v1alpha1.VerdictApproved}}
		Eventually(func() world.Result { return admin.Create(manifest) }).Should(end(0))
		restore()
		Expect(team.Await(manifest.Name, v1alpha1.PhaseInvalid).Status.Message).To(ContainSubstring("not known to be in force"))
		Expect(team.LiveValues()).To(Equal(live()))
	})

	It("reviewers are shown what a change does, not what somebody wrote into its status meanwhile", func() {
		restore := unguarded(team)
		harmless := `{"status":{"diff":[{"key":"HARMLESS","type":"Added"}],"diffCounts":{"added":1,"modified":0,"removed":0},"summary":"+1"}}`
		Eventually(patch(name, "status", harmless)).Should(end(0))
		restore()
		Eventually(func() []v1alpha1.KeyChange { return team.Change(name).Status.Diff }).Should(ConsistOf(v1alpha1.KeyChange{Key: "A", Type: v1alpha1.KeyModified}))
		Expect(team.As(world.Bob).SR("review", name, "--without-values")).To(end(0, "~ A"))
	})

	It("what was forged into the manager's own finished records changes nothing that is live", func() {
		Expect(team.As(world.Bob).SR("approve", name, "-y")).To(end(0, "is applied"))
		values := team.LiveValues()
		restore := unguarded(team)
		refused := patch(name, "status", `{"status":{"phase":"Pending"}}`)
		Eventually(refused).Should(end(1, "a finished phase never changes"))
		restore()
		Expect(team.LiveValues()).To(Equal(values))
	})

	It("weakening the CRD's rules instead is seen, too", func() {
		crd := "customresourcedefinition/secretchanges.secretreview.dev"
		var before map[string]any
		Expect(json.Unmarshal([]byte(team.Admin("get", crd, "-o", "json")), &before)).To(Succeed())
		root := team.As(world.Admin)
		text, err := json.Marshal(before)
		Expect(err).NotTo(HaveOccurred())
		root.Write("crd.json", string(text))
		DeferCleanup(func() {
			GinkgoHelper()
			var now map[string]any
			Expect(json.Unmarshal([]byte(team.Admin("get", crd, "-o", "json")), &now)).To(Succeed())
			now["spec"] = before["spec"]
			text, err := json.Marshal(now)
			Expect(err).NotTo(HaveOccurred())
			root.Write("crd.json", string(text))
			Expect(root.Kubectl("replace", "-f", "crd.json")).To(end(0))
			team.AwaitReady()
		})
		weak := strings.Replace(string(text), `"maxItems":16`, `"maxItems":17`, 1)
		Expect(weak).NotTo(Equal(string(text)))
		root.Write("crd.json", weak)
		Expect(root.Kubectl("replace", "-f", "crd.json")).To(end(0))
		team.AwaitReason(name, v1alpha1.ConditionApplied, v1alpha1.ReasonPoliciesWeakened)
		Expect(team.As(world.Bob).SR("approve", name, "-y", "--no-wait")).To(end(0))
		Expect(team.LiveValues()).To(Equal(live()))
	})
})
