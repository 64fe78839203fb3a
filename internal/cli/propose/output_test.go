package propose_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/naming"
)

var _ = Describe("propose for a Git repository", func() {
	DescribeTable("stages for long, and prints the manifest instead of creating it", func(output string, decode func([]byte, any) error) {
		scene := env.NewScene(GinkgoTB(), map[string]string{"A": "1"})
		before := time.Now()
		result := scene.As(clitest.Alice).Run(to("--set", "A=canary", "-o", output)...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(scene.Changes()).To(BeEmpty())
		Expect(result.Err).To(MatchRegexp(`(?m)^Staged \S+ for backend-api/production. Commit the manifest`))

		manifest := map[string]any{}
		Expect(decode([]byte(result.Out), &manifest)).To(Succeed())
		staged := scene.Staged()[0]
		spec := manifest["spec"].(map[string]any)
		Expect(manifest).To(HaveLen(4))
		Expect(manifest).To(And(HaveKeyWithValue("apiVersion", "secretreview.dev/v1alpha1"), HaveKeyWithValue("kind", "SecretChange")))
		Expect(spec).NotTo(HaveKey("reviews"))
		Expect(spec).To(HaveKeyWithValue("proposedBy", clitest.Alice))
		Expect(spec["staged"]).To(HaveKeyWithValue("secretARN", staged.ARN))
		metadata := manifest["metadata"].(map[string]any)
		Expect(metadata).To(HaveLen(3))
		Expect(metadata["annotations"]).To(Equal(map[string]any{
			"argocd.argoproj.io/compare-options": "IgnoreExtraneous",
			"argocd.argoproj.io/sync-options":    "ServerSideApply=true,Prune=false,Delete=false",
			"kustomize.toolkit.fluxcd.io/prune":  "disabled",
		}))
		Expect(result.Out).NotTo(ContainSubstring("canary"))

		tags, err := naming.ParseStagedTags(staged.Tags)
		Expect(err).NotTo(HaveOccurred())
		Expect(tags.KeepUntil).To(BeTemporally("~", before.Add(90*24*time.Hour), time.Minute))
		Expect(tags.Change).To(Equal(metadata["name"]))

		// It is a change that the cluster takes.
		object := &unstructured.Unstructured{Object: manifest}
		alice, err := client.New(env.Cluster.UserConfig(clitest.Alice), client.Options{})
		Expect(err).NotTo(HaveOccurred())
		Expect(alice.Create(GinkgoT().Context(), object)).To(Succeed())
		Expect(scene.Changes()).To(HaveLen(1))
	},
		Entry("as YAML", "yaml", func(text []byte, into any) error { return yaml.UnmarshalStrict(text, into) }),
		Entry("as JSON", "json", json.Unmarshal),
	)

	It("keeps the values as long as a change may take, if that is longer", func() {
		scene := env.NewScene(GinkgoTB(), map[string]string{"A": "1"})
		scene.UpdateProject(func(p *v1alpha1.SecretProject) { p.Spec.ChangeTTL.Duration = 5000 * time.Hour })
		before := time.Now()
		Expect(scene.As(clitest.Alice).Run(to("--set", "A=9", "-o", "yaml")...).Code).To(Equal(exit.OK))
		tags, err := naming.ParseStagedTags(scene.Staged()[0].Tags)
		Expect(err).NotTo(HaveOccurred())
		Expect(tags.KeepUntil).To(BeTemporally("~", before.Add(5024*time.Hour), time.Minute))
	})

	It("leaves standard output empty where nothing changes", func() {
		scene := env.NewScene(GinkgoTB(), map[string]string{"A": "1"})
		for _, output := range []string{"yaml", "json", "name"} {
			result := scene.As(clitest.Alice).Run(to("--set", "A=1", "-o", output)...)
			Expect(result.Code).To(Equal(exit.OK))
			Expect(result.Out).To(BeEmpty())
			Expect(result.Err).To(ContainSubstring("No changes"))
		}
	})
})

var _ = Describe("values", func() {
	It("are nowhere but in AWS", func() {
		const before, after = "canary-old-7d1f", "canary-new-7d1f"
		scene := env.NewScene(GinkgoTB(), map[string]string{"A": before, "B": before})
		alice := scene.As(clitest.Alice)
		var shown strings.Builder
		for _, args := range [][]string{{"--dry-run"}, {"-o", "name"}, {"-o", "yaml"}, {"-o", "json"}, {}} {
			result := alice.Run(to(append([]string{"--set", "A=" + after, "--set", "C=" + after, "--unset", "B"}, args...)...)...)
			Expect(result.Code).To(Equal(exit.OK), result.Err)
			shown.WriteString(result.Out + result.Err)
		}
		objects, err := json.Marshal(scene.Changes())
		Expect(err).NotTo(HaveOccurred())
		calls, err := json.Marshal(scene.Emulator.Calls())
		Expect(err).NotTo(HaveOccurred())
		for _, value := range []string{before, after} {
			Expect(shown.String()).NotTo(ContainSubstring(value))
			Expect(string(objects)).NotTo(ContainSubstring(value))
			Expect(string(calls)).NotTo(ContainSubstring(value))
			for _, staged := range scene.Staged() {
				Expect(fmt.Sprint(staged.Tags, staged.Description, staged.Name)).NotTo(ContainSubstring(value))
			}
		}
	})
})
