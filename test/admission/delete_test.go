package admission

import (
	"bufio"
	"context"
	"encoding/json"
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/guard"
)

const garbageCollector = "system:serviceaccount:kube-system:generic-garbage-collector"

var _ = Describe("deleting", func() {
	DescribeTable("a proposer's own change", func(ctx context.Context, phase v1alpha1.Phase, accepted func(error) bool) {
		change := proposed(ctx, production)
		if phase != "" {
			in(ctx, phase, change)
		}
		err := as(alice).Delete(ctx, change)
		Expect(accepted(err)).To(BeTrue(), "%v", err)
	},
		Entry("that nobody has seen is free", v1alpha1.Phase(""), succeeded),
		Entry("that is pending is free", v1alpha1.PhasePending, succeeded),
		Entry("that is being made live needs purge", v1alpha1.PhaseApproved, guard.Refused),
		Entry("that is applied needs purge", v1alpha1.PhaseApplied, guard.Refused),
		Entry("that is rejected needs purge", v1alpha1.PhaseRejected, guard.Refused),
		Entry("that is in conflict needs purge", v1alpha1.PhaseConflicted, guard.Refused),
		Entry("that is expired needs purge", v1alpha1.PhaseExpired, guard.Refused),
		Entry("that is invalid needs purge", v1alpha1.PhaseInvalid, guard.Refused),
	)

	Describe("a collection", func() {
		mark := func(ctx context.Context, change *v1alpha1.SecretChange, value string) {
			change.Labels = map[string]string{foreignLabel: value}
			Expect(as(bob).Update(ctx, change)).To(Succeed())
		}
		some := func(value string) []client.DeleteAllOfOption {
			return []client.DeleteAllOfOption{client.InNamespace(team), client.MatchingLabels{foreignLabel: value}}
		}
		It("needs purge for what is history", func(ctx context.Context) {
			value := unique("mark")
			change := in(ctx, v1alpha1.PhaseApplied, proposed(ctx, production))
			mark(ctx, change, value)
			for _, user := range []string{star, mallory} {
				err := as(user).DeleteAllOf(ctx, &v1alpha1.SecretChange{}, some(value)...)
				Expect(guard.Refused(err)).To(BeTrue(), "%v", err)
			}
			Expect(admin.Get(ctx, keyOf(change), change)).To(Succeed())
			Expect(as(root).DeleteAllOf(ctx, &v1alpha1.SecretChange{}, some(value)...)).To(Succeed())
			Expect(apierrors.IsNotFound(admin.Get(ctx, keyOf(change), change))).To(BeTrue())
		})
		It("is free for one's own pending changes", func(ctx context.Context) {
			value := unique("mark")
			change := stored(ctx, edit(star, production))
			mark(ctx, change, value)
			Expect(as(star).DeleteAllOf(ctx, &v1alpha1.SecretChange{}, some(value)...)).To(Succeed())
			Expect(apierrors.IsNotFound(admin.Get(ctx, keyOf(change), change))).To(BeTrue())
		})
		It("of projects needs administer", func(ctx context.Context) {
			p := storedProject(ctx)
			for _, user := range []string{star, mallory} {
				err := as(user).DeleteAllOf(ctx, &v1alpha1.SecretProject{}, client.InNamespace(team))
				Expect(guard.Refused(err)).To(BeTrue(), "%v", err)
			}
			Expect(admin.Get(ctx, keyOf(p), p)).To(Succeed())
		})
	})

	It("waits for the manager's finalizer, which it alone takes off", func(ctx context.Context) {
		change := marked(ctx)
		Expect(as(alice).Delete(ctx, change)).To(Succeed())
		Expect(admin.Get(ctx, keyOf(change), change)).To(Succeed())
		for _, user := range []string{alice, star, garbageCollector} {
			altered := change.DeepCopy()
			altered.Finalizers = nil
			Expect(apierrors.IsForbidden(as(user).Update(ctx, altered))).To(BeTrue(), user)
		}
		change.Finalizers = nil
		Expect(as(manager).Update(ctx, change)).To(Succeed())
		Expect(apierrors.IsNotFound(admin.Get(ctx, keyOf(change), change))).To(BeTrue())
	})
})

