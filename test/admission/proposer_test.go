package admission

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/internal/guard"
)

func servesMutatingPolicies() bool {
	_, err := mapper.RESTMapping(schema.GroupKind{Group: "admissionregistration.k8s.io", Kind: "MutatingAdmissionPolicy"}, "v1")
	Expect(err == nil || meta.IsNoMatchError(err)).To(BeTrue(), "%v", err)
	return err == nil
}

var _ = Describe("a proposer who is left out", func() {
	It("is an error without MutatingAdmissionPolicy", func(ctx context.Context) {
		if servesMutatingPolicies() {
			Skip("this cluster serves MutatingAdmissionPolicy v1")
		}
		err := as(alice).Create(ctx, edit("", production))
		Expect(bySchema(err)).To(BeTrue(), "%v", err)
		Expect(err.Error()).To(ContainSubstring("spec.proposedBy"))
	})

	Context("with MutatingAdmissionPolicy", func() {
		BeforeEach(func(ctx context.Context) {
			if !servesMutatingPolicies() {
				Skip("this cluster does not serve MutatingAdmissionPolicy v1, which Kubernetes has from 1.36 on")
			}
			Eventually(func() error { return as(alice).Create(ctx, edit("", production), client.DryRunAll) }).Should(Succeed())
		})
		It("is filled in when the change is created", func(ctx context.Context) {
			change := edit("", production)
			Expect(as(alice).Create(ctx, change)).To(Succeed())
			Expect(change.Spec.ProposedBy).To(Equal(alice))
		})
		It("is filled in when it is applied, and stays when it is applied again", func(ctx context.Context) {
			change := edit("", production)
			fields, err := fieldsOf(change)
			Expect(err).NotTo(HaveOccurred())
			delete(fields.Object["spec"].(map[string]any), "proposedBy")
			for range 2 {
				Expect(apply(ctx, alice, fields)).To(Succeed())
				Expect(admin.Get(ctx, keyOf(change), change)).To(Succeed())
				Expect(change.Spec.ProposedBy).To(Equal(alice))
			}
		})
		It("is not filled in over another name, which is refused", func(ctx context.Context) {
			Expect(guard.Refused(as(alice).Create(ctx, edit(somebody, production)))).To(BeTrue())
		})
		It("makes an own approval on a rollback count as one", func(ctx context.Context) {
			Expect(as(rob).Create(ctx, reviewed(rollback("", production), approved(rob)))).To(Succeed())
			Expect(guard.Refused(as(alice).Create(ctx, reviewed(rollback("", production), approved(alice))))).To(BeTrue())
		})
	})
})
