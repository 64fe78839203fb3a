package review_test

import (
	"encoding/json"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
)

var _ = Describe("reject", func() {
	var (
		scene *clitest.Scene
		name  string
	)
	BeforeEach(func() {
		scene = env.NewScene(GinkgoTB(), map[string]string{"DB": oldValue})
		name = proposed(scene, "--set", "DB="+newValue)
	})

	It("shows, asks, asks why, rejects, and says that it has ended", func() {
		command := start(scene.As(clitest.Bob).AtTerminal("y", "wrong database"), "reject", name)
		awaitReview(scene, name, clitest.Bob)
		advance(scene, name, func(s *v1alpha1.SecretChangeStatus) { wait(s, 1) }) // of no interest
		advance(scene, name, finish(v1alpha1.PhaseRejected, "Rejected by \"bob\""))
		result := command.result()
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Questions).To(Equal([]string{"Reject this change?", "Why? (Enter for no comment)"}))
		Expect(result.Out).To(And(ContainSubstring(newValue), HaveSuffix("Change "+name+" has ended as Rejected. Rejected by \"bob\".\n")))
		Expect(read(scene, name).Spec.Reviews).To(Equal([]v1alpha1.Review{{Reviewer: clitest.Bob, Verdict: v1alpha1.VerdictRejected, Comment: "wrong database"}}))
	})

	It("lets the proposer withdraw, and reads no values for that", func() {
		asked := scene.As(clitest.Alice).AtTerminal("n").Run("reject", name)
		Expect(asked.Questions).To(Equal([]string{"Withdraw this change?"}))
		scene.Emulator.ResetCalls()
		command := start(scene.As(clitest.Alice), append([]string{"reject", "--latest", "-y", "-c", "not needed any more"}, at...)...)
		awaitReview(scene, name, clitest.Alice)
		advance(scene, name, finish(v1alpha1.PhaseRejected, "Withdrawn by its proposer"))
		result := command.result()
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Out).To(HaveSuffix("has ended as Rejected. Withdrawn by its proposer.\n"))
		Expect(gets(scene)).To(BeZero())
	})

	It("turns one's own approval into a rejection, also once it is decided", func() {
		Expect(scene.As(clitest.Carol).Run("approve", name, "-y", "--no-wait").Code).To(Equal(exit.OK))
		Expect(scene.As(clitest.Bob).Run("approve", name, "-y", "--no-wait").Code).To(Equal(exit.OK))
		advance(scene, name, hold(v1alpha1.ReasonFrozen, "Waiting: frozen"))
		result := scene.As(clitest.Bob).Run("reject", name, "-y", "-c", "stop", "--no-wait")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(read(scene, name).Spec.Reviews).To(Equal([]v1alpha1.Review{
			{Reviewer: clitest.Carol, Verdict: v1alpha1.VerdictApproved},
			{Reviewer: clitest.Bob, Verdict: v1alpha1.VerdictRejected, Comment: "stop"},
		}))
		taken := scene.As(clitest.Bob).Run("approve", name, "-y")
		Expect(taken.Code).To(Equal(exit.Refused))
		Expect(taken.Err).To(ContainSubstring("cannot be taken back"))
	})

	It("says that it came too late", func() {
		command := start(scene.As(clitest.Bob), "reject", name, "-y")
		awaitReview(scene, name, clitest.Bob)
		advance(scene, name, finish(v1alpha1.PhaseApplied, "Live as version 1"))
		result := command.result()
		Expect(result.Code).To(Equal(exit.Conflict))
		Expect(result.Err).To(ContainSubstring("came too late"))

		after := scene.As(clitest.Carol).Run("reject", name, "-y")
		Expect(after.Code).To(Equal(exit.Refused))
		Expect(after.Err).To(ContainSubstring("has already ended as Applied"))
	})

	It("writes JSON", func() {
		result := scene.As(clitest.Bob).Run("reject", name, "-y", "--json", "--no-wait")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		var got map[string]any
		Expect(json.Unmarshal([]byte(result.Out), &got)).To(Succeed())
		Expect(got).To(And(HaveKeyWithValue("verdict", "Rejected"), HaveKeyWithValue("added", true), HaveKeyWithValue("values", "NotRead")))
		Expect(got).NotTo(HaveKey("outcome"))
	})
})
