package e2e

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/test/e2e/world"
)

var _ = Describe("Two edits of one environment", func() {
	live := func() map[string]string { return map[string]string{"A": w.Secret("a"), "B": w.Secret("b")} }
	byKey := func(p *v1alpha1.SecretProjectSpec) { p.ConflictPolicy = v1alpha1.ConflictByKey }

	It("conflict under Strict, whichever keys they touch", func() {
		team := w.NewTeam(world.Options{Live: live()})
		alice, bob := team.As(world.Alice), team.As(world.Bob)
		first, second := alice.Propose("--set", "A="+w.Secret("one")), alice.Propose("--set", "B="+w.Secret("two"))
		team.Await(first, v1alpha1.PhasePending)
		team.Await(second, v1alpha1.PhasePending)
		Expect(bob.SR("approve", first, "-y")).To(end(0))
		team.Await(second, v1alpha1.PhaseConflicted)
		Expect(bob.SR("approve", second, "-y")).To(fail(4, "rebase it onto what is live now"))
		Expect(team.LiveValues()).To(Equal(map[string]string{"A": w.Secret("one"), "B": w.Secret("b")}))
		team.AwaitUnstaged(first)
		Expect(team.Staged()).To(HaveLen(1), "it is kept to be rebased")

		rebased := alice.SR("rebase", second, "-o", "name")
		Expect(rebased).To(end(0))
		third := strings.TrimPrefix(strings.TrimSpace(rebased.Out), "secretchange.secretreview.dev/")
		team.Await(third, v1alpha1.PhasePending)
		Expect(alice.SR("review", second)).To(end(0, "proposed as "+third))
		Expect(bob.SR("approve", third, "-y")).To(end(0))
		Expect(team.LiveValues()).To(Equal(map[string]string{"A": w.Secret("one"), "B": w.Secret("two")}))
		team.AwaitUnstaged(third)
	})

	It("both become live under ByKey where they touch different keys", func() {
		team := w.NewTeam(world.Options{Live: live(), Policy: byKey})
		alice, bob := team.As(world.Alice), team.As(world.Bob)
		first, second := alice.Propose("--set", "A="+w.Secret("one")), alice.Propose("--set", "B="+w.Secret("two"))
		team.Await(first, v1alpha1.PhasePending)
		team.Await(second, v1alpha1.PhasePending)
		Expect(bob.SR("approve", first, "-y")).To(end(0))
		Expect(bob.SR("approve", second, "-y")).To(end(0))
		Expect(team.LiveValues()).To(Equal(map[string]string{"A": w.Secret("one"), "B": w.Secret("two")}))
	})

	It("conflict under ByKey where they touch the same key, which is named", func() {
		team := w.NewTeam(world.Options{Live: live(), Policy: byKey})
		alice, bob := team.As(world.Alice), team.As(world.Bob)
		first, second := alice.Propose("--set", "A="+w.Secret("one")), alice.Propose("--set", "A="+w.Secret("two"), "--set", "B="+w.Secret("two"))
		team.Await(first, v1alpha1.PhasePending)
		team.Await(second, v1alpha1.PhasePending)
		Expect(bob.SR("approve", first, "-y")).To(end(0))
		Expect(bob.SR("approve", second, "-y")).To(end(4, `"A"`))
		Expect(team.LiveValues()).To(Equal(map[string]string{"A": w.Secret("one"), "B": w.Secret("b")}))
	})

	It("are merged by propose where the older copy touches other keys, and refused where it does not", func() {
		team := w.NewTeam(world.Options{Live: live()})
		alice := team.As(world.Alice)
		Expect(alice.SR("pull")).To(end(0))
		copied := alice.Read(".env")
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).SR("approve", name, "-y")).To(end(0))
		team.AwaitUnstaged(name)

		alice.Write(".env", copied+"C="+w.Secret("new")+"\n")
		merged := alice.SR("propose", "-r", "because", "--dry-run")
		Expect(merged).To(end(0, "kept as they are: A"))
		Expect(merged.Out).To(And(ContainSubstring("+ C"), Not(ContainSubstring("~ A"))))

		alice.Write("mine.env", replaced(copied, w.Secret("a"), w.Secret("mine")))
		Expect(alice.SR("propose", "-r", "because", "-f", "mine.env")).To(fail(4, "have changed A since"))
		Expect(team.Changes()).To(HaveLen(1))
		Expect(team.Staged()).To(BeEmpty())
	})
})
