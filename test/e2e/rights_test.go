package e2e

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/test/e2e/world"
)

// The suite's end holds against a manager that it lacked a right: see world.Manager.CheckRights.
var _ = Describe("the rights that the chart gives the manager", func() {
	It("are all needed: without any one of the rules the manager is refused something", func(ctx SpecContext) {
		const refusedTrial = "was not let in on trial"
		team := w.NewTeam(world.Options{Live: map[string]string{"TOKEN": w.Secret("token")}})
		alice := team.As(world.Alice)
		rules := 0
		w.Manager.WithoutEachRule(ctx, func(taken world.Rule, since int64) {
			rules++
			By("without the right to " + taken.Gives()[0].String())
			trials := strings.Count(w.Manager.Log(), refusedTrial)
			alice.Propose("--set", "TOKEN="+w.Secret("another"))
			Eventually(func(g Gomega) {
				w.Manager.Knock()
				if taken.Gives()[0].Unasked() {
					g.Expect(strings.Count(w.Manager.Log(), refusedTrial)).To(BeNumerically(">", trials))
				} else {
					g.Expect(w.Manager.Lacking(since)).To(ContainElement(BeElementOf(taken.Asked())))
				}
			}).Should(Succeed())
		})
		Expect(rules).To(BeNumerically(">", 10))
	})
})
