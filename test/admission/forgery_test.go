package admission

import (
	"context"
	"maps"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/guard"
)

// eachWay makes a table whose entries are the ways there are to change an object.
func eachWay(body any) []any {
	entries := []any{body}
	for _, name := range slices.Sorted(maps.Keys(ways)) {
		entries = append(entries, Entry("by "+name, ways[name]))
	}
	return entries
}

// marked is a pending edit that bears the manager's finalizer and a label and an annotation of ours.
func marked(ctx context.Context) *v1alpha1.SecretChange {
	change := proposed(ctx, production)
	change.Finalizers = []string{v1alpha1.Finalizer}
	change.Labels = map[string]string{ourLabel: "a"}
	change.Annotations = map[string]string{ourLabel: "a"}
	Expect(as(manager).Update(ctx, change)).To(Succeed())
	return change
}

var _ = Describe("a change's metadata and reviews", func() {
	// star holds every verb that the namespace can give.
	forgeries := map[string]func(c *v1alpha1.SecretChange){
		"a review in somebody's name":    func(c *v1alpha1.SecretChange) { reviewed(c, approved(somebody)) },
		"own and somebody's review":      func(c *v1alpha1.SecretChange) { reviewed(c, approved(star), approved(somebody)) },
		"a withdrawal for the proposer":  func(c *v1alpha1.SecretChange) { reviewed(c, rejected(alice)) },
		"another value of a label":       func(c *v1alpha1.SecretChange) { c.Labels[ourLabel] = "b" },
		"one more label":                 func(c *v1alpha1.SecretChange) { c.Labels["secretreview.dev/more"] = "a" },
		"another value of an annotation": func(c *v1alpha1.SecretChange) { c.Annotations[ourLabel] = "b" },
		"one more annotation":            func(c *v1alpha1.SecretChange) { c.Annotations["secretreview.dev/more"] = "a" },
		"a finalizer":                    func(c *v1alpha1.SecretChange) { c.Finalizers = append(c.Finalizers, "example.com/keep") },
		"an ownerReference":              func(c *v1alpha1.SecretChange) { c.OwnerReferences = ownerReference() },
	}
	for _, name := range slices.Sorted(maps.Keys(forgeries)) {
		DescribeTable("star may not add "+name, eachWay(func(ctx context.Context, change way) {
			object := marked(ctx)
			err := change(ctx, star, object, func() { forgeries[name](object) })
			Expect(guard.Refused(err)).To(BeTrue(), "%v", err)
		})...)
	}

	// Server-side apply takes away only what its manager owns.
	removals := map[string]func(c *v1alpha1.SecretChange){
		"a label":       func(c *v1alpha1.SecretChange) { delete(c.Labels, ourLabel) },
		"an annotation": func(c *v1alpha1.SecretChange) { delete(c.Annotations, ourLabel) },
		"the finalizer": func(c *v1alpha1.SecretChange) { c.Finalizers = nil },
	}
	for _, name := range slices.Sorted(maps.Keys(removals)) {
		DescribeTable("star may not remove "+name, func(ctx context.Context, change way) {
			object := marked(ctx)
			err := change(ctx, star, object, func() { removals[name](object) })
			Expect(guard.Refused(err)).To(BeTrue(), "%v", err)
		}, Entry("by update", ways["update"]), Entry("by merge patch", ways["merge patch"]), Entry("by JSON patch", ways["JSON patch"]))
	}

	DescribeTable("bob may approve", eachWay(func(ctx context.Context, change way) {
		object := marked(ctx)
		Expect(change(ctx, bob, object, func() { reviewed(object, approved(bob)) })).To(Succeed())
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
		Expect(object.Spec.Reviews).To(ConsistOf(approved(bob)))
	})...)

	It("keeps what bob may not write when it is wiped with managedFields", func(ctx context.Context) {
		object := marked(ctx)
		Expect(as(bob).Patch(ctx, object, jsonPatch(`[{"op":"replace","path":"/metadata/managedFields","value":[{}]}]`))).To(Succeed())
		Expect(object.Labels).To(HaveKey(ourLabel))
	})

	DescribeTable("nobody creates a change with", func(ctx context.Context, user string, alter func(c *v1alpha1.SecretChange)) {
		change := edit(user, production)
		alter(change)
		err := as(user).Create(ctx, change)
		Expect(guard.Refused(err)).To(BeTrue(), "%v", err)
	},
		Entry("our label", star, func(c *v1alpha1.SecretChange) { c.Labels = map[string]string{ourLabel: "a"} }),
		Entry("our annotation", star, func(c *v1alpha1.SecretChange) { c.Annotations = map[string]string{ourLabel: "a"} }),
		Entry("a finalizer", star, func(c *v1alpha1.SecretChange) { c.Finalizers = []string{"example.com/keep"} }),
		Entry("an ownerReference", star, func(c *v1alpha1.SecretChange) { c.OwnerReferences = ownerReference() }),
		Entry("an ownerReference, the backup account neither", velero, func(c *v1alpha1.SecretChange) { c.OwnerReferences = ownerReference() }),
		Entry("our label, an applier neither", argo, func(c *v1alpha1.SecretChange) { c.Labels = map[string]string{ourLabel: "a"} }),
	)

	It("lets anybody take an ownerReference away, and nobody add one to it", Serial, func(ctx context.Context) {
		change := proposed(ctx, production)
		owned(ctx, change)
		more := change.DeepCopy()
		more.OwnerReferences = append(more.OwnerReferences, ownerReference()...)
		Expect(guard.Refused(admin.Update(ctx, more))).To(BeTrue())
		change.OwnerReferences = nil
		Expect(as(bob).Update(ctx, change)).To(Succeed())
	})

	It("takes no status along when it is created", func(ctx context.Context) {
		change := edit(alice, production)
		change.Status.Phase = v1alpha1.PhaseApplied
		Expect(as(alice).Create(ctx, change)).To(Succeed())
		Expect(change.Status.Phase).To(BeEmpty())
		Expect(change.Status.ObservedGeneration).To(BeEquivalentTo(-1), "kstatus has to count it as in progress")
	})

	It("keeps status when the rest is updated", func(ctx context.Context) {
		change := proposed(ctx, production)
		change.Status.Phase = v1alpha1.PhaseApplied
		Expect(as(star).Update(ctx, change)).To(Succeed())
		Expect(change.Status.Phase).To(BeEmpty())
	})

	It("keeps the rest when status is updated", func(ctx context.Context) {
		change := reviewed(proposed(ctx, production), approved(somebody))
		change.Labels = map[string]string{ourLabel: "a"}
		change.Status.Phase = v1alpha1.PhasePending
		Expect(as(manager).Status().Update(ctx, change)).To(Succeed())
		Expect(change.Spec.Reviews).To(BeEmpty())
		Expect(change.Labels).To(BeEmpty())
	})

	It("is not the manager's to review", func(ctx context.Context) {
		err := review(ctx, manager, proposed(ctx, production), approved(somebody))
		Expect(apierrors.IsForbidden(err)).To(BeTrue(), "%v", err)
	})
})
