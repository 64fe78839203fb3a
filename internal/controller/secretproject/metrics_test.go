package secretproject_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/controller/metrics"
)

var _ = Describe("Metrics of what is on record", func() {
	var t *team

	BeforeEach(func() {
		t = newTeam()
		t.createLive(map[string]string{"A": "1"})
		t.createProject(nil)
		t.beReady()
	})

	inPhase := func(phase v1alpha1.Phase) func() float64 {
		return func() float64 { return gauge(metrics.Changes, t.namespace, string(phase)) }
	}

	It("count changes by project and phase, those that have ended too", func() {
		c := t.propose(map[string]string{"A": "3"})
		Eventually(inPhase(v1alpha1.PhasePending)).Should(Equal(1.0))
		Expect(gauge(metrics.OldestChange, t.namespace, string(v1alpha1.PhasePending))).To(BeEquivalentTo(c.CreationTimestamp.Unix()))
		t.review(c, v1alpha1.VerdictRejected)
		Eventually(inPhase(v1alpha1.PhaseRejected)).Should(Equal(1.0))
		Expect(inPhase(v1alpha1.PhasePending)()).To(BeZero())
		Expect(series(metrics.OldestChange, t.namespace)).To(BeEmpty())
		Expect(counter(metrics.Transitions, string(v1alpha1.PhaseRejected))).To(BeNumerically(">=", 1))
		Expect(gauge(metrics.PoliciesInForce)).To(Equal(1.0))
		Expect(gauge(metrics.InventoryTaken)).To(BeNumerically(">", 1))
	})

	It("tell since when an approved change waits, and whether it may", func() {
		suspend := func(s bool) {
			GinkgoHelper()
			var p v1alpha1.SecretProject
			Expect(t.ada.Get(ctx, client.ObjectKeyFromObject(t.project), &p)).To(Succeed())
			p.Spec.Environments[0].Suspend = ptr.To(s)
			Expect(t.ada.Update(ctx, &p)).To(Succeed())
		}
		Expect(gauge(metrics.Suspended, t.namespace)).To(BeZero())
		suspend(true)
		Eventually(func() float64 { return gauge(metrics.Suspended, t.namespace) }).Should(Equal(1.0))

		c := t.propose(map[string]string{"A": "2"})
		t.review(c, v1alpha1.VerdictApproved)
		Eventually(inPhase(v1alpha1.PhaseApproved)).Should(Equal(1.0))
		var now v1alpha1.SecretChange
		Expect(t.alice.Get(ctx, client.ObjectKeyFromObject(c), &now)).To(Succeed())
		decided := now.Status.DecidedAt.Truncate(time.Millisecond)
		Expect(gauge(metrics.OldestChange, t.namespace, string(v1alpha1.PhaseApproved))).To(Equal(float64(decided.UnixMilli()) / 1000))

		suspend(false)
		Eventually(inPhase(v1alpha1.PhaseApplied)).Should(Equal(1.0))
		Expect(series(metrics.OldestChange, t.namespace)).To(BeEmpty())
	})

	It("show nothing of projects and environments that only a change names", func() {
		c := &v1alpha1.SecretChange{}
		c.Namespace, c.Name = t.namespace, t.nextName()
		c.Spec = v1alpha1.SecretChangeSpec{Project: "made-up", Environment: production, Reason: "because", ProposedBy: "alice",
			BaseVersionID: "11111111-1111-1111-1111-111111111111",
			Restore:       &v1alpha1.RestoreSource{VersionID: "11111111-1111-1111-1111-111111111111"}}
		Expect(t.alice.Create(ctx, c)).To(Succeed())
		Eventually(func() v1alpha1.Phase {
			var now v1alpha1.SecretChange
			Expect(t.alice.Get(ctx, client.ObjectKeyFromObject(c), &now)).To(Succeed())
			return now.Status.Phase
		}).Should(Equal(v1alpha1.PhaseInvalid))
		Expect(series(metrics.Changes, "made-up")).To(BeEmpty())
	})
})
