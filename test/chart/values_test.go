package chart_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/yaml"

	"github.com/secretreview/secretreview/internal/naming"
)

// pattern is that of a value in the schema, by its path.
func pattern(path ...string) *regexp.Regexp {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join(chart, "values.schema.json"))
	Expect(err).NotTo(HaveOccurred())
	var schema map[string]any
	Expect(json.Unmarshal(content, &schema)).To(Succeed())
	for _, name := range path {
		schema = schema["properties"].(map[string]any)[name].(map[string]any)
	}
	return regexp.MustCompile(schema["pattern"].(string))
}

var _ = Describe("the values", func() {
	It("are what the outputs of infra/cdk's stack are turned into", func() {
		outputs := write("outputs.json", `{"secretreview": {"SecretPrefix": "secret-review/", "Region": "eu-central-1",
			"ControllerRoleArn": "arn:aws:iam::123456789012:role/secretreview"}}`)
		cdk := exec.Command("go", "run", "./cmd/helm-values", "-file", outputs, "-cluster", "production")
		cdk.Dir = filepath.Join(chart, "..", "..", "infra", "cdk")
		values, err := cdk.Output()
		Expect(err).NotTo(HaveOccurred())
		objects := template(current, "--values="+write("cdk.yaml", string(values)))
		Expect(find(objects, "ServiceAccount", "secretreview-manager").GetAnnotations()).
			To(HaveKeyWithValue("eks.amazonaws.com/role-arn", "arn:aws:iam::123456789012:role/secretreview"))
	})

	It("are all in the schema, which knows no others", func() {
		content, err := os.ReadFile(filepath.Join(chart, "values.yaml"))
		Expect(err).NotTo(HaveOccurred())
		var values, schema map[string]any
		Expect(yaml.Unmarshal(content, &values)).To(Succeed())
		content, err = os.ReadFile(filepath.Join(chart, "values.schema.json"))
		Expect(err).NotTo(HaveOccurred())
		Expect(json.Unmarshal(content, &schema)).To(Succeed())
		for name := range schema["properties"].(map[string]any) {
			if name != "global" { // helm's own
				Expect(values).To(HaveKey(name))
			}
		}
	})

	It("have the rules of the manager's own flags", func() {
		for _, name := range []string{"production", "a", "prod cluster", "-prod", "prod-", "arn:aws:eks:x/y", "", strings.Repeat("a", 193)} {
			Expect(name == "" || pattern("clusterName").MatchString(name) && len(name) <= naming.MaxClusterLength).
				To(Equal(name == "" || naming.ValidCluster(name)), name)
		}
		for _, prefix := range []string{"secret-review/", "/a/b/", "a", "a//", "/", "", "a b/", "ä/"} {
			Expect(pattern("prefix").MatchString(prefix)).To(Equal(naming.ValidPrefix(prefix)), prefix)
		}
	})
})
