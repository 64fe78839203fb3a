package reading

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/cluster/process"
	"github.com/secretreview/secretreview/test/dev/stack"
)

// externalSecrets is the operator's program.
func externalSecrets() string {
	bin, err := cluster.BinDir()
	Expect(err).NotTo(HaveOccurred())
	program := filepath.Join(bin, "external-secrets")
	if _, err = os.Stat(program); err != nil {
		Fail(fmt.Sprintf("%s cannot be used, run `make %s`: %v", program, program, err))
	}
	return program
}

// startExternalSecrets runs External Secrets Operator, with the examples applied. Its webhook, which only checks what
// people apply, and the controller of that webhook's certificates are left out.
func startExternalSecrets(ctx SpecContext, program string) {
	kubectl("apply", "--server-side", "-k", filepath.Join(module(ctx), "config", "crds", "bases"))
	kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=1m")
	operator, err := process.Start(process.Command{
		Name: "external-secrets", Path: program, LogFile: filepath.Join(dir, "external-secrets.log"),
		Args: []string{
			"--metrics-addr=0", "--live-addr=0", // no ports: neither is looked at here
			"--enable-cluster-store-reconciler=false", "--enable-cluster-external-secret-reconciler=false",
			"--enable-push-secret-reconciler=false", "--enable-cluster-push-secret-reconciler=false",
		},
		Env: []string{
			"KUBECONFIG=" + s.KubeconfigOf(stack.Admin), "HOME=" + dir,
			"AWS_SECRETSMANAGER_ENDPOINT=" + s.Endpoint(), "AWS_STS_ENDPOINT=" + s.Endpoint(), "AWS_EC2_METADATA_DISABLED=true",
		},
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func(ctx SpecContext) {
		Expect(operator.Crashed()).To(Succeed())
		Expect(operator.Stop(ctx)).To(Succeed())
	})
	kubectl("apply", "-f", example("external-secrets", "store.yaml"))
	for _, file := range []string{"all-keys.yaml", "some-keys.yaml"} {
		kubectl("apply", "-f", example("external-secrets", file))
		// The examples' own interval is for people, who have longer to wait.
		kubectl("patch", "-f", example("external-secrets", file), "--type=merge", "-p", `{"spec":{"refreshInterval":"1s"}}`)
	}
}

// applyChanged applies an example of an ExternalSecret under another name, with other fields in its spec.
func applyChanged(file, name string, fields map[string]any) {
	GinkgoHelper()
	var object unstructured.Unstructured
	decode(filepath.Join("external-secrets", file), &object.Object)
	object.SetName(name)
	spec, _ := object.Object["spec"].(map[string]any)
	maps.Copy(spec, map[string]any{"refreshInterval": "1s", "target": map[string]any{"name": name}})
	maps.Copy(spec, fields)
	apply(object)
}

// module is the folder of the operator's own module, which has its CRDs.
func module(ctx SpecContext) string {
	download := exec.CommandContext(ctx, "go", "mod", "download", "-json", "github.com/external-secrets/external-secrets")
	download.Dir = filepath.Join(root, "tools", "external-secrets")
	output, err := download.Output()
	Expect(err).NotTo(HaveOccurred(), "%s", output)
	var found struct{ Dir string }
	Expect(json.Unmarshal(output, &found)).To(Succeed())
	return found.Dir
}

// kubernetesSecret is what pods see of a Secret.
func kubernetesSecret(name string) func() map[string]string {
	return func() map[string]string {
		var found corev1.SecretList
		get(&found, "secrets")
		values := map[string]string{}
		for _, secret := range found.Items {
			if secret.Name != name {
				continue
			}
			for key, value := range secret.Data {
				values[key] = string(value)
			}
		}
		return values
	}
}
