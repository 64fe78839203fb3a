package admission

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/guard"
)

// bySchema is an answer of the CRD's own rules, whoever asks.
func bySchema(err error) bool { return apierrors.IsInvalid(err) }

var _ = Describe("reviews", func() {
	var change *v1alpha1.SecretChange
	BeforeEach(func(ctx context.Context) {
		change = proposed(ctx, production)
		Expect(review(ctx, bob, change, v1alpha1.Review{Reviewer: bob, Verdict: v1alpha1.VerdictApproved, Comment: "fine"})).To(Succeed())
	})

	DescribeTable("bob's approval", func(ctx context.Context, user string, alter func(), accepted func(error) bool) {
		alter()
		err := as(user).Update(ctx, change)
		Expect(accepted(err)).To(BeTrue(), "%v", err)
	},
		Entry("becomes a rejection by himself", bob, func() {
			change.Spec.Reviews[0] = rejected(bob)
		}, succeeded),
		Entry("becomes no rejection by carol", carol, func() {
			change.Spec.Reviews[0] = rejected(bob)
		}, guard.Refused),
		Entry("becomes no rejection by the proposer", alice, func() {
			change.Spec.Reviews[0] = rejected(bob)
		}, guard.Refused),
		Entry("keeps its comment", bob, func() { change.Spec.Reviews[0].Comment = "fine!" }, bySchema),
		Entry("keeps its reviewer", carol, func() { change.Spec.Reviews[0].Reviewer = carol }, bySchema),
		Entry("is not taken away by himself", bob, func() { change.Spec.Reviews = nil }, bySchema),
		Entry("is not taken away by carol", carol, func() { change.Spec.Reviews = nil }, bySchema),
		Entry("is not replaced by carol's", carol, func() { change.Spec.Reviews[0] = approved(carol) }, bySchema),
		Entry("is not there twice", bob, func() { reviewed(change, approved(bob)) }, bySchema),
		Entry("is joined by carol's", carol, func() { reviewed(change, approved(carol)) }, succeeded),
		Entry("is joined by carol's, put first", carol, func() {
			change.Spec.Reviews = append([]v1alpha1.Review{approved(carol)}, change.Spec.Reviews...)
		}, succeeded),
		Entry("is not joined by two at once", carol, func() { reviewed(change, approved(carol), approved(paul)) }, guard.Refused),
	)

	It("a rejection is final", func(ctx context.Context) {
		change.Spec.Reviews[0] = rejected(bob)
		Expect(as(bob).Update(ctx, change)).To(Succeed())
		change.Spec.Reviews[0] = approved(bob)
		Expect(bySchema(as(bob).Update(ctx, change))).To(BeTrue())
	})

	It("lets bob think better of it when he may no longer approve", func(ctx context.Context) {
		object := proposed(ctx, production)
		leaver := unique("leaver")
		allowed(ctx, leaver, rule("secretreview.dev", []string{"secretchanges"}, "get", "update", "patch"))
		settle(ctx)
		reviewed(object, approved(leaver))
		// An applier vouches for what he wrote when he still could.
		Expect(as(argo).Update(ctx, object)).To(Succeed())
		object.Spec.Reviews[0] = rejected(leaver)
		Expect(as(leaver).Update(ctx, object)).To(Succeed())
		again := proposed(ctx, production)
		Expect(guard.Refused(as(leaver).Update(ctx, reviewed(again, rejected(leaver))))).To(BeTrue())
	})

	It("cannot be taken away by removing the list", func(ctx context.Context) {
		err := as(star).Patch(ctx, change, jsonPatch(`[{"op":"remove","path":"/spec/reviews"}]`))
		Expect(bySchema(err)).To(BeTrue(), "%v", err)
	})

	It("can always be appended by a JSON patch", func(ctx context.Context) {
		fresh := proposed(ctx, production)
		Expect(review(ctx, bob, fresh, approved(bob))).To(Succeed())
	})

	It("are not added to a namesake", func(ctx context.Context) {
		gone := proposed(ctx, production)
		Expect(as(alice).Delete(ctx, gone)).To(Succeed())
		namesake := edit(alice, production)
		namesake.Name = gone.Name
		stored(ctx, namesake)
		Expect(review(ctx, bob, gone.DeepCopy(), approved(bob))).NotTo(Succeed())
	})

	It("end with the seventeenth", func(ctx context.Context) {
		full := edit(alice, production)
		for i := range v1alpha1.MaxReviews {
			reviewed(full, approved(fmt.Sprintf("reviewer-%d", i)))
		}
		Expect(as(argo).Create(ctx, full)).To(Succeed())
		Expect(bySchema(review(ctx, bob, full, approved(bob)))).To(BeTrue())
	})

	Describe("withdrawing", func() {
		It("is always the proposer's right", func(ctx context.Context) {
			Expect(review(ctx, alice, change, rejected(alice))).To(Succeed())
		})
		It("is a ServiceAccount's right, too", func(ctx context.Context) {
			Expect(review(ctx, flux, stored(ctx, edit(flux, production)), rejected(flux))).To(Succeed())
		})
		It("is no way to approve", func(ctx context.Context) {
			Expect(guard.Refused(review(ctx, alice, change, approved(alice)))).To(BeTrue())
		})
	})

	Describe("of a rollback", func() {
		It("take no later approval from its proposer, whoever writes it", func(ctx context.Context) {
			for _, source := range []func(string, string) *v1alpha1.SecretChange{rollback, restore} {
				object := stored(ctx, source(star, production))
				Expect(guard.Refused(review(ctx, star, object, approved(star)))).To(BeTrue())
				Expect(guard.Refused(review(ctx, argo, object, approved(star)))).To(BeTrue())
				Expect(review(ctx, bob, object, approved(bob))).To(Succeed())
				Expect(review(ctx, star, object, rejected(star))).To(Succeed())
			}
		})
		It("let the proposer withdraw what was born approved", func(ctx context.Context) {
			object := stored(ctx, reviewed(rollback(rob, production), approved(rob)))
			object.Spec.Reviews[0] = rejected(rob)
			Expect(as(rob).Update(ctx, object)).To(Succeed())
		})
	})

	Describe("in Git", func() {
		It("are applied by a listed account, and added to", func(ctx context.Context) {
			inGit := reviewed(edit(alice, production), approved(bob))
			fields, err := fieldsOf(inGit)
			Expect(err).NotTo(HaveOccurred())
			Expect(apply(ctx, argo, fields)).To(Succeed())
			fields, err = fieldsOf(reviewed(inGit, approved(carol)))
			Expect(err).NotTo(HaveOccurred())
			Expect(apply(ctx, argo, fields)).To(Succeed())
			Expect(apply(ctx, argo, fields)).To(Succeed(), "applying the same again")
		})
		It("survive in the cluster what Git does not know of", func(ctx context.Context) {
			inGit := edit(alice, production)
			fields, err := fieldsOf(inGit)
			Expect(err).NotTo(HaveOccurred())
			Expect(apply(ctx, argo, fields)).To(Succeed())
			Expect(admin.Get(ctx, keyOf(inGit), inGit)).To(Succeed())
			Expect(review(ctx, bob, inGit, approved(bob))).To(Succeed())
			Expect(apply(ctx, argo, fields)).To(Succeed())
			Expect(admin.Get(ctx, keyOf(inGit), inGit)).To(Succeed())
			Expect(inGit.Spec.Reviews).To(ConsistOf(approved(bob)))
		})
	})
})

