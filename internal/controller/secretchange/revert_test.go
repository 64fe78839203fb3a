package secretchange_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
)

var _ = Describe("Going back", func() {
	var (
		t             *team
		rob           client.Client
		first, second *v1alpha1.SecretChange
	)

	// apply proposes, has it approved and waits until it is live.
	apply := func(wanted map[string]string) *v1alpha1.SecretChange {
		GinkgoHelper()
		c := t.propose(wanted, nil)
		approveAs(t.bob, "bob", c)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhaseApplied))
		t.report()
		return c
	}
	current := func() v1alpha1.VersionID {
		GinkgoHelper()
		secret, err := store.Describe(ctx, t.live)
		Expect(err).NotTo(HaveOccurred())
		return v1alpha1.VersionID(secret.Current())
	}
	goBack := func(who client.Client, user string, source v1alpha1.SecretChangeSpec, reviews ...v1alpha1.Review) *v1alpha1.SecretChange {
		GinkgoHelper()
		c := &v1alpha1.SecretChange{ObjectMeta: metav1.ObjectMeta{GenerateName: "back-", Namespace: t.namespace}, Spec: v1alpha1.SecretChangeSpec{
			Project: "api", Environment: environment, Reason: "it broke the login", ProposedBy: user, BaseVersionID: current(),
			Rollback: source.Rollback, Restore: source.Restore, Reviews: reviews,
		}}
		Expect(who.Create(ctx, c)).To(Succeed())
		return c
	}
	rollback := func(c *v1alpha1.SecretChange) v1alpha1.SecretChangeSpec {
		return v1alpha1.SecretChangeSpec{Rollback: &v1alpha1.RollbackSource{Change: c.Name}}
	}
	own := v1alpha1.Review{Reviewer: "rob", Verdict: v1alpha1.VerdictApproved}

	BeforeEach(func() {
		t = newTeam(map[string]string{"A": "1", "B": "2"}, nil)
		t.grant("rob", "secretreview-rollbacker")
		rob = as(api.UserConfig("rob"))
		first = apply(map[string]string{"A": "one", "B": "2"})
		second = apply(map[string]string{"A": "one", "B": "two", "C": "3"})
	})

	It("by a rollback undoes one change alone, and shows its keys to the reviewers", func() {
		c := goBack(t.alice, "alice", rollback(first))
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhasePending))
		Expect(t.status(c)().Diff).To(ConsistOf(v1alpha1.KeyChange{Key: "A", Type: v1alpha1.KeyModified}))
		Expect(t.status(c)().Revert).To(Equal(&v1alpha1.Revert{
			FromVersionID: t.status(first)().AppliedVersionID, ToVersionID: t.status(first)().PreviousVersionID}))
		approveAs(t.bob, "bob", c)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhaseApplied))
		Expect(t.liveValues()).To(Equal(map[string]string{"A": "1", "B": "two", "C": "3"}))
	})

	It("needs nobody else of who holds the verb rollback, to what a change wrote", func() {
		c := goBack(rob, "rob", rollback(second), own)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhaseApplied))
		Expect(t.liveValues()).To(Equal(map[string]string{"A": "one", "B": "2"}))
		Expect(t.status(c)().Decision.Approvers).To(ConsistOf("rob"))
		secret, err := store.Describe(ctx, t.live)
		Expect(err).NotTo(HaveOccurred())
		Expect(secret.VersionWith(naming.VersionLabel(string(c.UID)))).To(Equal(secret.Current()))
	})

	It("needs the quorum to what no change wrote", func() {
		c := goBack(rob, "rob", rollback(first), own)
		Eventually(t.status(c)).Should(And(bePhase(v1alpha1.PhasePending), say("1 more approval")))
		approveAs(t.bob, "bob", c)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhaseApplied))
		Expect(t.liveValues()).To(Equal(map[string]string{"A": "1", "B": "two", "C": "3"}))
	})

	It("by a restore puts the whole environment back, as deep as versions are kept", func() {
		baseline := t.status(first)().PreviousVersionID
		secret, err := store.Describe(ctx, t.live)
		Expect(err).NotTo(HaveOccurred())
		Expect(secret.VersionWith(naming.KeptLabel(string(first.UID)))).To(Equal(baseline), "what no change wrote is kept, too")
		c := goBack(t.alice, "alice", v1alpha1.SecretChangeSpec{Restore: &v1alpha1.RestoreSource{VersionID: v1alpha1.VersionID(baseline)}})
		approveAs(t.bob, "bob", c)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhaseApplied))
		Expect(t.liveValues()).To(Equal(map[string]string{"A": "1", "B": "2"}))
		t.report()

		c = goBack(rob, "rob", v1alpha1.SecretChangeSpec{Restore: &v1alpha1.RestoreSource{Change: second.Name}}, own)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhaseApplied))
		Expect(t.liveValues()).To(Equal(map[string]string{"A": "one", "B": "two", "C": "3"}))
	})

	It("of a key that a later change touched says so, and changes nothing", func() {
		apply(map[string]string{"A": "again", "B": "two", "C": "3"})
		c := goBack(rob, "rob", rollback(first), own)
		Eventually(t.status(c)).Should(And(bePhase(v1alpha1.PhaseConflicted), say(`Later changes have touched "A"`)))
		Expect(t.liveValues()).To(HaveKeyWithValue("A", "again"))
	})

	It("by a version that AWS no longer has is said at once", func() {
		gone := goBack(t.alice, "alice", v1alpha1.SecretChangeSpec{Restore: &v1alpha1.RestoreSource{VersionID: "00000000-0000-4000-8000-00000000dead"}})
		Eventually(t.status(gone)).Should(And(bePhase(v1alpha1.PhaseInvalid), say("no longer has version")))
		other := goBack(t.alice, "alice", v1alpha1.SecretChangeSpec{Rollback: &v1alpha1.RollbackSource{Change: "never-was"}})
		Eventually(t.status(other)).Should(And(bePhase(v1alpha1.PhaseInvalid), say(`no change "never-was"`)))
	})
})
