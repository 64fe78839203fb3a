package chart_test

import (
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/secretreview/secretreview/test/helm"
)

// key names an object among others.
func key(object *unstructured.Unstructured) string {
	return object.GetKind() + " " + object.GetNamespace() + "/" + object.GetName()
}

func byKey(objects []*unstructured.Unstructured) map[string]map[string]any {
	all := map[string]map[string]any{}
	for _, object := range objects {
		all[key(object)] = object.Object
	}
	return all
}

// kustomized is the installation of config/ under the same names as with.
func kustomized() []*unstructured.Unstructured {
	GinkgoHelper()
	overlay := write("kustomization.yaml", `
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [`+relative("config/default")+`]
components: [`+relative("config/admission/proposer")+`]
sortOptions: {order: fifo}
configMapGenerator:
- name: secretreview-manager
  namespace: secretreview-system
  literals: [clusterName=production, prefix=secret-review/]
generatorOptions: {disableNameSuffixHash: true}
`)
	out, err := exec.Command(api.Binaries().Kubectl, "kustomize", filepath.Dir(overlay)).CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(out))
	return decode(string(out))
}

// relative is a path of the repository from the suite's folder, because kustomize takes no absolute ones.
func relative(path string) string {
	GinkgoHelper()
	relative, err := filepath.Rel(dir, filepath.Join(chart, "..", "..", path))
	Expect(err).NotTo(HaveOccurred())
	return relative
}

// plain is an object without what helm adds to each.
func plain(object map[string]any) map[string]any {
	u := (&unstructured.Unstructured{Object: object}).DeepCopy()
	labels := u.GetLabels()
	maps.DeleteFunc(labels, func(key, _ string) bool {
		return strings.HasPrefix(key, "helm.sh/") || strings.HasPrefix(key, "app.kubernetes.io/")
	})
	u.SetLabels(nilIfEmpty(labels))
	annotations := u.GetAnnotations()
	for _, own := range []string{"helm.sh/resource-policy", "argocd.argoproj.io/sync-options", "argocd.argoproj.io/sync-wave"} {
		delete(annotations, own)
	}
	u.SetAnnotations(nilIfEmpty(annotations))
	return u.Object
}

func nilIfEmpty(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return m
}

var _ = Describe("what the chart installs", func() {
	It("is what config/ installs, but for what only a chart can have", func() {
		chart, config := byKey(template(current, with("--set=proposerPolicy=always")...)), byKey(kustomized())
		Expect(config).To(HaveKey("Namespace /secretreview-system"), "helm makes it itself")
		delete(config, "Namespace /secretreview-system")
		for name, object := range config {
			Expect(chart).To(HaveKey(name))
			if strings.HasPrefix(name, "Deployment ") {
				continue // the next spec compares it
			}
			Expect(plain(chart[name])).To(Equal(plain(object)), name)
		}
		extra := slices.DeleteFunc(slices.Collect(maps.Keys(chart)), func(name string) bool { return config[name] != nil })
		Expect(extra).To(ConsistOf("NetworkPolicy secretreview-system/secretreview-manager", "Pod secretreview-system/secretreview-manager-verify"))
	})

	It("runs the manager as config/ does, with defaults that are the manager's own", func() {
		pod := func(objects []*unstructured.Unstructured) map[string]any {
			deployment := find(objects, "Deployment", "secretreview-manager")
			Expect(deployment).NotTo(BeNil())
			spec, _, err := unstructured.NestedMap(deployment.Object, "spec", "template", "spec")
			Expect(err).NotTo(HaveOccurred())
			return spec
		}
		chart, config := pod(template(current, required...)), pod(kustomized())
		container := func(spec map[string]any) map[string]any { return spec["containers"].([]any)[0].(map[string]any) }
		for _, field := range []string{"ports", "livenessProbe", "readinessProbe", "resources", "securityContext"} {
			Expect(container(chart)[field]).To(Equal(container(config)[field]), field)
		}
		for _, field := range []string{"serviceAccountName", "terminationGracePeriodSeconds", "securityContext", "topologySpreadConstraints"} {
			Expect(chart[field]).To(Equal(config[field]), field)
		}
		for _, arg := range container(config)["args"].([]any) {
			Expect(container(chart)["args"]).To(ContainElement(strings.ReplaceAll(arg.(string), "$(CLUSTER_NAME)", "production")))
		}
	})

	It("is the same under helm 3", func() {
		old, err := helm.NewOf(helm.OldProgram, dir, filepath.Join(dir, "none"))
		Expect(err).NotTo(HaveOccurred())
		args := with("--set=proposerPolicy=always", "--set=serviceMonitor.enabled=true", "--set=prometheusRule.enabled=true", "--set=dashboard.enabled=true")
		older, newer := byKey(template(old, args...)), byKey(template(current, args...))
		Expect(older).To(HaveLen(len(newer)))
		for name, object := range newer {
			Expect(older[name]).To(Equal(object), name)
		}
	})
})
