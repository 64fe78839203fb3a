package admission

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/guard"
)

func named(verb string, resourceNames ...string) rbacv1.PolicyRule {
	r := rule("secretreview.dev", []string{"secretprojects"}, verb)
	r.ResourceNames = resourceNames
	return r
}

// allowedEverywhere gives a user a ClusterRole of their own.
func allowedEverywhere(ctx context.Context, user string, rules ...rbacv1.PolicyRule) {
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{GenerateName: "only-"}, Rules: rules}
	Expect(admin.Create(ctx, role)).To(Succeed())
	bindEverywhere(ctx, user, role.Name)
}

var _ = Describe("rights held to some projects", Ordered, func() {
	const tess = "tess" // proposes to, approves and administers two projects
	write := []string{"get", "create", "update", "patch", "delete"}

	BeforeAll(func(ctx context.Context) {
		allowed(ctx, tess, rule("secretreview.dev", []string{"secretchanges", "secretprojects"}, write...),
			named("propose", project), named("approve", project))
		allowedEverywhere(ctx, tess, named("administer", team+"/hers"), named("purge", team+"/"+project))
		settle(ctx)
	})

	It("propose, approve and purge by resourceNames", func(ctx context.Context) {
		change := stored(ctx, edit(tess, production))
		Expect(review(ctx, tess, proposed(ctx, production), approved(tess))).To(Succeed())
		Expect(as(tess).Delete(ctx, in(ctx, v1alpha1.PhaseApplied, change))).To(Succeed())
	})
	It("do not reach another project", func(ctx context.Context) {
		change := edit(tess, production)
		change.Spec.Project = "other"
		Expect(guard.Refused(as(tess).Create(ctx, change))).To(BeTrue())
		change.Spec.ProposedBy = alice
		stored(ctx, change)
		Expect(guard.Refused(review(ctx, tess, change, approved(tess)))).To(BeTrue())
		Expect(guard.Refused(as(tess).Delete(ctx, in(ctx, v1alpha1.PhaseApplied, change)))).To(BeTrue())
	})
	It("administer one project of one namespace", func(ctx context.Context) {
		p := newProject()
		Expect(guard.Refused(as(tess).Create(ctx, p))).To(BeTrue())
		p.Name = "hers"
		Expect(as(tess).Create(ctx, p)).To(Succeed())
		Expect(as(tess).Delete(ctx, p)).To(Succeed())
	})
})

var _ = Describe("a project's metadata", func() {
	DescribeTable("its administrator does not write", func(ctx context.Context, alter func(p *v1alpha1.SecretProject)) {
		p := storedProject(ctx)
		alter(p)
		err := as(adam).Update(ctx, p)
		Expect(guard.Refused(err)).To(BeTrue(), "%v", err)
	},
		Entry("finalizers", func(p *v1alpha1.SecretProject) { p.Finalizers = []string{"example.com/keep"} }),
		Entry("our labels", func(p *v1alpha1.SecretProject) { p.Labels = map[string]string{ourLabel: "x"} }),
		Entry("our annotations", func(p *v1alpha1.SecretProject) { p.Annotations = map[string]string{ourLabel: "x"} }),
		Entry("ownerReferences", func(p *v1alpha1.SecretProject) { p.OwnerReferences = ownerReference() }),
	)

	It("is the manager's to write, but the spec is not", func(ctx context.Context) {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: unique("more-rights")}}
		Expect(admin.Create(ctx, namespace)).To(Succeed())
		allowedIn(ctx, namespace.Name, manager, rule("secretreview.dev", []string{"secretprojects"}, "patch"))
		settle(ctx)
		p := newProject()
		p.Namespace = namespace.Name
		Expect(as(root).Create(ctx, p)).To(Succeed())
		Expect(as(manager).Patch(ctx, p, jsonPatch(`[{"op":"add","path":"/metadata/finalizers","value":["secretreview.dev/keep"]}]`))).To(Succeed())
		Expect(guard.Refused(as(manager).Patch(ctx, p, jsonPatch(`[{"op":"add","path":"/spec/suspend","value":true}]`)))).To(BeTrue())
		Expect(as(manager).Patch(ctx, p, jsonPatch(`[{"op":"remove","path":"/metadata/finalizers"}]`))).To(Succeed())
	})
})
