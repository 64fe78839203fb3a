package chart_test

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/guard"
	"github.com/secretreview/secretreview/test/helm"
)

// first is the chart of the first version, as it was packed.
const first = "testdata/secretreview-0.1.0.tgz"

// namespace is not the usual one: policies and roles must follow.
const namespace = "platform"

var managerKey = client.ObjectKey{Namespace: namespace, Name: "secretreview-manager"}

// weakness is what the manager with the release's account would hold against the cluster's policies.
func weakness(options guard.Options) func() (string, error) {
	return func() (string, error) {
		// The guard's trials may make an older API server die of policies that were just written.
		if _, err := api.Revive(ctx); err != nil {
			return "", err
		}
		account, err := api.ServiceAccountConfig(ctx, namespace, managerKey.Name)
		if err != nil {
			return "", err
		}
		c, err := client.New(account, client.Options{Scheme: scheme()})
		if err != nil {
			return "", err
		}
		options.ControllerUser = "system:serviceaccount:" + namespace + ":" + managerKey.Name
		g, err := guard.New(guard.Config{Options: options, Namespace: namespace, Client: c, Reader: c})
		if err != nil {
			return "", err
		}
		return g.Weakness(ctx)
	}
}

func args() []string {
	GinkgoHelper()
	var deployment appsv1.Deployment
	Expect(admin.Get(ctx, managerKey, &deployment)).To(Succeed())
	return deployment.Spec.Template.Spec.Containers[0].Args
}

// there says whether a cluster-scoped object is there.
func there(gvk schema.GroupVersionKind, name string) bool {
	GinkgoHelper()
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(gvk)
	err := admin.Get(ctx, client.ObjectKey{Name: name}, object)
	if !apierrors.IsNotFound(err) {
		Expect(err).NotTo(HaveOccurred())
	}
	return err == nil
}

var (
	policyKind = schema.GroupVersionKind{Group: "admissionregistration.k8s.io", Version: "v1", Kind: "ValidatingAdmissionPolicy"}
	crdKind    = apiextensionsv1.SchemeGroupVersion.WithKind("CustomResourceDefinition")
)

const crdName = "secretprojects.secretreview.dev"

