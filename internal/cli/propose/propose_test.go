package propose_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
)

var _ = Describe("propose", func() {
	It("stages the patch and creates the change, in two AWS calls", func() {
		scene := env.NewScene(GinkgoTB(), map[string]string{"A": "1", "B": "2", "C": "3"})
		before := time.Now()
		result := scene.As(clitest.Alice).Run(to("--set", "A=9", "--set", "NEW=n", "--unset", "B")...)

		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Err).To(BeEmpty())
		Expect(scene.Operations()).To(Equal([]string{"GetSecretValue", "CreateSecret"}))

		Expect(scene.Changes()).To(HaveLen(1))
		change := scene.Changes()[0]
		Expect(change.Name).To(MatchRegexp(`^backend-api-production-[0-9a-z]{5}$`))
		staged := scene.Staged()[0]
		Expect(change.Spec).To(Equal(v1alpha1.SecretChangeSpec{
			Project: clitest.Project, Environment: clitest.Production, Reason: "because", ProposedBy: clitest.Alice,
			BaseVersionID: v1alpha1.VersionID(scene.Live()), Reviews: []v1alpha1.Review{},
			Staged: &v1alpha1.StagedSource{
				SecretARN: staged.ARN, VersionID: v1alpha1.VersionID(staged.Versions[0].ID), Digest: document.Digest(staged.Versions[0].Value),
			},
		}))
		Expect(change.ManagedFields).To(HaveLen(1))
		Expect(change.ManagedFields[0].Manager).To(Equal("sr"))

		Expect(staged.Name).To(Equal(naming.StagedSecret(naming.DefaultPrefix, clitest.Project, change.Name)))
		Expect(staged.KMSKeyID).To(Equal(clitest.KMSKey))
		tags, err := naming.ParseStagedTags(staged.Tags)
		Expect(err).NotTo(HaveOccurred())
		Expect(tags.KeepUntil).To(BeTemporally("~", before.Add(168*time.Hour+24*time.Hour), time.Minute))
		tags.KeepUntil = time.Time{}
		Expect(tags).To(Equal(naming.StagedTags{
			Cluster: clitest.ClusterName, Namespace: scene.Namespace, Project: clitest.Project,
			Environment: clitest.Production, Change: change.Name,
		}))
		document, err := document.ParseStaged(staged.Versions[0].Value)
		Expect(err).NotTo(HaveOccurred())
		Expect(document.Change).To(Equal(change.Name))
		Expect(clitest.Reveal(document.Patch.Set)).To(Equal(map[string]string{"A": "9", "NEW": "n"}))
		Expect(document.Patch.Unset).To(Equal([]string{"B"}))
		Expect(clitest.Reveal(document.Patch.Expect)).To(Equal(map[string]string{"A": "1", "B": "2"}))

		Expect(result.Out).To(MatchRegexp(`^Proposed ` + change.Name + `
  for backend-api/production in namespace ` + scene.Namespace + `: 1 added, 1 modified, 1 removed
  ~ A
  - B
  \+ NEW
It needs 1 approval by \S+Z. Next, somebody else runs:
  sr review ` + change.Name + ` -n ` + scene.Namespace + `
$`))
	})

	It("is set, unset and generate for single keys", func() {
		scene := env.NewScene(GinkgoTB(), map[string]string{"A": "1", "B": "2"})
		for _, tc := range []struct {
			args  []string
			set   map[string]string
			unset []string
		}{
			{[]string{"set", "A=9", "NEW=n"}, map[string]string{"A": "9", "NEW": "n"}, nil},
			{[]string{"unset", "B", "A"}, map[string]string{}, []string{"A", "B"}},
		} {
			result := scene.As(clitest.Alice).Run(append(tc.args, to()[1:]...)...)
			Expect(result.Code).To(Equal(exit.OK), result.Err)
			patch := scene.StagedPatch()
			Expect(clitest.Reveal(patch.Set)).To(Equal(tc.set))
			Expect(patch.Unset).To(ConsistOf(tc.unset))
			for _, staged := range scene.Staged() {
				Expect(scene.Store.Delete(GinkgoT().Context(), secretstore.DeleteInput{ID: staged.ARN})).To(Succeed())
			}
		}
		result := scene.As(clitest.Alice).Run(append([]string{"generate", "KEY", "--length", "40", "--charset", "hex"}, to()[1:]...)...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		value := clitest.Reveal(scene.StagedPatch().Set)["KEY"]
		Expect(value).To(MatchRegexp("^[0-9a-f]{40}$"))
		Expect(result.Out + result.Err).NotTo(ContainSubstring(value))

		for _, args := range [][]string{
			{"set"}, {"unset"}, {"generate"}, {"generate", "A", "B"}, {"generate", "A", "--length", "3"}, {"generate", "A", "--charset", "x"}, {"generate", "1"},
		} {
			Expect(scene.As(clitest.Alice).Run(append(args, to()[1:]...)...).Code).To(Equal(exit.Usage), "%v", args)
		}
	})

	It("says that nothing changes, and stages nothing", func() {
		scene := env.NewScene(GinkgoTB(), map[string]string{"A": "1"})
		result := scene.As(clitest.Alice).Run(to("--set", "A=1")...)
		Expect(result.Code).To(Equal(exit.OK))
		Expect(result.Out).To(Equal("No changes: backend-api/production is already like this.\n"))
		Expect(result.Err).To(BeEmpty())
		Expect(scene.Changes()).To(BeEmpty())
		Expect(scene.Operations()).To(Equal([]string{"GetSecretValue"}))
	})

	It("shows what it would do, and does nothing", func() {
		scene := env.NewScene(GinkgoTB(), map[string]string{"A": "1"})
		result := scene.As(clitest.Alice).Run(to("--set", "A=canary", "--set", "B=canary", "--dry-run")...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Out).To(Equal("Would propose for backend-api/production in namespace " + scene.Namespace + ": 1 added, 1 modified\n  ~ A\n  + B\n"))
		Expect(scene.Changes()).To(BeEmpty())
		Expect(scene.Operations()).To(Equal([]string{"GetSecretValue"}))
	})

	It("finds out by a dry run that the cluster would refuse", func() {
		scene := env.NewScene(GinkgoTB(), map[string]string{"A": "1"})
		result := scene.As(clitest.Bob).Run(to("--set", "A=9", "--dry-run")...)
		expectNothingDone(scene, result, exit.Denied)
	})

	It("prints the name alone, as kubectl does", func() {
		scene := env.NewScene(GinkgoTB(), map[string]string{"A": "1"})
		result := scene.As(clitest.Alice).Run(to("--set", "A=9", "-o", "name")...)
		Expect(result.Out).To(Equal("secretchange.secretreview.dev/" + scene.Changes()[0].Name + "\n"))
		Expect(result.Err).To(BeEmpty())
	})

	It("takes the project by its name in AWS, and names the SecretProject", func() {
		scene := env.NewScene(GinkgoTB(), map[string]string{"A": "1"})
		other := &v1alpha1.SecretProject{
			ObjectMeta: metav1.ObjectMeta{Namespace: scene.Namespace, Name: "renamed"},
			Spec:       v1alpha1.SecretProjectSpec{ProjectName: "In_AWS", Environments: []v1alpha1.Environment{{Name: "EU_1"}}},
		}
		Expect(env.Admin.Create(GinkgoT().Context(), other)).To(Succeed())
		scene.CreateLive("In_AWS", "EU_1", map[string]string{"A": "1"})
		scene.ServeProject(other, "EU_1")
		result := scene.As(clitest.Alice).Run("propose", "-p", "In_AWS", "-e", "EU_1", "-r", "because", "--set", "A=9")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		change := scene.Changes()[0]
		Expect(change.Spec.Project).To(Equal("renamed"))
		Expect(change.Name).To(HavePrefix("renamed-eu-1-"))
		Expect(scene.Staged()[0].Name).To(Equal("secret-review/pending/In_AWS/" + change.Name))
		Expect(scene.Staged()[0].Tags).To(HaveKeyWithValue(naming.TagProject, "In_AWS"))
	})

	DescribeTable("encrypts with the live secret's key", func(key, want string) {
		scene := env.NewScene(GinkgoTB(), map[string]string{"A": "1"})
		scene.UpdateProject(func(p *v1alpha1.SecretProject) { p.Status.Environments[0].KMSKeyID = key })
		Expect(scene.As(clitest.Alice).Run(to("--set", "A=9")...).Code).To(Equal(exit.OK))
		Expect(scene.Staged()[0].KMSKeyID).To(Equal(want))
	},
		Entry("its own", clitest.KMSKey, clitest.KMSKey),
		Entry("an alias", "alias/team", "alias/team"),
		Entry("AWS's own, not named", "", ""),
		Entry("AWS's own, by its alias", "alias/aws/secretsmanager", ""),
		Entry("AWS's own, by its alias' ARN", "arn:aws:kms:us-east-1:123456789012:alias/aws/secretsmanager", ""),
	)

	It("proposes the first values of a secret that has no version yet", func() {
		scene := env.NewScene(GinkgoTB(), map[string]string{"A": "1"})
		scene.EmptyLive()
		result := scene.As(clitest.Alice).Run(to("--set", "A=9")...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(scene.Changes()[0].Spec.BaseVersionID).To(BeEmpty())
		Expect(clitest.Reveal(scene.StagedPatch().Set)).To(Equal(map[string]string{"A": "9"}))
	})

	It("warns where a change would not become live soon", func() {
		scene := env.NewScene(GinkgoTB(), map[string]string{"A": "1"})
		suspend := true
		scene.UpdateProject(func(p *v1alpha1.SecretProject) {
			p.Spec.Suspend = &suspend
			p.Status.Environments[0].Drift = &v1alpha1.Drift{ForeignChangeUID: "someone"}
			p.Status.Conditions = []metav1.Condition{{
				Type: v1alpha1.ConditionPoliciesInForce, Status: metav1.ConditionFalse,
				Reason: v1alpha1.ReasonPoliciesWeakened, LastTransitionTime: metav1.Now(),
			}}
		})
		result := scene.As(clitest.Alice).Run(to("--set", "A=9")...)
		Expect(result.Code).To(Equal(exit.OK))
		Expect(result.Err).To(And(ContainSubstring("is suspended"), ContainSubstring("has drifted"), ContainSubstring("not in force")))
	})

	It("says that no approval is needed where none is", func() {
		scene := env.NewScene(GinkgoTB(), map[string]string{"A": "1"})
		none := int32(0)
		scene.UpdateProject(func(p *v1alpha1.SecretProject) { p.Spec.Environments[0].RequiredApprovals = &none })
		Expect(scene.As(clitest.Alice).Run(to("--set", "A=9")...).Out).To(ContainSubstring("It needs no approval."))
	})
})

var _ = Describe("completion", func() {
	DescribeTable("knows", func(want string, args ...string) {
		scene := env.NewScene(GinkgoTB(), map[string]string{"A": "1"})
		result := scene.As(clitest.Alice).Run(append([]string{"__complete", "propose"}, args...)...)
		Expect(result.Code).To(Equal(exit.OK))
		Expect(result.Out).To(Equal(want))
	},
		Entry("projects", "backend-api\n:4\n", "--project", ""),
		Entry("environments of a project", "production\n:4\n", "-p", "backend-api", "-e", ""),
		Entry("no environments without a project", ":4\n", "-e", ""),
		Entry("outputs", "yaml\njson\nname\n:4\n", "-o", ""),
	)
})
