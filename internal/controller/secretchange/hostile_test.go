package secretchange_test

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/internal/sensitive"
	"github.com/secretreview/secretreview/test/install"
)

var _ = Describe("A staged secret", func() {
	It("of one team is never applied to another team's live secret, nor deleted for it", func() {
		victim := newTeam(map[string]string{"A": "1"}, nil)
		theirs := victim.propose(map[string]string{"A": "victim's"}, nil)
		Eventually(victim.status(theirs)).Should(bePhase(v1alpha1.PhasePending))

		thief := newTeam(map[string]string{"A": "1"}, nil)
		c := thief.propose(map[string]string{"A": "mine"}, func(c *v1alpha1.SecretChange) { c.Spec.Staged = theirs.Spec.Staged })
		Eventually(thief.status(c)).Should(And(bePhase(v1alpha1.PhaseInvalid), say("not named")))
		Expect(victim.stagedGone(theirs)()).To(BeEmpty())

		approveAs(victim.bob, "bob", theirs)
		Eventually(victim.status(theirs)).Should(bePhase(v1alpha1.PhaseApplied))
		Expect(thief.liveValues()).To(HaveKeyWithValue("A", "1"))
	})

	It("that gets a new value after the review is applied as it was reviewed", func() {
		t := newTeam(map[string]string{"A": "1"}, nil)
		c := t.propose(map[string]string{"A": "reviewed"}, nil)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhasePending))
		Expect(store.Put(ctx, secretstore.PutInput{ID: c.Spec.Staged.SecretARN, VersionID: uuid.NewString(),
			Value: sensitive.New("swapped"), Labels: []string{secretstore.LabelCurrent}})).To(Succeed())
		approveAs(t.bob, "bob", c)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhaseApplied))
		Expect(t.liveValues()).To(HaveKeyWithValue("A", "reviewed"))
	})

	It("whose digest is another is refused", func() {
		t := newTeam(map[string]string{"A": "1"}, nil)
		c := t.propose(map[string]string{"A": "one"}, func(c *v1alpha1.SecretChange) {
			c.Spec.Staged.Digest = document.Digest(sensitive.New("something else"))
		})
		Eventually(t.status(c)).Should(And(bePhase(v1alpha1.PhaseInvalid), say("digest")))
		By("leaving it to the sweep: who does not know the bytes may not have them deleted")
		Expect(t.stagedGone(c)()).To(BeEmpty())
	})

	It("that is missing ends the change after a while", func() {
		t := newTeam(map[string]string{"A": "1"}, nil)
		c := t.propose(map[string]string{"A": "one"}, func(c *v1alpha1.SecretChange) {
			Expect(store.Delete(ctx, secretstore.DeleteInput{ID: c.Spec.Staged.SecretARN})).To(Succeed())
		})
		Eventually(t.status(c)).Should(And(bePhase(v1alpha1.PhaseInvalid), say("does not exist")))
	})

	It("that waits for its deletion is taken back for a change that names it", func() {
		t := newTeam(map[string]string{"A": "1"}, nil)
		c := t.propose(map[string]string{"A": "one"}, func(c *v1alpha1.SecretChange) {
			Expect(store.Delete(ctx, secretstore.DeleteInput{ID: c.Spec.Staged.SecretARN, RecoveryDays: 7})).To(Succeed())
		})
		approveAs(t.bob, "bob", c)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhaseApplied))
	})
})

func makesLive(call emulator.Call) bool {
	return call.Operation == "UpdateSecretVersionStage" && slices.Contains(call.Labels, secretstore.LabelCurrent)
}

