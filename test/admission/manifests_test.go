package admission

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/secretreview/secretreview/internal/guard"
	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/install"
)

// kubectl runs the kubectl of the cluster's release.
func kubectl(ctx context.Context, args ...string) (string, error) {
	command := exec.CommandContext(ctx, server.Binaries().Kubectl, args...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	stdout, err := command.Output()
	if err != nil {
		return string(stdout), fmt.Errorf("%w: %s", err, stderr.String())
	}
	return string(stdout), nil
}

func build(ctx context.Context, dir string) []*unstructured.Unstructured {
	GinkgoHelper()
	output, err := kubectl(ctx, "kustomize", dir)
	Expect(err).NotTo(HaveOccurred())
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(output), 4096)
	var objects []*unstructured.Unstructured
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return objects
		}
		Expect(err).NotTo(HaveOccurred())
		objects = append(objects, object)
	}
}

func byName(objects []*unstructured.Unstructured) guard.Found {
	found := guard.Found{}
	for _, object := range objects {
		found[guard.Ref{GroupVersionKind: object.GroupVersionKind(), Name: object.GetName()}] = object
	}
	return found
}

var _ = Describe("the kustomizations", func() {
	root := func() string {
		dir, err := cluster.RepositoryRoot()
		Expect(err).NotTo(HaveOccurred())
		return dir
	}

	It("hold what the tests install", func(ctx context.Context) {
		built := byName(build(ctx, filepath.Join(root(), "config/default")))
		installed, err := install.Objects(install.Options{})
		Expect(err).NotTo(HaveOccurred())
		for ref, object := range byName(installed) {
			Expect(built).To(HaveKey(ref))
			Expect(built[ref].Object).To(Equal(object.Object))
		}
		for ref := range built {
			delete(built, ref)
			if _, alsoInstalled := byName(installed)[ref]; !alsoInstalled {
				Expect(ref.Kind).To(BeElementOf("Deployment", "Service", "PodDisruptionBudget"))
			}
		}
	})

	It("put policies before CRDs", func(ctx context.Context) {
		var kinds []string
		for _, object := range build(ctx, filepath.Join(root(), "config/default")) {
			kinds = append(kinds, object.GetKind())
		}
		Expect(kinds[:6]).To(Equal([]string{
			"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
			"CustomResourceDefinition", "CustomResourceDefinition",
		}))
	})

	It("let an overlay list accounts as the manager expects them", func(ctx context.Context) {
		overlay := GinkgoT().TempDir()
		config, err := filepath.Rel(overlay, filepath.Join(root(), "config"))
		Expect(err).NotTo(HaveOccurred())
		Expect(os.WriteFile(filepath.Join(overlay, "kustomization.yaml"), fmt.Appendf(nil, `
resources: [%[1]s/default]
components: [%[1]s/admission/proposer, %[1]s/rbac/aggregated]
patches:
- target: {kind: ValidatingAdmissionPolicy, name: secretreview-identity}
  patch: |-
    - {op: test, path: /spec/variables/1/name, value: appliers}
    - op: replace
      path: /spec/variables/1/expression
      value: "['one', 'two']"
`, config), 0o600)).To(Succeed())
		built := byName(build(ctx, overlay))
		expected, err := guard.Expect(guard.Options{Appliers: []string{"one", "two"}})
		Expect(err).NotTo(HaveOccurred())
		Expect(expected.Compare(built)).To(BeEmpty())
		labels := map[string]int{}
		for _, object := range built {
			for label := range object.GetLabels() {
				if strings.HasPrefix(label, "rbac.authorization.k8s.io/aggregate-to-") {
					labels[label]++
				}
			}
		}
		Expect(labels).To(Equal(map[string]int{
			"rbac.authorization.k8s.io/aggregate-to-view": 1, "rbac.authorization.k8s.io/aggregate-to-edit": 1, "rbac.authorization.k8s.io/aggregate-to-admin": 2,
		}))
	})
})

var _ = DescribeTable("kubectl auth can-i answers", func(ctx context.Context, user, verb, environment, want string) {
	kubeconfig := filepath.Join(GinkgoT().TempDir(), "config")
	Expect(server.WriteKubeconfig(kubeconfig, cluster.Context{Name: user, Namespace: team, Config: server.UserConfig(user)})).To(Succeed())
	// It exits with an error where the answer is no.
	args := []string{"--kubeconfig", kubeconfig, "auth", "can-i", verb, "secretprojects.secretreview.dev/" + project}
	if environment != "" {
		args = append(args, "--subresource", environment)
	}
	output, err := kubectl(ctx, args...)
	Expect(strings.TrimSpace(output)).To(Equal(want))
	Expect(err == nil).To(Equal(want == "yes"))
},
	Entry("bob approves everywhere", bob, "approve", "", "yes"),
	Entry("paul approves production", paul, "approve", production, "yes"),
	Entry("paul does not approve dev", paul, "approve", development, "no"),
	Entry("paul does not approve everywhere", paul, "approve", "", "no"),
	Entry("alice does not approve", alice, "approve", "", "no"),
	Entry("alice proposes everywhere", alice, "propose", "", "yes"),
	Entry("rita rolls back production", rita, "rollback", production, "yes"),
)
