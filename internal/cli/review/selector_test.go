package review_test

import (
	"context"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
)

// record creates a change of any project, without staged values, that has come
// to a phase.
func record(scene *clitest.Scene, name, project, environment string, phase v1alpha1.Phase) {
	GinkgoHelper()
	change := &v1alpha1.SecretChange{
		ObjectMeta: metav1.ObjectMeta{Namespace: scene.Namespace, Name: name},
		Spec: v1alpha1.SecretChangeSpec{
			Project: project, Environment: environment, Reason: "because of " + name, ProposedBy: "admin",
			Rollback: &v1alpha1.RollbackSource{Change: "older"}, BaseVersionID: newVersion,
		},
	}
	Expect(scene.Admin.Create(context.Background(), change)).To(Succeed())
	if phase == "" {
		return
	}
	status := v1alpha1.SecretChangeStatus{ObservedGeneration: 1}
	if wait(&status, 1); phase != v1alpha1.PhasePending {
		finish(phase, "It ended.")(&status)
	}
	scene.SetStatus(change, status)
}

// untilLater waits until what is created is newer than a change: the API server
// keeps whole seconds.
func untilLater(scene *clitest.Scene, name string) {
	GinkgoHelper()
	Eventually(time.Now).Should(BeTemporally(">=", read(scene, name).CreationTimestamp.Add(time.Second)))
}

