package attack

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/test/e2e/world"
)

var _ = Describe("What somebody has reviewed", func() {
	Context("with two approvals of three", Ordered, func() {
		var team *world.Team
		var name string
		var given []v1alpha1.Review
		BeforeAll(func() {
			team = w.NewTeam(world.Options{Live: live(), Policy: func(p *v1alpha1.SecretProjectSpec) {
				three := int32(3)
				p.Environments[0].RequiredApprovals = &three
			}})
			attacker(team, star, everything)
			name = team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
			team.Await(name, v1alpha1.PhasePending)
			Expect(team.As(world.Bob).SR("approve", name, "-y", "-c", "fine", "--no-wait")).To(end(0))
			given = team.Change(name).Spec.Reviews
			Expect(given).To(HaveLen(1))
		})
		AfterEach(func() { Expect(team.Change(name).Spec.Reviews).To(Equal(given)) })

		const grow = "reviews only grow"
		DescribeTable("is not changed by a namespace admin's patch", func(kind, patch, says string) {
			Expect(team.As(star).Kubectl("patch", "schg", name, "-n", team.Namespace, "--type="+kind, "-p", patch)).To(end(1, says))
		},
			Entry("that removes it", "json", `[{"op":"remove","path":"/spec/reviews/0"}]`, grow),
			Entry("that removes the list", "json", `[{"op":"remove","path":"/spec/reviews"}]`, grow),
			Entry("that sets the list to null", "merge", `{"spec":{"reviews":null}}`, grow),
			Entry("that empties the list", "merge", `{"spec":{"reviews":[]}}`, grow),
			Entry("that replaces it by an own one", "merge", `{"spec":{"reviews":[{"reviewer":"star","verdict":"Approved"}]}}`, grow),
			Entry("that copies it and renames the copy", "json",
				`[{"op":"copy","from":"/spec/reviews/0","path":"/spec/reviews/-"},{"op":"replace","path":"/spec/reviews/1/reviewer","value":"carol"}]`, "another name"),
			Entry("that moves its name", "json", `[{"op":"move","from":"/spec/reviews/0/comment","path":"/spec/reviews/0/reviewer"}]`, ""),
			Entry("that rewords its comment", "json", `[{"op":"replace","path":"/spec/reviews/0/comment","value":"never"}]`, grow),
			Entry("that turns its verdict", "json", `[{"op":"replace","path":"/spec/reviews/0/verdict","value":"Rejected"}]`, "another name"),
			Entry("that repeats it", "json", `[{"op":"copy","from":"/spec/reviews/0","path":"/spec/reviews/-"}]`, "Duplicate"),
			Entry("that replaces the whole change", "json", `[{"op":"replace","path":"/spec","value":{}}]`, ""),
		)

		DescribeTable("is not taken over by a forced server-side apply", func(review, says string) {
			manifest := fmt.Sprintf(`{"apiVersion":"secretreview.dev/v1alpha1","kind":"SecretChange","metadata":{"name":%q,"namespace":%q},"spec":{"reviews":[%s]}}`,
				name, team.Namespace, review)
			for _, manager := range []string{"kubectl", "sr", "secretreview-manager"} {
				Expect(team.As(star).Feed(manifest, "kubectl", "apply", "--server-side", "--force-conflicts", "--validate=false", "--field-manager="+manager, "-f", "-")).
					To(end(1, says), manager)
			}
		},
			Entry("with another comment", `{"reviewer":"bob","verdict":"Approved","comment":"never"}`, grow),
			Entry("with another verdict", `{"reviewer":"bob","verdict":"Rejected","comment":"fine"}`, "another name"),
			Entry("with one more in another name", `{"reviewer":"carol","verdict":"Approved"}`, "another name"),
		)
	})

	It("is not wiped with what says who wrote it", func() {
		team := w.NewTeam(world.Options{Live: live()})
		attacker(team, star, everything)
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).SR("reject", name, "-y", "-c", "no", "--no-wait")).To(end(0))
		before := team.Change(name).Spec
		Expect(team.As(star).Kubectl("patch", "schg", name, "-n", team.Namespace, "--type=json", "-p", `[{"op":"replace","path":"/metadata/managedFields","value":[{}]}]`).Code).
			To(BeElementOf(0, 1))
		Expect(team.Change(name).Spec).To(Equal(before))
		team.Await(name, v1alpha1.PhaseRejected)
	})

	It("lands on no change that was made anew under the name while a reviewer was reading", func() {
		team := w.NewTeam(world.Options{Live: live()})
		alice := team.As(world.Alice)
		harmless := alice.Manifest("--set", "A="+w.Secret("harmless"))
		Expect(alice.Create(harmless)).To(end(0))
		team.Await(harmless.Name, v1alpha1.PhasePending)
		reading := team.As(world.Bob).Terminal("sr", "review", harmless.Name)
		reading.Type("To approve it, type a", "a")

		Expect(alice.Kubectl("delete", "schg", harmless.Name, "-n", team.Namespace, "--timeout=60s")).To(end(0))
		evil := alice.Manifest("--set", "A="+w.Secret("evil"))
		evil.Name = harmless.Name
		Expect(alice.Create(evil)).To(end(0))

		reading.Type("Comment", "fine")
		screen, code := reading.Wait()
		Expect(code).NotTo(BeZero(), screen)
		Expect(screen).To(ContainSubstring("made anew under the same name"))
		Expect(team.Change(harmless.Name).Spec.Reviews).To(BeEmpty())
		Expect(team.LiveValues()).To(Equal(live()))
	})
})
