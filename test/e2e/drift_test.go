package e2e

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/test/e2e/world"
)

var _ = Describe("What is live without a review", func() {
	var team *world.Team
	var alice, bob *world.Shell

	BeforeEach(func() {
		team = w.NewTeam(world.Options{Live: map[string]string{"A": w.Secret("a")}})
		alice, bob = team.As(world.Alice), team.As(world.Bob)
	})

	// goBack returns a change that goes back to something.
	goBack := func(name, base string, edit func(*v1alpha1.SecretChangeSpec)) *v1alpha1.SecretChange {
		change := &v1alpha1.SecretChange{}
		change.Namespace, change.Name = team.Namespace, name
		change.Spec = v1alpha1.SecretChangeSpec{
			Project: team.Project, Environment: world.Production, Reason: "because", ProposedBy: world.Alice, BaseVersionID: v1alpha1.VersionID(base),
		}
		edit(&change.Spec)
		return change
	}

	It("shows as drift, and is adopted by a change that restores it", func() {
		version := team.SetLive(world.Production, map[string]string{"A": w.Secret("by-hand")})
		Eventually(func() string { return team.ProjectStatus().DriftedNames }).Should(Equal(world.Production))
		Expect(bob.SR("status")).To(end(0, "drift"))
		Expect(alice.SR("propose", "-r", "because", "--set", "A="+w.Secret("one"), "--dry-run")).To(end(0, "Warning", "has drifted"))

		Expect(alice.Create(goBack("adopt", version, func(s *v1alpha1.SecretChangeSpec) {
			s.Restore = &v1alpha1.RestoreSource{VersionID: v1alpha1.VersionID(version)}
		}))).To(end(0))
		team.Await("adopt", v1alpha1.PhasePending)
		Expect(bob.SR("approve", "adopt", "-y")).To(end(0, "is applied", "adopted"))
		Eventually(func() string { return team.ProjectStatus().DriftedNames }).Should(BeEmpty())
		Expect(team.LiveValues()).To(HaveKeyWithValue("A", w.Secret("by-hand")))
	})
})

var _ = Describe("Without the policies that guard identities", func() {
	It("nothing is applied, and afterwards approvals that may have been forged do not count", func() {
		const binding = "validatingadmissionpolicybinding/secretreview-identity"
		team := w.NewTeam(world.Options{Live: map[string]string{"A": w.Secret("a")}})
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		admin := team.As(world.Admin)
		admin.Write("binding.json", team.Admin("get", binding, "-o", "json"))
		restore := func() {
			GinkgoHelper()
			Expect(admin.Kubectl("replace", "--force", "-f", "binding.json")).To(end(0))
			team.AwaitReady()
		}
		mended := false
		DeferCleanup(func() {
			if !mended {
				restore()
			}
		})
		team.Admin("delete", binding)

		By("while it is missing, even an honest approval applies nothing")
		Expect(team.As(world.Bob).SR("approve", name, "-y", "--no-wait")).To(end(0))
		team.AwaitReason(name, v1alpha1.ConditionApplied, v1alpha1.ReasonPoliciesWeakened)
		alice := team.As(world.Alice)
		Eventually(func() world.Result { return alice.SR("propose", "-r", "because", "--set", "A=1", "--dry-run") }).Should(end(0, "are not in force"))

		By("when it is back, somebody else must approve")
		restore()
		mended = true
		team.AwaitReason(name, v1alpha1.ConditionApproved, v1alpha1.ReasonReviewAnew)
		Expect(team.LiveValues()).To(HaveKeyWithValue("A", w.Secret("a")))
		Expect(team.As(world.Carol).SR("approve", name, "-y")).To(end(0, "is applied"))
		Expect(team.Change(name).Status.Decision.Approvers).To(ConsistOf(world.Carol))
	})
})
