package admission

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/guard"
)

// most is how many labels and annotations anybody but the manager may give an object.
const most = 64

func marks(count int) map[string]string {
	marks := map[string]string{}
	for i := range count {
		marks[fmt.Sprintf("example.com/mark-%d", i)] = "x"
	}
	return marks
}

var _ = Describe("an object", func() {
	bounded := func(ctx context.Context, user string, object func(ctx context.Context) client.Object) {
		for _, set := range []func(o client.Object, count int){
			func(o client.Object, count int) { o.SetLabels(marks(count)) },
			func(o client.Object, count int) { o.SetAnnotations(marks(count)) },
		} {
			padded := object(ctx)
			set(padded, most)
			Expect(as(user).Update(ctx, padded)).To(Succeed())
			set(padded, most+1)
			err := as(user).Update(ctx, padded)
			Expect(guard.Refused(err)).To(BeTrue(), "%v", err)
			Expect(err).To(MatchError(ContainSubstring("more than 64 labels or 64 annotations")))
		}
	}
	It("of changes takes no more marks than are bounded", func(ctx context.Context) {
		bounded(ctx, alice, func(ctx context.Context) client.Object { return proposed(ctx, production) })
	})
	It("of projects takes no more marks than are bounded", func(ctx context.Context) {
		bounded(ctx, adam, func(ctx context.Context) client.Object { return storedProject(ctx) })
	})
	It("is not created with more", func(ctx context.Context) {
		change := edit(alice, production)
		change.Labels = marks(most + 1)
		Expect(guard.Refused(as(alice).Create(ctx, change))).To(BeTrue())
	})
	It("that has more, from elsewhere, still loses some", func(ctx context.Context) {
		change := proposed(ctx, production)
		change.Labels = marks(most + 2)
		Expect(as(velero).Update(ctx, change)).To(Succeed())
		change.Labels = marks(most + 1)
		Expect(as(alice).Update(ctx, change)).To(Succeed())
	})

	It("keeps the generateName that it has", func(ctx context.Context) {
		for _, user := range []string{mallory, alice} {
			change := proposed(ctx, production)
			change.GenerateName = strings.Repeat("a", 1_000_000)
			change.ManagedFields = []metav1.ManagedFieldsEntry{{}} // wiped, so that nothing tells of it
			Expect(guard.Refused(as(user).Update(ctx, change))).To(BeTrue())
		}
	})

	// padded makes a field manager own fields of some bytes' length that are not there.
	padded := func(change *v1alpha1.SecretChange, bytes int) *v1alpha1.SecretChange {
		change.ManagedFields[0].FieldsV1.SetRawString(fmt.Sprintf(`{"f:metadata":{"f:labels":{"f:%s":{}}}}`, strings.Repeat("a", bytes)))
		return change
	}
	It("takes no padded field manager from whoever has no verb of ours, nor a further one", func(ctx context.Context) {
		change := proposed(ctx, production)
		Expect(guard.Refused(as(mallory).Update(ctx, padded(change.DeepCopy(), 100)))).To(BeTrue())
		Expect(guard.Refused(own(ctx, mallory, change, "mallory"))).To(BeTrue())
		Expect(as(mallory).Update(ctx, change)).To(Succeed(), "what is there may be written")
	})
	When("its field managers are as large as is allowed", Ordered, func() {
		var change *v1alpha1.SecretChange
		BeforeAll(func(ctx context.Context) {
			change = padded(proposed(ctx, production), 130_000)
			Expect(as(alice).Update(ctx, change)).To(Succeed())
		})
		It("takes none that makes them larger", func(ctx context.Context) {
			err := as(alice).Update(ctx, padded(change.DeepCopy(), 140_000))
			Expect(guard.Refused(err)).To(BeTrue(), "%v", err)
			Expect(err).To(MatchError(ContainSubstring("more than 128 KiB of managedFields")))
		})
		It("takes reviews and its status", func(ctx context.Context) {
			for range 10 {
				Expect(own(ctx, alice, change, unique("manager"))).To(Or(Succeed(), Satisfy(guard.Refused)))
			}
			Expect(review(ctx, bob, change, approved(bob))).To(Succeed())
			Expect(admin.Get(ctx, keyOf(change), change)).To(Succeed())
			change.Status.Phase = v1alpha1.PhasePending
			Expect(as(manager).Status().Update(ctx, change)).To(Succeed())
		})
	})
})

// own makes a field manager the owner of a label of a change.
func own(ctx context.Context, user string, change *v1alpha1.SecretChange, fieldManager string) error {
	fields := &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"namespace": change.Namespace, "name": change.Name, "labels": map[string]any{foreignLabel: "x"}},
	}}
	fields.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("SecretChange"))
	return as(user).Apply(ctx, client.ApplyConfigurationFromUnstructured(fields), client.FieldOwner(fieldManager), client.ForceOwnership)
}

var _ = Describe("who does not sign in", func() {
	// Whoever may bind roles could bind one to these names, and use them beside their own.
	for _, nobody := range []string{"system:anonymous", "system:node:one", "system:bootstrap:token"} {
		It("neither proposes nor reviews as "+nobody, func(ctx context.Context) {
			for _, role := range []string{"secretreview-proposer", "secretreview-approver", "secretreview-rollbacker"} {
				bind(ctx, team, nobody, "ClusterRole", role)
			}
			settle(ctx)
			Expect(guard.Refused(as(nobody).Create(ctx, edit(nobody, production)))).To(BeTrue())
			Expect(guard.Refused(as(nobody).Create(ctx, reviewed(rollback(nobody, production), approved(nobody))))).To(BeTrue())
			Expect(guard.Refused(review(ctx, nobody, proposed(ctx, production), approved(nobody)))).To(BeTrue())
		})
	}
})
