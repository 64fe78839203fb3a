package disaster_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

var _ = Describe("Objects that Velero restores into a new cluster", func() {
	var aws *account
	var site *site
	var value, version string
	var moves int
	// The changes of the cluster that is lost.
	var first, second, undone, rejected, pending, half string

	// restore makes the backup of a cluster that then is lost, and restores it into a new one.
	restore := func(withStatus bool) {
		GinkgoHelper()
		aws = newAccount("production", "dev")
		lost := newSite(aws)
		lost.createProject(map[string]int32{"production": 1, "dev": 2})
		Eventually(lost.ready).Should(Equal(v1alpha1.ReasonReady))
		first = lost.apply("production", "2", "bob")
		second = lost.apply("production", "3", "bob")
		undone = lost.created("rollback", second, "-r", "because", "-y", "--no-wait")
		lost.approve("bob", undone)
		lost.await(undone, v1alpha1.PhaseApplied)
		rejected = lost.propose("production", "4")
		lost.run("bob", "sr", "reject", rejected, "-n", namespace, "-y", "-c", "no")
		lost.await(rejected, v1alpha1.PhaseRejected)
		pending = lost.propose("production", "5")
		half = lost.propose("dev", "2")
		lost.approve("bob", half)
		backup := lost.backup()
		lost.stopManager()
		value, version = aws.live("production")
		moves = aws.moves()

		site = newSite(aws)
		site.bringBack(backup, withStatus)
	}

	// nothingApplied holds that what is live is what was live.
	nothingApplied := func() {
		GinkgoHelper()
		Expect(aws.moves()).To(Equal(moves))
		nowValue, nowVersion := aws.live("production")
		Expect([]string{nowValue, nowVersion}).To(Equal([]string{value, version}))
	}

	It("with their status are what they were, and it goes on at once", func() {
		restore(true)
		for name, phase := range map[string]v1alpha1.Phase{
			first: v1alpha1.PhaseApplied, second: v1alpha1.PhaseApplied, undone: v1alpha1.PhaseApplied, rejected: v1alpha1.PhaseRejected, pending: v1alpha1.PhasePending, half: v1alpha1.PhasePending,
		} {
			c := site.change(name)
			Expect(c.Status.Phase).To(Equal(phase), "%s: %s", name, c.Status.Message)
			Expect(c.Labels).To(HaveKeyWithValue(restoreLabel, "disaster"))
		}
		Expect(site.change(first).Status.Decision.Approvers).To(ConsistOf("bob"))
		Eventually(site.ready).Should(Equal(v1alpha1.ReasonReady))
		nothingApplied()

		By("what waited goes live")
		site.approveAnew(pending, "bob", "carol")
		By("as does what has enough approvals")
		site.approveAnew(half, "carol", "dave")

		By("and it goes back to what was applied in the cluster that is lost")
		back := site.restore("production", first)
		site.approve("bob", back)
		site.await(back, v1alpha1.PhaseApplied)
		value, _ = aws.live("production")
		Expect(value).To(Equal("2"))
		Eventually(aws.staged).Should(BeEmpty())
	})

	It("without their status are not applied again, and what waited goes on once what is live is adopted", func() {
		restore(false)
		By("what had ended ends again, and says that this is as it should be")
		for _, name := range []string{first, second} {
			Expect(site.await(name, v1alpha1.PhaseInvalid).Status.Message).To(ContainSubstring("unless it has ended before"))
		}
		site.await(undone, v1alpha1.PhaseConflicted)
		site.await(rejected, v1alpha1.PhaseRejected)
		site.await(pending, v1alpha1.PhasePending)
		site.await(half, v1alpha1.PhasePending)
		Eventually(site.ready).Should(Equal(v1alpha1.ReasonForeignVersion))
		nothingApplied()

		By("what waited is held, and goes live once what is live is adopted")
		site.approve("bob", pending)
		site.awaitReason(pending, v1alpha1.ReasonForeignVersion)
		site.adopt("production")
		site.await(pending, v1alpha1.PhaseApplied)
		value, _ = aws.live("production")
		Expect(value).To(Equal("5"))
		Eventually(site.ready).Should(Equal(v1alpha1.ReasonReady))

		By("the review that it had counts, for Velero's account vouches for it")
		site.approve("carol", half)
		site.await(half, v1alpha1.PhaseApplied)
		Eventually(aws.staged).Should(BeEmpty())
	})
})
