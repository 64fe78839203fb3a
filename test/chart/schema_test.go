package chart_test

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// everything switches on whatever the chart can do.
var everything = `
clusterName: production
aws: {region: eu-central-1, account: "123456789012"}
identities:
  gitopsAppliers: [system:serviceaccount:argocd:argocd-application-controller]
  backupAccounts: [system:serviceaccount:velero:velero]
  reviewingServiceAccounts: [system:serviceaccount:ci:reviewer]
  proposingServiceAccounts: [system:serviceaccount:ci:proposer]
  sessionEnforcedRoles: ["arn:aws:iam::123456789012:role/people"]
proposerPolicy: always
rbac: {aggregate: true}
serviceAccount: {annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::123456789012:role/secretreview"}}
image: {digest: "sha256:0123456789012345678901234567890123456789012345678901234567890123"}
imagePullSecrets: [{name: registry}]
nodeSelector: {kubernetes.io/os: linux}
tolerations: [{key: dedicated, operator: Exists}]
affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app.kubernetes.io/component: manager}}}}]}}
topologySpreadConstraints: [{maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app.kubernetes.io/component: manager}}}]
priorityClassName: system-cluster-critical
podAnnotations: {example.com/team: platform}
podLabels: {team: platform}
extraEnv: [{name: AWS_ENDPOINT_URL_SECRETS_MANAGER, value: "https://vpce.example.com"}]
networkPolicy:
  metricsFrom: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]
  extraEgress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 8443}]}]
metrics: {certificateSecret: metrics, readers: [{namespace: monitoring, name: prometheus}]}
serviceMonitor: {enabled: true, labels: {release: prometheus}}
prometheusRule: {enabled: true, labels: {release: prometheus}}
dashboard: {enabled: true}
`

var _ = Describe("everything that the chart can install", Ordered, func() {
	var objects []*unstructured.Unstructured

	BeforeAll(func() {
		objects = template(current, "--values="+write("everything.yaml", everything))
		Expect(admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
			Name: "secretreview-system", Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
		}})).To(Succeed())
		// A dry run of a pod wants its account to be there.
		Expect(admin.Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "secretreview-system", Name: "secretreview-manager"}})).To(Succeed())
	})

	It("is known to the API server, down to each field", func() {
		known := &unstructured.UnstructuredList{Object: map[string]any{"apiVersion": "v1", "kind": "List"}}
		for _, object := range objects {
			if object.GroupVersionKind().Group != monitoringv1.SchemeGroupVersion.Group && served(object) {
				known.Items = append(known.Items, *object)
			}
		}
		content, err := json.Marshal(known)
		Expect(err).NotTo(HaveOccurred())
		out, err := exec.Command(api.Binaries().Kubectl, "--kubeconfig="+filepath.Join(dir, "kubeconfig"),
			"apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", write("known.json", string(content))).CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(out))
		Expect(string(out)).NotTo(ContainSubstring("Warning"))
	})

	It("is known to the Prometheus operator, down to each field", func() {
		for kind, into := range map[string]any{"ServiceMonitor": &monitoringv1.ServiceMonitor{}, "PrometheusRule": &monitoringv1.PrometheusRule{}} {
			object := find(objects, kind, "secretreview-manager")
			Expect(object).NotTo(BeNil())
			Expect(object.GetLabels()).To(HaveKeyWithValue("release", "prometheus"))
			content, err := json.Marshal(object)
			Expect(err).NotTo(HaveOccurred())
			Expect(yaml.UnmarshalStrict(content, into)).To(Succeed())
		}
	})

	It("leaves the metrics' own labels as they are, which alerts name environments by", func() {
		endpoints, _, err := unstructured.NestedSlice(find(objects, "ServiceMonitor", "secretreview-manager").Object, "spec", "endpoints")
		Expect(err).NotTo(HaveOccurred())
		Expect(endpoints).To(ConsistOf(HaveKeyWithValue("honorLabels", true)))
	})

	It("is synced by Argo CD with its policies first, and is not pruned with the history", func() {
		for _, kind := range []string{"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "CustomResourceDefinition"} {
			for _, object := range objects {
				if object.GetKind() != kind {
					continue
				}
				Expect(object.GetAnnotations()).To(HaveKeyWithValue("argocd.argoproj.io/sync-options", "Prune=false,Delete=false"))
				first := HaveKeyWithValue("argocd.argoproj.io/sync-wave", "-1")
				if kind == "CustomResourceDefinition" {
					first = Not(first)
				}
				Expect(object.GetAnnotations()).To(first)
			}
		}
	})

	It("runs under restricted Pod Security", func() {
		var deployment appsv1.Deployment
		Expect(runtime.DefaultUnstructuredConverter.FromUnstructured(find(objects, "Deployment", "secretreview-manager").Object, &deployment)).To(Succeed())
		pod := &corev1.Pod{ObjectMeta: deployment.Spec.Template.ObjectMeta, Spec: deployment.Spec.Template.Spec}
		pod.Namespace, pod.Name = "secretreview-system", "trial"
		Expect(admin.Create(ctx, pod, client.DryRunAll)).To(Succeed())
		verify := find(objects, "Pod", "secretreview-manager-verify")
		Expect(admin.Create(ctx, verify.DeepCopy(), client.DryRunAll)).To(Succeed())
		pod.Spec.SecurityContext = nil
		pod.ResourceVersion = ""
		Expect(admin.Create(ctx, pod, client.DryRunAll)).To(MatchError(ContainSubstring("violates PodSecurity")), "otherwise this proves nothing")
	})

	It("adds the roles to Kubernetes' own only where asked", func() {
		aggregated := func(objects []*unstructured.Unstructured) map[string]string {
			found := map[string]string{}
			for _, object := range objects {
				for label := range object.GetLabels() {
					if role, ok := strings.CutPrefix(label, rbacv1.GroupName+"/aggregate-to-"); ok {
						found[object.GetName()] = role
					}
				}
			}
			return found
		}
		Expect(aggregated(template(current, required...))).To(BeEmpty())
		Expect(aggregated(objects)).To(Equal(map[string]string{
			"secretreview-viewer": "view", "secretreview-proposer": "edit", "secretreview-approver": "admin", "secretreview-rollbacker": "admin",
		}))
	})

	It("knows whether the cluster has a policy that fills in the proposer", func() {
		policy := func(args ...string) *unstructured.Unstructured {
			return find(template(current, with(args...)...), "MutatingAdmissionPolicy", "secretreview-proposer")
		}
		const served = "--api-versions=admissionregistration.k8s.io/v1/MutatingAdmissionPolicy"
		Expect(policy()).To(BeNil())
		Expect(policy(served)).NotTo(BeNil())
		Expect(policy(served, "--set=proposerPolicy=never")).To(BeNil())
	})
})

// served says whether the API server knows the object's kind: Kubernetes before 1.36 does not know all.
func served(object *unstructured.Unstructured) bool {
	_, err := admin.RESTMapper().RESTMapping(object.GroupVersionKind().GroupKind(), object.GroupVersionKind().Version)
	return err == nil
}
