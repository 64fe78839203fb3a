package flux_test

import (
	"context"
	"time"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	gomegatypes "github.com/onsi/gomega/types"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// kustomization is one of an example's, for a repository.
type kustomization struct {
	local  *local
	object *kustomizev1.Kustomization
}

// kustomization creates the example's of that name. Its own name and those that it refers to get the repository's id;
// change may alter what the example cannot know.
func (r *repository) kustomization(ctx context.Context, file, name string, change func(*kustomizev1.KustomizationSpec)) *kustomization {
	GinkgoHelper()
	k := &kustomization{local: r.local, object: &kustomizev1.Kustomization{}}
	decode(find(example(file), kustomizev1.KustomizationKind, name), k.object)
	spec := &k.object.Spec
	k.object.Name += "-" + r.id
	spec.SourceRef.Name += "-" + r.id
	for i := range spec.DependsOn {
		spec.DependsOn[i].Name += "-" + r.id
	}
	if change != nil {
		change(spec)
	}
	Expect(r.local.admin.Create(ctx, k.object)).To(Succeed())
	// One that still waits goes only when its time is over, so nobody waits for that.
	DeferCleanup(func(ctx SpecContext) error { return client.IgnoreNotFound(r.local.admin.Delete(ctx, k.object)) })
	return k
}

// delete returns once it is gone, and what it prunes is on its way.
func (k *kustomization) delete(ctx context.Context) {
	GinkgoHelper()
	Expect(k.local.admin.Delete(ctx, k.object)).To(Succeed())
	Eventually(ctx, func() bool { return apierrors.IsNotFound(k.read(ctx)) }).Should(BeTrue())
}

func (k *kustomization) read(ctx context.Context) error {
	return k.local.admin.Get(ctx, client.ObjectKeyFromObject(k.object), k.object)
}

// awaitReady waits until Flux is done with a revision, and content.
func (k *kustomization) awaitReady(ctx context.Context, revision string) {
	GinkgoHelper()
	k.awaitStatus(ctx, And(HaveField("LastAppliedRevision", revision), HaveField("LastAttemptedRevision", revision)),
		condition(meta.ReadyCondition, metav1.ConditionTrue, ""))
}

// awaitFailure waits until Flux has given up on a revision, for that reason and with such a message.
func (k *kustomization) awaitFailure(ctx context.Context, revision, reason, message string) {
	GinkgoHelper()
	k.awaitStatus(ctx, HaveField("LastAttemptedRevision", revision),
		And(condition(meta.ReadyCondition, metav1.ConditionFalse, message), HaveField("Reason", reason)))
}

// awaitHealthCheck waits until Flux has applied a revision and looks whether it is healthy.
func (k *kustomization) awaitHealthCheck(ctx context.Context, revision string) {
	GinkgoHelper()
	k.awaitStatus(ctx, HaveField("LastAttemptedRevision", revision),
		condition(meta.ReconcilingCondition, metav1.ConditionTrue, "Running health checks for revision "+revision),
		condition(meta.ReadyCondition, metav1.ConditionUnknown, ""))
}

func (k *kustomization) awaitStatus(ctx context.Context, revisions gomegatypes.GomegaMatcher, conditions ...any) {
	GinkgoHelper()
	Eventually(ctx, func() (kustomizev1.KustomizationStatus, error) {
		err := k.read(ctx)
		return k.object.Status, err
	}).Should(And(revisions, HaveField("Conditions", ContainElements(conditions...))))
}

func condition(kind string, status metav1.ConditionStatus, message string) gomegatypes.GomegaMatcher {
	return And(HaveField("Type", kind), HaveField("Status", status), HaveField("Message", ContainSubstring(message)))
}

// reconcile has Flux apply everything again, as flux reconcile does, and returns once it is done.
func (k *kustomization) reconcile(ctx context.Context) {
	GinkgoHelper()
	asked := time.Now().Format(time.RFC3339Nano)
	Expect(k.read(ctx)).To(Succeed())
	before := client.MergeFrom(k.object.DeepCopy())
	k.object.Annotations = map[string]string{meta.ReconcileRequestAnnotation: asked}
	Expect(k.local.admin.Patch(ctx, k.object, before)).To(Succeed())
	Eventually(ctx, func() (string, error) {
		err := k.read(ctx)
		return k.object.Status.LastHandledReconcileAt, err
	}).Should(Equal(asked))
}
