package admission

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/guard"
	"github.com/secretreview/secretreview/test/install"
)

// owned gives a change an owner, as could be done before the policies were there.
func owned(ctx context.Context, change *v1alpha1.SecretChange) (owner *corev1.ConfigMap) {
	GinkgoHelper()
	owner = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: unique("owner"), Namespace: change.Namespace}}
	Expect(admin.Create(ctx, owner)).To(Succeed())
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: guard.IdentityPolicy}}
	Expect(admin.Delete(ctx, binding)).To(Succeed())
	DeferCleanup(reinstall)
	change.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID}}
	Eventually(func() error { return admin.Update(ctx, change) }).Should(Succeed())
	reinstall(ctx)
	return owner
}

// reinstall puts right whatever a spec has done to policies, CRDs and roles.
func reinstall(ctx context.Context) {
	GinkgoHelper()
	Expect(install.Apply(ctx, server.AdminConfig(), install.Options{Guard: names})).To(Succeed())
}
