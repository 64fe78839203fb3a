package secretchange_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

var _ = Describe("A proposed change", func() {
	var t *team
	BeforeEach(func() { t = newTeam(map[string]string{"A": "1", "B": "2"}, nil) })

	It("waits for its review, goes live with exactly the reviewed bytes, and leaves nothing staged", func() {
		c := t.propose(map[string]string{"A": "one", "C": "3"}, nil)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhasePending))
		status := t.status(c)()
		Expect(status.Diff).To(ConsistOf(
			v1alpha1.KeyChange{Key: "A", Type: v1alpha1.KeyModified},
			v1alpha1.KeyChange{Key: "B", Type: v1alpha1.KeyRemoved},
			v1alpha1.KeyChange{Key: "C", Type: v1alpha1.KeyAdded}))
		Expect(status.Approvals).To(Equal("0/1"))
		Expect(t.liveValues()).To(Equal(map[string]string{"A": "1", "B": "2"}))

		approveAs(t.bob, "bob", c)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhaseApplied))
		Expect(t.liveValues()).To(Equal(map[string]string{"A": "one", "C": "3"}))
		Eventually(t.stagedGone(c)).Should(Equal(secretstore.KindNotFound))

		status = t.status(c)()
		secret, err := store.Describe(ctx, t.live)
		Expect(err).NotTo(HaveOccurred())
		Expect(secret.Current()).To(Equal(status.AppliedVersionID))
		Expect(secret.VersionWith(naming.VersionLabel(string(c.UID)))).To(Equal(status.AppliedVersionID))
		Expect(status.PreviousVersionID).To(Equal(string(c.Spec.BaseVersionID)))
		Expect(status.Decision.Approvers).To(ConsistOf("bob"))
		Expect(status.Decision.ProjectUID).To(Equal(t.project.UID))
		Expect(status.Decision.Policies).NotTo(BeEmpty())
		Eventually(func() []string {
			var now v1alpha1.SecretChange
			Expect(admin.Get(ctx, client.ObjectKeyFromObject(c), &now)).To(Succeed())
			return now.Finalizers
		}).Should(BeEmpty())
	})

	It("spends few calls to AWS", func() {
		// What no change wrote gets a label of its own before it is replaced: one call more, once.
		first := t.propose(map[string]string{"A": "zero"}, nil)
		approveAs(t.bob, "bob", first)
		Eventually(t.stagedGone(first)).Should(Equal(secretstore.KindNotFound))
		t.report()
		// A manager that does not know yet that the base is live asks AWS what is.
		Eventually(func() []v1alpha1.EnvironmentStatus {
			var now v1alpha1.SecretProject
			Expect(cached.Get(ctx, client.ObjectKeyFromObject(t.project), &now)).To(Succeed())
			return now.Status.Environments
		}).Should(Equal(t.project.Status.Environments))
		aws.ResetCalls()
		c := t.propose(map[string]string{"A": "one"}, nil)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhasePending))
		approveAs(t.bob, "bob", c)
		Eventually(t.stagedGone(c)).Should(Equal(secretstore.KindNotFound))
		staged := naming.StagedSecret(naming.DefaultPrefix, t.project.EffectiveProjectName(), c.Name)
		calls := map[string]int{}
		for _, call := range emulator.Invocations(aws.Calls()) {
			if (call.Secret == t.live || call.Secret == staged) && call.AccessKeyID == managerKey {
				calls[call.Operation]++
			}
		}
		Expect(calls).To(Equal(map[string]int{
			"DescribeSecret": 4, "GetSecretValue": 1, "PutSecretValue": 1, "UpdateSecretVersionStage": 1, "DeleteSecret": 1,
		}))
	})

	It("writes the first version of a secret that has none", func() {
		t := newTeam(nil, nil)
		_, err := store.Create(ctx, secretstore.CreateInput{Name: t.live, Tags: map[string]string{naming.TagOwner: naming.Owner(clusterName, t.namespace)}})
		Expect(err).NotTo(HaveOccurred())
		t.report()
		c := t.propose(map[string]string{"A": "first"}, nil)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhasePending))
		secret, err := store.Describe(ctx, t.live)
		Expect(err).NotTo(HaveOccurred())
		Expect(secret.Versions).To(BeEmpty(), "nothing is written before the approval")
		approveAs(t.bob, "bob", c)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhaseApplied))
		Expect(t.liveValues()).To(Equal(map[string]string{"A": "first"}))
		secret, err = store.Describe(ctx, t.live)
		Expect(err).NotTo(HaveOccurred())
		Expect(secret.VersionWith(naming.VersionLabel(string(c.UID)))).To(Equal(t.status(c)().AppliedVersionID))
		Expect(secret.Versions).To(HaveLen(1))
	})

	It("is rejected by one reviewer", func() {
		c := t.propose(map[string]string{"A": "one"}, nil)
		Eventually(func() error { return review(t.bob, "bob", c, v1alpha1.VerdictRejected) }).Should(Succeed())
		Eventually(t.status(c)).Should(And(bePhase(v1alpha1.PhaseRejected), say("bob")))
		Eventually(t.stagedGone(c)).Should(Equal(secretstore.KindNotFound))
		Expect(t.liveValues()).To(HaveKeyWithValue("A", "1"))
		Eventually(func() error { return review(t.carol, "carol", c, v1alpha1.VerdictApproved) }).
			Should(MatchError(ContainSubstring("finished")))
	})

	It("is withdrawn by its proposer, who may not approve", func() {
		c := t.propose(map[string]string{"A": "one"}, nil)
		Eventually(func() error { return review(t.alice, "alice", c, v1alpha1.VerdictRejected) }).Should(Succeed())
		Eventually(t.status(c)).Should(And(bePhase(v1alpha1.PhaseRejected), say("Withdrawn")))
	})

	It("takes its staged secret with it when its proposer deletes it", func() {
		c := t.propose(map[string]string{"A": "one"}, nil)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhasePending))
		Expect(t.alice.Delete(ctx, c)).To(Succeed())
		Eventually(t.stagedGone(c)).Should(Equal(secretstore.KindNotFound))
		Eventually(func() bool {
			return apierrors.IsNotFound(t.alice.Get(ctx, client.ObjectKeyFromObject(c), c))
		}).Should(BeTrue())
	})

	It("of which two clash is applied once, and the other conflicts", func() {
		first := t.propose(map[string]string{"A": "first", "B": "2"}, nil)
		second := t.propose(map[string]string{"A": "second", "B": "2"}, nil)
		Eventually(t.status(first)).Should(bePhase(v1alpha1.PhasePending))
		Eventually(t.status(second)).Should(bePhase(v1alpha1.PhasePending))
		approveAs(t.bob, "bob", first)
		approveAs(t.carol, "carol", second)
		Eventually(t.status(first)).Should(bePhase(v1alpha1.PhaseApplied))
		Eventually(t.status(second)).Should(And(bePhase(v1alpha1.PhaseConflicted), say("rebase it onto what is live now")))
		Expect(t.liveValues()).To(HaveKeyWithValue("A", "first"))
		Expect(t.stagedGone(second)()).To(BeEmpty(), "it is kept to be rebased")
		Expect(admin.Delete(ctx, second)).To(Succeed())
		Eventually(t.stagedGone(second)).Should(Equal(secretstore.KindNotFound))
	})

	It("goes live in spite of throttling, outages and lost answers", func() {
		for _, kind := range []emulator.FaultKind{emulator.FaultThrottle, emulator.FaultUnavailable, emulator.FaultLose, emulator.FaultDrop} {
			for _, op := range []string{"PutSecretValue", "UpdateSecretVersionStage", "DescribeSecret", "GetSecretValue", "DeleteSecret"} {
				DeferCleanup(aws.Inject(emulator.Fault{Kind: kind, Operations: []string{op}, Secret: "*" + t.namespace + "*", Count: 1,
					Principal: "*" + managerKey}))
			}
		}
		c := t.propose(map[string]string{"A": "one"}, nil)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhasePending))
		approveAs(t.bob, "bob", c)
		Eventually(t.status(c), time.Minute).Should(bePhase(v1alpha1.PhaseApplied))
		Expect(t.liveValues()).To(Equal(map[string]string{"A": "one"}))
		Eventually(t.stagedGone(c), time.Minute).Should(Equal(secretstore.KindNotFound))
	})

	It("is let go when what was staged is gone, also where AWS then denies to delete it", func() {
		for _, fault := range []emulator.Fault{{Kind: emulator.FaultLose, Count: 1}, {Kind: emulator.FaultDeny}} {
			fault.Operations, fault.Secret = []string{"DeleteSecret"}, "*"+t.namespace+"*"
			DeferCleanup(aws.Inject(fault))
		}
		c := t.propose(map[string]string{"A": "one"}, nil)
		approveAs(t.bob, "bob", c)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhaseApplied))
		Eventually(func() []string {
			var now v1alpha1.SecretChange
			Expect(admin.Get(ctx, client.ObjectKeyFromObject(c), &now)).To(Succeed())
			return now.Finalizers
		}).Should(BeEmpty())
	})

	It("says so while AWS denies it, and goes on when it no longer does", func() {
		remove := aws.Inject(emulator.Fault{Kind: emulator.FaultDeny, Operations: []string{"PutSecretValue"}, Secret: t.live})
		DeferCleanup(remove)
		c := t.propose(map[string]string{"A": "one"}, nil)
		approveAs(t.bob, "bob", c)
		Eventually(func() []metav1.Condition { return t.status(c)().Conditions }).Should(ContainElement(And(
			HaveField("Type", v1alpha1.ConditionApplied), HaveField("Reason", v1alpha1.ReasonAccessDenied))))
		Expect(t.status(c)().Phase).To(Equal(v1alpha1.PhaseApproved))
		Eventually(t.told).Should(ContainElement(v1alpha1.ReasonApproved))
		remove()
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhaseApplied))
	})

	It("is tried again less and less often while AWS denies it, and says so all the while", func() {
		DeferCleanup(aws.Inject(emulator.Fault{Kind: emulator.FaultDeny, Operations: []string{"UpdateSecretVersionStage"}, Secret: t.live}))
		c := t.propose(map[string]string{"A": "one"}, nil)
		approveAs(t.bob, "bob", c)
		denied := func() []time.Time {
			var times []time.Time
			for _, call := range aws.Calls() {
				if call.Operation == "UpdateSecretVersionStage" && call.Secret == t.live {
					times = append(times, call.Time)
				}
			}
			return times
		}
		Eventually(func() int { return len(denied()) }).Should(BeNumerically(">=", 3))
		hindered := func() []string {
			var reasons []string
			for _, condition := range t.status(c)().Conditions {
				if condition.Type == v1alpha1.ConditionApplied {
					reasons = append(reasons, condition.Reason)
				}
			}
			return reasons
		}
		for len(denied()) < 6 {
			Expect(hindered()).To(ConsistOf(v1alpha1.ReasonAccessDenied))
		}
		times := denied()
		Expect(times[5].Sub(times[2])).To(BeNumerically(">=", time.Second), "%v", times)
	})

	It("is told of in events with constant reasons", func() {
		c := t.propose(map[string]string{"A": "one"}, nil)
		approveAs(t.bob, "bob", c)
		Eventually(t.told).Should(ContainElements(v1alpha1.ReasonValidated, v1alpha1.ReasonApproved, v1alpha1.ReasonApplied))
	})
})