var _ = Describe("the choice of a change", func() {
	var scene *clitest.Scene
	BeforeEach(func() { scene = env.NewScene(GinkgoTB(), map[string]string{"DB": oldValue}) })

	// shown is the change that status shows.
	shown := func(args ...string) (string, clitest.Result) {
		result := scene.As(clitest.Bob).Run(append([]string{"status", "-o", "name"}, args...)...)
		return strings.TrimPrefix(strings.TrimSpace(result.Out), "secretchange.secretreview.dev/"), result
	}

	It("takes the latest pending change of this project and environment, and nobody else's", func() {
		record(scene, "ours-old", clitest.Project, clitest.Production, v1alpha1.PhasePending)
		untilLater(scene, "ours-old")
		record(scene, "ours", clitest.Project, clitest.Production, v1alpha1.PhasePending)
		untilLater(scene, "ours")
		record(scene, "ours-applied", clitest.Project, clitest.Production, v1alpha1.PhaseApplied)
		record(scene, "ours-unchecked", clitest.Project, clitest.Production, "")
		record(scene, "ours-in-dev", clitest.Project, "dev", v1alpha1.PhasePending)
		record(scene, "other-project", "payments", clitest.Production, v1alpha1.PhasePending)
		other := env.NewScene(GinkgoTB(), nil)
		record(other, "other-namespace", clitest.Project, clitest.Production, v1alpha1.PhasePending)

		name, result := shown(append([]string{"--latest"}, at...)...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(name).To(Equal("ours"))

		approved := scene.As(clitest.Bob).Run(append([]string{"approve", "--latest", "-y", "--no-wait"}, at...)...)
		Expect(approved.Code).To(Equal(exit.OK), approved.Err)
		Expect(reviewers(read(scene, "ours"))).To(Equal([]string{clitest.Bob}))
		for _, untouched := range []string{"ours-old", "ours-unchecked", "ours-in-dev", "other-project"} {
			Expect(read(scene, untouched).Spec.Reviews).To(BeEmpty())
		}
		Expect(read(other, "other-namespace").Spec.Reviews).To(BeEmpty())
	})

	It("needs a project and an environment for the latest", func() {
		record(scene, "pending", clitest.Project, clitest.Production, v1alpha1.PhasePending)
		for _, args := range [][]string{{}, {"-p", clitest.Project}, {"-e", clitest.Production}} {
			for _, command := range []string{"review", "approve", "reject"} {
				result := scene.As(clitest.Bob).Run(append([]string{command, "--latest"}, append(args, "--json", "-y")[:len(args)]...)...)
				if command != "review" {
					result = scene.As(clitest.Bob).Run(append([]string{command, "--latest", "-y"}, args...)...)
				}
				Expect(result.Code).To(Equal(exit.Usage))
				Expect(result.Err).To(ContainSubstring("given: use the flags"))
			}
		}
		Expect(read(scene, "pending").Spec.Reviews).To(BeEmpty())
	})

	It("finds no latest where there is none", func() {
		record(scene, "other-project", "payments", clitest.Production, v1alpha1.PhasePending)
		_, result := shown(append([]string{"--latest"}, at...)...)
		Expect(result.Code).To(Equal(exit.NotFound))
		Expect(result.Err).To(ContainSubstring("has no pending change"))
	})

	It("finds a change by its name, a unique beginning of it, or its UID", func() {
		record(scene, "backend-a1", clitest.Project, clitest.Production, v1alpha1.PhasePending)
		record(scene, "backend-a1-more", clitest.Project, clitest.Production, v1alpha1.PhasePending)
		record(scene, "backend-b2", clitest.Project, clitest.Production, v1alpha1.PhasePending)
		record(scene, "backend-b2-older", clitest.Project, clitest.Production, v1alpha1.PhaseApplied)
		record(scene, "done-c3", clitest.Project, clitest.Production, v1alpha1.PhaseRejected)
		uid := string(read(scene, "backend-b2").UID)
		for given, want := range map[string]string{
			"backend-a1": "backend-a1", "backend-a1-": "backend-a1-more", "backend-b": "backend-b2",
			"done": "done-c3", uid: "backend-b2", uid[:8]: "backend-b2",
		} {
			name, result := shown(given)
			Expect(name).To(Equal(want), "%s: %s", given, result.Err)
			name, _ = shown("--id", given)
			Expect(name).To(Equal(want))
		}
	})

	It("says which changes an ambiguous beginning could mean", func() {
		record(scene, "backend-a1", clitest.Project, clitest.Production, v1alpha1.PhasePending)
		record(scene, "backend-b2", clitest.Project, clitest.Production, v1alpha1.PhasePending)
		result := scene.As(clitest.Bob).Run("approve", "backend", "-y")
		Expect(result.Code).To(Equal(exit.Usage))
		Expect(result.Err).To(Equal("sr: \"backend\" is the beginning of 2 changes: backend-a1, backend-b2; type more of the name\n"))
	})

	DescribeTable("says what is wrong with it", func(code exit.Code, saying string, args ...string) {
		record(scene, "backend-a1", clitest.Project, clitest.Production, v1alpha1.PhasePending)
		result := scene.As(clitest.Bob).Run(append([]string{"review"}, args...)...)
		Expect(result.Code).To(Equal(code))
		Expect(result.Err).To(ContainSubstring(saying))
	},
		Entry("no name", exit.Usage, "no change is named"),
		Entry("an empty name", exit.Usage, "no change is named", ""),
		Entry("two names", exit.Usage, "it takes one change, not 2", "a", "b"),
		Entry("a name twice", exit.Usage, "named twice", "a", "--id", "b"),
		Entry("a name and the latest", exit.Usage, "named twice", "a", "--latest"),
		Entry("an unknown name", exit.NotFound, "has no change \"nothing\"", "nothing"),
		Entry("what cannot be a name", exit.NotFound, `has no change "\x1b[2J/.."`, "\x1b[2J/.."),
		Entry("another environment by flag", exit.Refused, `is of environment "production", not "dev"`, "backend-a1", "-e", "dev"),
		Entry("an unknown project by flag", exit.NotFound, `has no project "payments"`, "backend-a1", "-p", "payments"),
	)

	It("refuses a change of another project than the flag says", func() {
		Expect(scene.Admin.Create(context.Background(), &v1alpha1.SecretProject{
			ObjectMeta: metav1.ObjectMeta{Namespace: scene.Namespace, Name: "payments"},
			Spec:       v1alpha1.SecretProjectSpec{Environments: []v1alpha1.Environment{{Name: clitest.Production}}},
		}, &client.CreateOptions{})).To(Succeed())
		record(scene, "backend-a1", clitest.Project, clitest.Production, v1alpha1.PhasePending)
		result := scene.As(clitest.Bob).Run("approve", "backend-a1", "-y", "-p", "payments", "-e", clitest.Production)
		Expect(result.Code).To(Equal(exit.Refused))
		Expect(result.Err).To(ContainSubstring(`is of project "backend-api", not "payments"`))
		Expect(read(scene, "backend-a1").Spec.Reviews).To(BeEmpty())
	})

	It("offers unfinished changes to the shell", func() {
		record(scene, "backend-a1", clitest.Project, clitest.Production, v1alpha1.PhasePending)
		record(scene, "backend-done", clitest.Project, clitest.Production, v1alpha1.PhaseApplied)
		result := scene.As(clitest.Bob).Run("__complete", "approve", "backend")
		Expect(result.Out).To(HavePrefix("backend-a1\tbackend-api/production: because of backend-a1\n:4\n"))
	})
})