var _ = Describe("What somebody makes live in AWS", func() {
	It("between the last look and the move is not overwritten: AWS refuses the move", func() {
		t := newTeam(map[string]string{"A": "1"}, nil)
		c := t.propose(map[string]string{"A": "one"}, nil)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhasePending))
		var once sync.Once
		aws.SetHooks(func(call emulator.Call) {
			if call.Secret == t.live && call.AccessKeyID == managerKey && makesLive(call) {
				once.Do(func() {
					defer GinkgoRecover()
					Expect(store.Put(ctx, secretstore.PutInput{ID: t.live, VersionID: uuid.NewString(), Value: encode(doc(map[string]string{"A": "by hand"})),
						Labels: []string{secretstore.LabelCurrent}})).To(Succeed())
				})
			}
		}, nil)
		DeferCleanup(func() { aws.SetHooks(nil, nil) })

		approveAs(t.bob, "bob", c)
		Eventually(t.status(c)).Should(And(bePhase(v1alpha1.PhaseConflicted), say("The live version is no longer")))
		Expect(t.liveValues()).To(Equal(map[string]string{"A": "by hand"}))
		// The end is on record first.
		Eventually(func() (string, error) {
			secret, err := store.Describe(ctx, t.live)
			return secret.VersionWith(naming.VersionLabel(string(c.UID))), err
		}).Should(BeEmpty(), "what lost the race loses its label")
		var moves []string
		for _, call := range aws.Calls() {
			if call.Secret == t.live && makesLive(call) {
				moves = append(moves, call.Code)
			}
		}
		Expect(moves).To(Equal([]string{"InvalidParameterException"}))
	})
})