// told are the reasons of all events in the team's namespace.
func (t *team) told() []string {
	var list corev1.EventList
	Expect(admin.List(ctx, &list, client.InNamespace(t.namespace))).To(Succeed())
	var reasons []string
	for _, e := range list.Items {
		reasons = append(reasons, e.Reason)
	}
	return reasons
}

var _ = Describe("A policy", func() {
	It("that requires two approvals counts people once", func() {
		t := newTeam(map[string]string{"A": "1"}, func(p *v1alpha1.SecretProject) {
			p.Spec.Environments[0].RequiredApprovals = ptr.To[int32](2)
		})
		c := t.propose(map[string]string{"A": "one"}, nil)
		approveAs(t.bob, "bob", c)
		Eventually(func() string { return t.status(c)().Approvals }).Should(Equal("1/2"))
		approveAs(t.carol, "carol", c)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhaseApplied))
	})

	It("that freezes changes holds an approved one until it ends", func() {
		t := newTeam(map[string]string{"A": "1"}, func(p *v1alpha1.SecretProject) { p.Spec.Suspend = ptr.To(true) })
		c := t.propose(map[string]string{"A": "one"}, nil)
		approveAs(t.bob, "bob", c)
		Eventually(t.status(c)).Should(And(bePhase(v1alpha1.PhaseApproved), say("suspended")))
		Expect(t.liveValues()).To(HaveKeyWithValue("A", "1"))
		Eventually(func() error {
			Expect(admin.Get(ctx, client.ObjectKeyFromObject(t.project), t.project)).To(Succeed())
			t.project.Spec.Suspend = nil
			return admin.Update(ctx, t.project)
		}).Should(Succeed())
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhaseApplied))
	})

	It("of ByKey lets both of two changes to different keys live", func() {
		t := newTeam(map[string]string{"A": "1", "B": "2"}, func(p *v1alpha1.SecretProject) { p.Spec.ConflictPolicy = v1alpha1.ConflictByKey })
		first := t.propose(map[string]string{"A": "one", "B": "2"}, nil)
		second := t.propose(map[string]string{"A": "1", "B": "two"}, nil)
		approveAs(t.bob, "bob", first)
		approveAs(t.carol, "carol", second)
		Eventually(t.status(first)).Should(bePhase(v1alpha1.PhaseApplied))
		Eventually(t.status(second)).Should(bePhase(v1alpha1.PhaseApplied))
		Expect(t.liveValues()).To(Equal(map[string]string{"A": "one", "B": "two"}))
	})

	It("with a short time to live lets a change expire", func() {
		t := newTeam(map[string]string{"A": "1"}, func(p *v1alpha1.SecretProject) {
			p.Spec.ChangeTTL = &metav1.Duration{Duration: time.Minute}
		})
		c := t.propose(map[string]string{"A": "one"}, nil)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhasePending))
		Expect(t.status(c)().ExpiresAt.Sub(c.CreationTimestamp.Time)).To(Equal(time.Minute))
	})
})