var _ = Describe("the garbage collector", func() {
	DescribeTable("ends what is deleted", func(ctx context.Context, propagation metav1.DeletionPropagation) {
		change := proposed(ctx, production)
		Expect(as(alice).Delete(ctx, change, client.PropagationPolicy(propagation))).To(Succeed())
		p := storedProject(ctx)
		Expect(as(adam).Delete(ctx, p, client.PropagationPolicy(propagation))).To(Succeed())
		for _, object := range []client.Object{change, p} {
			Eventually(func() bool { return apierrors.IsNotFound(admin.Get(ctx, keyOf(object), object)) }).Should(BeTrue())
		}
	},
		Entry("in the foreground", metav1.DeletePropagationForeground),
		Entry("leaving orphans", metav1.DeletePropagationOrphan),
		Entry("in the background", metav1.DeletePropagationBackground),
	)

	It("deletes no history, whose owner is gone", Serial, func(ctx context.Context) {
		change := in(ctx, v1alpha1.PhaseApplied, proposed(ctx, production))
		owner := owned(ctx, change)
		Expect(admin.Delete(ctx, owner)).To(Succeed())
		Eventually(func() []auditv1.Event {
			return audited(func(e auditv1.Event) bool {
				return e.Verb == "delete" && e.User.Username == garbageCollector && e.ObjectRef.Name == change.Name && e.ResponseStatus.Code == 403
			})
		}).ShouldNot(BeEmpty())
		Expect(admin.Get(ctx, keyOf(change), change)).To(Succeed())
		Expect(change.DeletionTimestamp).To(BeNil())
	})

	It("takes off no finalizer but its own", func(ctx context.Context) {
		change := marked(ctx)
		change.Finalizers = nil
		Expect(guard.Refused(as(garbageCollector).Update(ctx, change))).To(BeTrue())
	})
})

// audited returns the requests of the audit log that match.
func audited(match func(e auditv1.Event) bool) []auditv1.Event {
	GinkgoHelper()
	file, err := os.Open(server.AuditLogFile())
	Expect(err).NotTo(HaveOccurred())
	defer func() { Expect(file.Close()).To(Succeed()) }()
	var found []auditv1.Event
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e auditv1.Event
		if json.Unmarshal(lines.Bytes(), &e) == nil && e.ObjectRef != nil && e.ResponseStatus != nil && match(e) {
			found = append(found, e)
		}
	}
	return found
}

var _ = Describe("a namespace", func() {
	It("ends with all its history, in nobody's way", func(ctx context.Context) {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: unique("leaving")}}
		Expect(admin.Create(ctx, namespace)).To(Succeed())
		bind(ctx, namespace.Name, alice, "ClusterRole", "secretreview-proposer")
		p := newProject()
		p.Namespace = namespace.Name
		Expect(as(root).Create(ctx, p)).To(Succeed())
		for _, phase := range []v1alpha1.Phase{v1alpha1.PhaseApplied, v1alpha1.PhaseApproved, v1alpha1.PhasePending} {
			change := edit(alice, production)
			change.Namespace = namespace.Name
			Eventually(func() error { return as(alice).Create(ctx, change) }).Should(Succeed())
			in(ctx, phase, change)
		}
		Expect(admin.Delete(ctx, namespace)).To(Succeed())
		Eventually(func() bool { return apierrors.IsNotFound(admin.Get(ctx, keyOf(namespace), namespace)) }).Should(BeTrue())
	})

	It("that ends waits for the manager to take off its finalizers", func(ctx context.Context) {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: unique("leaving")}}
		Expect(admin.Create(ctx, namespace)).To(Succeed())
		bind(ctx, namespace.Name, alice, "ClusterRole", "secretreview-proposer")
		change := edit(alice, production)
		change.Namespace = namespace.Name
		Eventually(func() error { return as(alice).Create(ctx, change) }).Should(Succeed())
		change.Finalizers = []string{v1alpha1.Finalizer}
		Expect(as(manager).Update(ctx, change)).To(Succeed())
		in(ctx, v1alpha1.PhaseApplied, change)
		Expect(guard.Refused(as(alice).Delete(ctx, change))).To(BeTrue())
		Expect(admin.Delete(ctx, namespace)).To(Succeed())
		Eventually(func(g Gomega) {
			g.Expect(admin.Get(ctx, keyOf(change), change)).To(Succeed())
			g.Expect(change.DeletionTimestamp).NotTo(BeNil())
		}).Should(Succeed())
		change.Finalizers = nil
		Expect(as(manager).Update(ctx, change)).To(Succeed())
		Eventually(func() bool { return apierrors.IsNotFound(admin.Get(ctx, keyOf(namespace), namespace)) }).Should(BeTrue())
	})
})
