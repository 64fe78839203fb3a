package e2e

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/test/e2e/world"
)

var _ = Describe("A change that is kept in Git", func() {
	var team *world.Team
	var alice *world.Shell

	BeforeEach(func() {
		team = w.NewTeam(world.Options{Live: map[string]string{"A": w.Secret("a")}})
		alice = team.As(world.Alice)
	})

	// manifest stages a change and writes what sr prints into a file.
	manifest := func() (name string) {
		GinkgoHelper()
		printed := alice.SR("propose", "-r", "because", "--set", "A="+w.Secret("one"), "-o", "yaml")
		Expect(printed).To(end(0, "Commit the manifest"))
		Expect(printed.Out).To(And(HavePrefix("apiVersion: secretreview.dev/v1alpha1\n"), ContainSubstring("ServerSideApply=true,Prune=false,Delete=false"),
			Not(ContainSubstring("reviews")), Not(ContainSubstring("status"))))
		alice.Write("change.yaml", printed.Out)
		Expect(team.Changes()).To(BeEmpty())
		applied := alice.Kubectl("apply", "--server-side", "-f", "change.yaml")
		Expect(applied).To(end(0))
		return team.Changes()[0].Name
	}

	It("is staged first, applied from its manifest, reviewed in the cluster, and applied again without harm", func() {
		name := manifest()
		team.Await(name, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).SR("approve", name, "-y", "--no-wait", "-c", "fine")).To(end(0))
		By("Git's copy has no reviews, and takes none away")
		Expect(alice.Kubectl("apply", "--server-side", "-f", "change.yaml")).To(end(0))
		Expect(team.Await(name, v1alpha1.PhaseApplied).Spec.Reviews).To(HaveLen(1))
		Expect(team.LiveValues()).To(HaveKeyWithValue("A", w.Secret("one")))
		By("a finished change stays as it is")
		Expect(alice.Kubectl("apply", "--server-side", "-f", "change.yaml")).To(end(0))
		Expect(team.Change(name).Status.Phase).To(Equal(v1alpha1.PhaseApplied))
	})

	It("cannot be altered by altering the manifest", func() {
		name := manifest()
		team.Await(name, v1alpha1.PhasePending)
		alice.Write("change.yaml", replaced(alice.Read("change.yaml"), "reason: because", "reason: something else"))
		Expect(alice.Kubectl("apply", "--server-side", "-f", "change.yaml")).To(end(1, "reason is immutable"))
	})

	It("bears reviews only of whoever applies it", func() {
		printed := alice.SR("propose", "-r", "because", "--set", "A="+w.Secret("one"), "-o", "yaml")
		forged := printed.Out + "  reviews:\n  - reviewer: bob\n    verdict: Approved\n"
		for _, somebody := range []string{world.Alice, world.Admin} {
			Expect(team.As(somebody).Feed(forged, "kubectl", "apply", "--server-side", "-f", "-")).To(end(1, "denied request"), somebody)
		}
		Expect(team.Changes()).To(BeEmpty())
	})
})