// A release's life, in the order in which it is lived.
var _ = Describe("a release", Ordered, func() {
	// Nothing is applied while policies and CRDs are those of another release.
	older := ContainSubstring("is not as shipped")
	appliers := []string{"system:serviceaccount:argocd:argocd-application-controller", `o'brien\cn`}

	It("is installed in its first version", func() {
		_, err := current.Run(ctx, append([]string{"install", helm.Release, first, "--namespace=" + namespace, "--create-namespace"}, required...)...)
		Expect(err).NotTo(HaveOccurred())
		Eventually(weakness(guard.Options{})).Should(older)
		Expect(admin.Create(ctx, &v1alpha1.SecretProject{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "history"},
			Spec:       v1alpha1.SecretProjectSpec{Environments: []v1alpha1.Environment{{Name: "production"}}},
		})).To(Succeed())
	})

	It("is upgraded to this version, with other values, and keeps what there was", func() {
		By("with the manager scaled to zero meanwhile")
		var manager appsv1.Deployment
		Expect(admin.Get(ctx, managerKey, &manager)).To(Succeed())
		none := &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: 0}}
		Expect(admin.SubResource("scale").Update(ctx, &manager, client.WithSubResourceBody(none), client.FieldOwner("kubectl"))).To(Succeed())
		values := write("values.yaml", fmt.Sprintf("identities: {gitopsAppliers: [%q, %q]}\nconcurrency: 8\nmetrics: {readers: [{namespace: monitoring, name: prometheus}]}\n", appliers[0], appliers[1]))
		_, err := release("upgrade", namespace, with("--values="+values)...)
		Expect(err).NotTo(HaveOccurred())
		Expect(args()).To(ContainElements("--concurrency=8", "--gitops-appliers="+appliers[0]))
		Expect(admin.Get(ctx, managerKey, &manager)).To(Succeed())
		Expect(manager.Spec.Replicas).To(HaveValue(BeEquivalentTo(2)))
		Eventually(weakness(guard.Options{Appliers: appliers})).Should(BeEmpty())
		Expect(admin.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "history"}, &v1alpha1.SecretProject{})).To(Succeed())
		var binding rbacv1.ClusterRoleBinding
		Expect(admin.Get(ctx, client.ObjectKey{Name: "secretreview-metrics-reader"}, &binding)).To(Succeed())
		Expect(binding.Subjects).To(ConsistOf(rbacv1.Subject{Kind: "ServiceAccount", Namespace: "monitoring", Name: "prometheus"}))
	})

	It("is not upgraded to another cluster name or prefix, which would lose what is in AWS", func() {
		_, err := release("upgrade", namespace, with("--set=clusterName=other")...)
		Expect(err).To(MatchError(ContainSubstring(`clusterName would change from "production" to "other"`)))
		_, err = release("upgrade", namespace, with("--set=prefix=other/")...)
		Expect(err).To(MatchError(ContainSubstring(`prefix would change from "secret-review/" to "other/"`)))
		Expect(args()).To(ContainElement("--cluster-name=production"))
	})

	It("is rolled back", func() {
		run("rollback", helm.Release, "1", "--namespace="+namespace)
		Expect(args()).To(ContainElement("--concurrency=4"))
		Eventually(weakness(guard.Options{})).Should(older)
	})

	It("leaves history and what guards it behind when it is uninstalled", func() {
		run("uninstall", helm.Release, "--namespace="+namespace)
		Expect(admin.Get(ctx, managerKey, &appsv1.Deployment{})).To(MatchError(apierrors.IsNotFound, "not found"))
		Expect(admin.Get(ctx, managerKey, &corev1.ServiceAccount{})).To(MatchError(apierrors.IsNotFound, "not found"))
		Expect(admin.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "history"}, &v1alpha1.SecretProject{})).To(Succeed())
		Expect(there(policyKind, guard.IdentityPolicy)).To(BeTrue())
	})

	It("is installed again over that, and under no other cluster name", func() {
		_, err := release("install", namespace, with("--set=clusterName=other")...)
		Expect(err).To(MatchError(ContainSubstring("clusterName would change")))
		_, err = release("install", namespace, required...)
		Expect(err).NotTo(HaveOccurred())
		Eventually(weakness(guard.Options{})).Should(BeEmpty())
	})

	It("is the only one in the cluster", func() {
		_, err := release("install", "elsewhere", required...)
		Expect(err).To(MatchError(ContainSubstring("invalid ownership metadata")))
	})

	It("does not let go of CRDs that would go with it", func() {
		_, err := release("upgrade", namespace, with("--set=crds.keep=false")...)
		Expect(err).NotTo(HaveOccurred())
		_, err = release("upgrade", namespace, with("--set=crds.keep=false", "--set=crds.enabled=false")...)
		Expect(err).To(MatchError(ContainSubstring("would delete the CRD secretchanges.secretreview.dev and with it all history")))
		Expect(there(crdKind, crdName)).To(BeTrue())
	})

	It("lets go of CRDs that stay", func() {
		_, err := release("upgrade", namespace, required...)
		Expect(err).NotTo(HaveOccurred())
		_, err = release("upgrade", namespace, with("--set=crds.enabled=false")...)
		Expect(err).NotTo(HaveOccurred())
		Expect(there(crdKind, crdName)).To(BeTrue())
		_, err = release("upgrade", namespace, required...)
		Expect(err).NotTo(HaveOccurred(), "and takes them back")
	})

	It("takes everything along where it is told to", func() {
		_, err := release("upgrade", namespace, with("--set=crds.keep=false")...)
		Expect(err).NotTo(HaveOccurred())
		run("uninstall", helm.Release, "--namespace="+namespace)
		Eventually(there).WithArguments(crdKind, crdName).Should(BeFalse())
		Expect(there(policyKind, guard.IdentityPolicy)).To(BeFalse())
		Expect(admin.Get(ctx, managerKey, &corev1.ConfigMap{})).To(MatchError(apierrors.IsNotFound, "not found"))
	})
})