var _ = Describe("An approval under a second session of the proposer's role", func() {
	const one, two = "arn:aws:sts::111122223333:assumed-role/dev/one", "arn:aws:sts::111122223333:assumed-role/dev/two"
	It("that was let in while that was allowed does not count once it is not", func() {
		t := newTeam(map[string]string{"A": "1"}, func(p *v1alpha1.SecretProject) {
			p.Spec.PreventSelfApproval, p.Spec.Suspend = ptr.To(false), ptr.To(true)
		})
		t.grant(one, "secretreview-proposer")
		t.grant(two, "secretreview-approver")
		t.alice = as(api.UserConfig(one))
		c := t.propose(map[string]string{"A": "one"}, func(c *v1alpha1.SecretChange) { c.Spec.ProposedBy = one })
		approveAs(as(api.UserConfig(two)), two, c)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhaseApproved))
		Expect(admin.Patch(ctx, t.project, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"preventSelfApproval":true,"suspend":false}}`)))).To(Succeed())
		Eventually(t.status(c)).Should(And(bePhase(v1alpha1.PhasePending), say("does not count")))
		Expect(t.liveValues()).To(HaveKeyWithValue("A", "1"))
	})
})

var _ = Describe("A change that was purged", func() {
	It("does not run again when it is created anew", func() {
		t := newTeam(map[string]string{"A": "1"}, nil)
		c := t.propose(map[string]string{"A": "one"}, nil)
		approveAs(t.bob, "bob", c)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhaseApplied))
		Eventually(t.stagedGone(c)).Should(Equal(secretstore.KindNotFound))
		Expect(admin.Delete(ctx, c.DeepCopy())).To(Succeed())
		Eventually(func() bool {
			return apierrors.IsNotFound(admin.Get(ctx, client.ObjectKeyFromObject(c), &v1alpha1.SecretChange{}))
		}).Should(BeTrue())

		again := &v1alpha1.SecretChange{ObjectMeta: metav1.ObjectMeta{Name: c.Name, Namespace: c.Namespace}, Spec: c.Spec}
		again.Spec.Reviews = nil
		Expect(t.alice.Create(ctx, again)).To(Succeed())
		Eventually(t.status(again)).Should(bePhase(v1alpha1.PhaseInvalid))
	})
})

var _ = Describe("A version that an unknown change wrote", func() {
	It("holds all applying until the live version is adopted", func() {
		t := newTeam(map[string]string{"A": "1"}, nil)
		secret, err := store.Describe(ctx, t.live)
		Expect(err).NotTo(HaveOccurred())
		foreign := naming.VersionLabel(uuid.NewString())
		Expect(store.MoveLabel(ctx, secretstore.MoveLabelInput{ID: t.live, Label: foreign, To: secret.Current()})).To(Succeed())

		c := t.propose(map[string]string{"A": "one"}, nil)
		approveAs(t.bob, "bob", c)
		Eventually(t.status(c)).Should(And(bePhase(v1alpha1.PhaseApproved), say("does not know")))

		adoption := &v1alpha1.SecretChange{ObjectMeta: metav1.ObjectMeta{Name: "adoption", Namespace: t.namespace},
			Spec: v1alpha1.SecretChangeSpec{Project: "api", Environment: environment, Reason: "it is ours", ProposedBy: "alice",
				BaseVersionID: v1alpha1.VersionID(secret.Current()),
				Restore:       &v1alpha1.RestoreSource{VersionID: v1alpha1.VersionID(secret.Current())}}}
		Expect(t.alice.Create(ctx, adoption)).To(Succeed())
		approveAs(t.bob, "bob", adoption)
		Eventually(t.status(adoption)).Should(bePhase(v1alpha1.PhaseApplied))
		secret, err = store.Describe(ctx, t.live)
		Expect(err).NotTo(HaveOccurred())
		Expect(secret.VersionWith(foreign)).To(BeEmpty())
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhaseApplied))
	})
})

var _ = Describe("Versions whose changes are gone, but on record", func() {
	It("lose their labels in the order in which they became live", func() {
		t := newTeam(map[string]string{"A": "1"}, func(p *v1alpha1.SecretProject) { p.Spec.VersionHistory = ptr.To[int32](2) })
		var versions []v1alpha1.RestorableVersion
		// Their ids sort the other way round.
		for i, id := range []string{"c", "b", "a"} {
			version := strings.Repeat(id, 32)
			Expect(store.Put(ctx, secretstore.PutInput{ID: t.live, VersionID: version, Value: encode(doc(map[string]string{"A": id})),
				Labels: []string{secretstore.LabelCurrent, naming.VersionLabel(uuid.NewString())}})).To(Succeed())
			at := metav1.NewMicroTime(time.Now().Add(time.Duration(i-4) * time.Hour))
			versions = append([]v1alpha1.RestorableVersion{{VersionID: version, Time: &at}}, versions...)
		}
		t.report()
		t.project.Status.Environments[0].Versions = versions
		Expect(manager.Status().Update(ctx, t.project)).To(Succeed())

		c := t.propose(map[string]string{"A": "one"}, nil)
		approveAs(t.bob, "bob", c)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhaseApplied))
		secret, err := store.Describe(ctx, t.live)
		Expect(err).NotTo(HaveOccurred())
		var labelled []string
		for _, v := range versions {
			if slices.ContainsFunc(secret.Versions[v.VersionID], func(l string) bool { return strings.HasPrefix(l, "sr") }) {
				labelled = append(labelled, v.VersionID[:1])
			}
		}
		Expect(labelled).To(ConsistOf("a", "b"), "the oldest, c, is the one that goes")
	})
})

var _ = Describe("While the admission policies are weakened", Serial, func() {
	It("nothing is applied, and what was approved before is reviewed anew", func() {
		t := newTeam(map[string]string{"A": "1"}, nil)
		c := t.propose(map[string]string{"A": "one"}, nil)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhasePending))

		var binding admissionv1.ValidatingAdmissionPolicyBinding
		Expect(admin.Get(ctx, client.ObjectKey{Name: "secretreview-identity"}, &binding)).To(Succeed())
		Expect(admin.Delete(ctx, &binding)).To(Succeed())
		DeferCleanup(func() { Expect(install.Apply(ctx, api.AdminConfig(), install.Options{})).To(Succeed()) })
		Eventually(t.status(c)).Should(say("Held"))
		// Nothing checks who reviews now.
		Eventually(func() error { return review(t.bob, "carol", c, v1alpha1.VerdictApproved) }).Should(Succeed())
		Consistently(t.status(c)).Should(bePhase(v1alpha1.PhasePending))

		Expect(install.Apply(ctx, api.AdminConfig(), install.Options{})).To(Succeed())
		Eventually(t.status(c)).Should(And(bePhase(v1alpha1.PhasePending), say("review in place")))
		Expect(t.liveValues()).To(HaveKeyWithValue("A", "1"))
		approveAs(t.bob, "bob", c)
		Eventually(t.status(c)).Should(bePhase(v1alpha1.PhaseApplied))

		By("believing changes again once the second in which trust began is over")
		t.report()
		Eventually(func() v1alpha1.Phase {
			next := t.propose(map[string]string{"A": "next"}, nil)
			Eventually(t.status(next)).ShouldNot(bePhase(""))
			return t.status(next)().Phase
		}).WithPolling(500 * time.Millisecond).Should(Equal(v1alpha1.PhasePending))
	})
})
