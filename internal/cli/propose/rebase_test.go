package propose_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/document"
)

var _ = Describe("rebase", func() {
	var (
		scene *clitest.Scene
		alice *clitest.Session
		old   string
	)
	// The old change sets A, adds NEW and removes B.
	BeforeEach(func() {
		scene = env.NewScene(GinkgoTB(), map[string]string{"A": "1", "B": "2", "C": "3"})
		alice = scene.As(clitest.Alice)
		result := alice.Run(to("--set", "A=mine", "--set", "NEW=mine", "--unset", "B")...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		old = scene.Changes()[0].Name
	})
	change := func(name string) *v1alpha1.SecretChange {
		GinkgoHelper()
		for _, c := range scene.Changes() {
			if c.Name == name {
				return &c
			}
		}
		Fail("there is no change " + name)
		return nil
	}
	successor := func() *v1alpha1.SecretChange {
		GinkgoHelper()
		Expect(scene.Changes()).To(HaveLen(2))
		for _, c := range scene.Changes() {
			if c.Name != old {
				return &c
			}
		}
		return nil
	}
	conflicted := func(kept time.Duration) {
		expires := metav1.NewTime(time.Now().Add(kept))
		scene.SetStatus(change(old), v1alpha1.SecretChangeStatus{Phase: v1alpha1.PhaseConflicted, Message: "Others were faster", ExpiresAt: &expires})
	}
	patchOf := func(c *v1alpha1.SecretChange) document.Patch {
		GinkgoHelper()
		for _, secret := range scene.Staged() {
			if secret.ARN == c.Spec.Staged.SecretARN {
				staged, err := document.ParseStaged(secret.Versions[0].Value)
				Expect(err).NotTo(HaveOccurred())
				return staged.Patch
			}
		}
		Fail("nothing is staged for " + c.Name)
		return document.Patch{}
	}

	It("makes a pending change anew on what is live, and withdraws it with a word on its successor", func() {
		live := scene.SetLive(map[string]string{"A": "1", "B": "2", "C": "theirs", "D": "theirs"})
		result := alice.Run("rebase", old)
		Expect(result.Code).To(Equal(exit.OK), result.Err)

		anew := successor()
		Expect(anew.Spec.Staged.RebaseOf).To(Equal(old))
		Expect(anew.Spec.Reason).To(Equal("because"))
		Expect(anew.Spec.BaseVersionID).To(BeEquivalentTo(live))
		patch := patchOf(anew)
		Expect(clitest.Reveal(patch.Set)).To(Equal(map[string]string{"A": "mine", "NEW": "mine"}))
		Expect(patch.Unset).To(Equal([]string{"B"}))
		Expect(clitest.Reveal(patch.Expect)).To(Equal(map[string]string{"A": "1", "B": "2"}))

		Expect(change(old).Spec.Reviews).To(Equal([]v1alpha1.Review{
			{Reviewer: clitest.Alice, Verdict: v1alpha1.VerdictRejected, Comment: "Rebased as " + anew.Name},
		}))
		Expect(result.Err).To(ContainSubstring("Change " + old + " is withdrawn: " + anew.Name + " takes its place."))
	})

	It("makes a conflicted one anew while its values are kept, and shows what became of it", func() {
		scene.SetLive(map[string]string{"A": "1", "B": "2"})
		conflicted(time.Hour)
		result := alice.Run("review", old)
		Expect(result.Out).To(MatchRegexp(`Rebase +possible until it would have expired, in \d+m`), result.Err)

		result = alice.Run("rebase", old, "-r", "Once more")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(successor().Spec.Reason).To(Equal("Once more"))
		Expect(change(old).Spec.Reviews).To(BeEmpty(), "it takes no more reviews")
		Expect(alice.Run("review", old).Out).To(MatchRegexp(`Rebase +proposed as ` + successor().Name + ` by alice; possible`))
		Expect(alice.Run("review", successor().Name).Out).To(MatchRegexp(`Source +by its proposer's word, a rebase of change ` + old))
	})

	Context("where others have changed the same keys", func() {
		BeforeEach(func() { scene.SetLive(map[string]string{"A": "theirs", "C": "3", "NEW": "theirs"}) })

		It("names them, and shows no values in a pipe", func() {
			result := alice.Run("rebase", old)
			Expect(result.Code).To(Equal(exit.Conflict))
			Expect(result.Err).To(HaveSuffix("have changed the same keys: decide each with --ours or --theirs: A, NEW\n"))
			Expect(result.Err).NotTo(Or(ContainSubstring("mine\n"), ContainSubstring("theirs\n")))
			Expect(scene.Changes()).To(HaveLen(1))
			Expect(scene.Staged()).To(HaveLen(1))
		})
		It("shows no values where what it tells goes into a file, and answers to a terminal", func() {
			alice.Terminal = factory.Terminal{StdinTTY: true, StdoutTTY: true, Width: 80, Color: true}
			result := alice.Run("rebase", old)
			Expect(result.Code).To(Equal(exit.Conflict))
			Expect(result.Err).To(ContainSubstring("  ~ A\n  ~ NEW\n"))
		})
		It("takes --ours and --theirs", func() {
			result := alice.Run("rebase", old, "--ours", "A", "--theirs", "NEW")
			Expect(result.Code).To(Equal(exit.OK), result.Err)
			patch := patchOf(successor())
			Expect(clitest.Reveal(patch.Set)).To(Equal(map[string]string{"A": "mine"}))
			Expect(clitest.Reveal(patch.Expect)).To(Equal(map[string]string{"A": "theirs"}))
			Expect(patch.Unset).To(BeEmpty(), "B is gone already")
		})
		It("shows both values on a terminal, and asks", func() {
			result := alice.AtTerminal("t", "o").Run("rebase", old)
			Expect(result.Code).To(Equal(exit.OK), result.Err)
			Expect(result.Err).To(ContainSubstring("  ~ A\n      - theirs\n      + mine\n"))
			Expect(result.Questions).To(HaveLen(2))
			Expect(clitest.Reveal(patchOf(successor()).Set)).To(Equal(map[string]string{"NEW": "mine"}))
		})
		It("leaves all as it is where the question is not answered", func() {
			result := alice.AtTerminal("o", "").Run("rebase", old)
			Expect(result.Code).To(Equal(exit.Cancelled))
			Expect(scene.Changes()).To(HaveLen(1))
			Expect(change(old).Spec.Reviews).To(BeEmpty())
		})
		It("says so where nothing is left of it", func() {
			scene.SetLive(map[string]string{"A": "theirs", "C": "3", "NEW": "theirs"})
			result := alice.Run("rebase", old, "--theirs", "A", "--theirs", "NEW")
			Expect(result.Code).To(Equal(exit.OK), result.Err)
			Expect(result.Out).To(HavePrefix("No changes: "))
			Expect(scene.Changes()).To(HaveLen(1))
		})
	})

	It("may be done by another proposer, who is told that the old one stays", func() {
		scene.SetLive(map[string]string{"A": "1", "B": "2"})
		scene.Bind(clitest.Eve, "secretreview-proposer", v1alpha1.VerbPropose)
		result := scene.As(clitest.Eve).Run("rebase", old)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(successor().Spec.ProposedBy).To(Equal(clitest.Eve))
		Expect(change(old).Spec.Reviews).To(BeEmpty())
		Expect(result.Err).To(ContainSubstring("Warning: change " + old + " stays, beside " + successor().Name))
	})
	It("prints a manifest for Git, and leaves the old change to the repository", func() {
		scene.SetLive(map[string]string{"A": "1", "B": "2"})
		result := alice.Run("rebase", old, "-o", "yaml")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Out).To(ContainSubstring("rebaseOf: " + old))
		Expect(result.Err).To(ContainSubstring("Take the manifest of " + old + " out of the repository"))
		Expect(scene.Changes()).To(HaveLen(1))
	})
	It("says so where the old one was applied while it was made anew", func() {
		scene.SetLive(map[string]string{"A": "theirs", "B": "2"})
		alice.AtTerminal("o")
		alice.Alter = func(f *factory.Factory) {
			asked := f.Prompter
			f.Prompter = meanwhile{asked, func() {
				scene.SetStatus(change(old), v1alpha1.SecretChangeStatus{Phase: v1alpha1.PhaseApplied})
			}}
		}
		result := alice.Run("rebase", old)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Err).To(ContainSubstring("Warning: change " + old + " has ended as Applied meanwhile: look at " + successor().Name))
	})
	It("shows in a dry run what it would come to", func() {
		scene.SetLive(map[string]string{"A": "1", "B": "2"})
		result := alice.Run("rebase", old, "--dry-run")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Out).To(ContainSubstring("+ NEW\n"))
		Expect(scene.Changes()).To(HaveLen(1))
		Expect(scene.Staged()).To(HaveLen(1))
	})

	DescribeTable("refuses", func(prepare func(), code exit.Code, says string, args ...string) {
		prepare()
		result := alice.Run(append([]string{"rebase", old}, args...)...)
		Expect(result.Code).To(Equal(code), result.Err)
		Expect(result.Out + result.Err).To(ContainSubstring(says))
		Expect(scene.Changes()).To(HaveLen(1))
		Expect(scene.Staged()).To(HaveLen(1))
	},
		Entry("nothing, where the base is live", func() {}, exit.OK, "No need: change"),
		Entry("an applied change", func() {
			scene.SetStatus(change(old), v1alpha1.SecretChangeStatus{Phase: v1alpha1.PhaseApplied})
		}, exit.Refused, "was applied"),
		Entry("an approved one", func() {
			scene.SetStatus(change(old), v1alpha1.SecretChangeStatus{Phase: v1alpha1.PhaseApproved})
		}, exit.Refused, "is approved and about to be made live"),
		Entry("one whose values are gone", func() { conflicted(-time.Hour) }, exit.Refused, "propose them again"),
		Entry("a decision on a key that does not clash", func() { scene.SetLive(map[string]string{"A": "1", "B": "2"}) },
			exit.Usage, `key "A" of change`, "--ours", "A"),
		Entry("two decisions on one key", func() {}, exit.Usage, "given to both", "--ours", "A", "--theirs", "A"),
	)
})

// meanwhile is a person while whose answer something happens.
type meanwhile struct {
	factory.Prompter
	happens func()
}

func (m meanwhile) Line(ctx context.Context, question string) (string, error) {
	m.happens()
	return m.Prompter.Line(ctx, question)
}