var _ = Describe("a finished change", func() {
	for _, phase := range []v1alpha1.Phase{
		v1alpha1.PhaseApplied, v1alpha1.PhaseRejected, v1alpha1.PhaseConflicted, v1alpha1.PhaseExpired, v1alpha1.PhaseInvalid,
	} {
		Describe(string(phase), func() {
			var change *v1alpha1.SecretChange
			BeforeEach(func(ctx context.Context) {
				change = in(ctx, v1alpha1.PhaseApproved, in(ctx, v1alpha1.PhasePending, proposed(ctx, production)))
				in(ctx, phase, change)
			})
			It("takes no reviews", func(ctx context.Context) {
				Expect(bySchema(review(ctx, bob, change, approved(bob)))).To(BeTrue())
				Expect(bySchema(review(ctx, argo, change, approved(bob)))).To(BeTrue())
			})
			It("keeps its phase, also from the manager and the backup account", func(ctx context.Context) {
				for _, user := range []string{manager, velero} {
					for _, other := range []v1alpha1.Phase{"", v1alpha1.PhasePending, v1alpha1.PhaseApproved, otherThan(phase)} {
						altered := change.DeepCopy()
						altered.Status.Phase = other
						Expect(bySchema(as(user).Status().Update(ctx, altered))).To(BeTrue(), "%s to %q", user, other)
					}
				}
			})
			It("keeps it when the whole status is taken away", func(ctx context.Context) {
				err := as(manager).Status().Patch(ctx, change, jsonPatch(`[{"op":"remove","path":"/status"}]`))
				Expect(bySchema(err)).To(BeTrue(), "%v", err)
			})
			It("still takes facts from the manager", func(ctx context.Context) {
				change.Status.StagedDeleted = true
				Expect(as(manager).Status().Update(ctx, change)).To(Succeed())
			})
		})
	}
})

func otherThan(phase v1alpha1.Phase) v1alpha1.Phase {
	if phase == v1alpha1.PhaseApplied {
		return v1alpha1.PhaseRejected
	}
	return v1alpha1.PhaseApplied
}

func succeeded(err error) bool { return err == nil }
