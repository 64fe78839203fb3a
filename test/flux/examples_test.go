package flux_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	gomegatypes "github.com/onsi/gomega/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/helm"
)

// example returns the objects in a file of examples/flux.
func example(file string) []*unstructured.Unstructured {
	GinkgoHelper()
	root, err := cluster.RepositoryRoot()
	Expect(err).NotTo(HaveOccurred())
	return objects(filepath.Join(root, "examples", "flux", file))
}

func objects(file string) []*unstructured.Unstructured {
	GinkgoHelper()
	content, err := os.ReadFile(file)
	Expect(err).NotTo(HaveOccurred())
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), len(content))
	var found []*unstructured.Unstructured
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			Expect(found).NotTo(BeEmpty(), file)
			return found
		}
		Expect(err).NotTo(HaveOccurred(), file)
		found = append(found, object)
	}
}

// only returns the one object of a kind.
func only(all []*unstructured.Unstructured, kind string) *unstructured.Unstructured {
	GinkgoHelper()
	var found []*unstructured.Unstructured
	for _, object := range all {
		if object.GetKind() == kind {
			found = append(found, object)
		}
	}
	Expect(found).To(HaveLen(1), kind)
	return found[0]
}

// find returns the object of a kind and a name.
func find(all []*unstructured.Unstructured, kind, name string) *unstructured.Unstructured {
	GinkgoHelper()
	for _, object := range all {
		if object.GetKind() == kind && object.GetName() == name {
			return object
		}
	}
	Fail("there is no " + kind + " " + name)
	return nil
}

// documented are the YAML blocks of a document.
func documented(document string) []map[string]any {
	GinkgoHelper()
	root, err := cluster.RepositoryRoot()
	Expect(err).NotTo(HaveOccurred())
	content, err := os.ReadFile(filepath.Join(root, "docs", document))
	Expect(err).NotTo(HaveOccurred())
	var blocks []map[string]any
	for _, found := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(content, -1) {
		var block map[string]any
		Expect(yaml.Unmarshal(found[1], &block)).To(Succeed())
		blocks = append(blocks, block)
	}
	return blocks
}

// containAll matches a map that has all that another has.
func containAll(wanted any) gomegatypes.GomegaMatcher {
	GinkgoHelper()
	Expect(wanted).NotTo(BeEmpty())
	var matchers []gomegatypes.GomegaMatcher
	for key, value := range wanted.(map[string]any) {
		matchers = append(matchers, HaveKeyWithValue(key, value))
	}
	return And(matchers...)
}

func decode(object *unstructured.Unstructured, into any) {
	GinkgoHelper()
	Expect(runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, into, true)).To(Succeed())
}

// values are those that the example has for the chart.
func values() map[string]any {
	GinkgoHelper()
	release := only(example("secretreview.yaml"), helmv2.HelmReleaseKind)
	found, _, err := unstructured.NestedMap(release.Object, "spec", "values")
	Expect(err).NotTo(HaveOccurred())
	return found
}

// appliers are the accounts that the example lets vouch.
func appliers() []string {
	GinkgoHelper()
	names, _, err := unstructured.NestedStringSlice(values(), "identities", "gitopsAppliers")
	Expect(err).NotTo(HaveOccurred())
	Expect(names).NotTo(BeEmpty())
	return names
}

func examples() {
	DescribeTable("is accepted by the API server, with no field that it does not know", func(ctx SpecContext, file string) {
		for _, object := range example(file) {
			err := here.admin.Create(ctx, object, client.DryRunAll, client.FieldValidation(metav1.FieldValidationStrict))
			Expect(client.IgnoreAlreadyExists(err)).To(Succeed(), object.GetName())
		}
	},
		Entry(nil, "access.yaml"),
		Entry(nil, "changes.yaml"),
		Entry(nil, "not-waiting.yaml"),
		Entry(nil, "secretreview.yaml"),
	)

	It("is what docs/flux.md shows", func() {
		shown := documented("flux.md")
		Expect(shown).To(HaveLen(4))
		Expect(values()).To(containAll(shown[0]["values"]))
		Expect(shown[1]).To(Equal(find(example("changes.yaml"), kustomizev1.KustomizationKind, "demo-changes").Object))
		Expect(only(example("not-waiting.yaml"), kustomizev1.KustomizationKind).Object["spec"]).To(containAll(shown[2]))
	})

	It("has values that the chart takes", func(ctx SpecContext) {
		dir := GinkgoT().TempDir()
		content, err := yaml.Marshal(values())
		Expect(err).NotTo(HaveOccurred())
		file := filepath.Join(dir, "values.yaml")
		Expect(os.WriteFile(file, content, 0o600)).To(Succeed())
		user, err := helm.New(dir, filepath.Join(dir, "none"))
		Expect(err).NotTo(HaveOccurred())
		chart, err := helm.Chart()
		Expect(err).NotTo(HaveOccurred())
		rendered, err := user.Run(ctx, "template", helm.Release, chart, "--values", file, "--kube-version", "1.33.0")
		Expect(err).NotTo(HaveOccurred())
		for _, name := range appliers() {
			Expect(rendered).To(ContainSubstring("--gitops-appliers=" + name))
		}
	})
}
