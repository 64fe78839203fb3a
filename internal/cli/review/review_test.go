package review_test

import (
	"context"
	"encoding/json"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/internal/sensitive"
)

const (
	oldValue = "OLD-MARKED-VALUE"
	newValue = "NEW-MARKED-VALUE"
)

var _ = Describe("review", func() {
	var scene *clitest.Scene
	BeforeEach(func() {
		scene = env.NewScene(GinkgoTB(), map[string]string{"DB": oldValue, "KEEP": "stays"})
	})

	It("takes the comment for the verdict from -c, and asks nothing with -y", func() {
		name := proposed(scene, "--set", "DB="+newValue)
		shown := scene.As(clitest.Bob).AtTerminal().Run("review", name, "-y")
		Expect(shown.Code).To(Equal(exit.OK), shown.Err)
		Expect(shown.Questions).To(BeEmpty())
		Expect(shown.Out).To(ContainSubstring(newValue))

		result := scene.As(clitest.Bob).AtTerminal("a").Run("review", name, "-c", "checked", "--no-wait")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Questions).To(HaveLen(1))
		Expect(read(scene, name).Spec.Reviews).To(Equal([]v1alpha1.Review{{Reviewer: clitest.Bob, Verdict: v1alpha1.VerdictApproved, Comment: "checked"}}))

		for _, args := range [][]string{{"review", name, "-c", "x"}, {"review", name, "-c", "x", "-y"}, {"review", name, "-c", "x", "--json"}} {
			Expect(scene.As(clitest.Bob).Run(args...).Code).To(Equal(exit.Usage))
		}
	})

	It("shows who, why and what on a terminal, and does nothing when skipped", func() {
		name := proposed(scene, "--set", "DB="+newValue, "--set", "NEW=x")
		result := scene.As(clitest.Bob).AtTerminal("").Run("review", name)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		for _, text := range []string{
			"Change     " + name, "For        backend-api/production in namespace " + scene.Namespace, "Phase      Pending",
			"Proposed   by alice, ", "Reason     because", "Approvals  0/1",
			"It changes 2 keys: 1 added, 1 modified, 0 removed.",
			"  ~ DB\n      - " + oldValue + "\n      + " + newValue + "\n  + NEW\n      + x\n",
		} {
			Expect(result.Out).To(ContainSubstring(text))
		}
		Expect(result.Out).NotTo(ContainSubstring("KEEP"))
		Expect(result.Questions).To(Equal([]string{"To approve it, type a; to reject it, type r; Enter leaves it as it is:"}))
		Expect(result.Err).To(Equal("\nChange " + name + " is left as it is.\n"))
		Expect(gets(scene)).To(Equal(2))
		Expect(read(scene, name).Spec.Reviews).To(BeEmpty())
	})

	It("hides values in a pipe and in CI, and shows them when asked to", func() {
		name := proposed(scene, "--set", "DB="+newValue)
		bob := scene.As(clitest.Bob)
		for _, hidden := range []clitest.Result{
			bob.Run("review", name), bob.Run("review", name, "--json", "--show-all"),
			func() clitest.Result {
				bob.Vars = map[string]string{"CI": "true"}
				return bob.AtTerminal("").Run("review", name)
			}(),
		} {
			Expect(hidden.Code).To(Equal(exit.OK), hidden.Err)
			Expect(hidden.Out).To(ContainSubstring("DB"))
			Expect(hidden.Out + hidden.Err).NotTo(Or(ContainSubstring(oldValue), ContainSubstring(newValue)))
		}
		shown := scene.As(clitest.Bob).Run("review", name, "--reveal", "--show-all")
		Expect(shown.Out).To(ContainSubstring("      - " + oldValue + "\n      + " + newValue + "\n"))
		Expect(shown.Out).To(ContainSubstring("1 key as before\n\n  = KEEP\n      = stays\n"))
	})

	It("writes JSON for a program", func() {
		name := proposed(scene, "--set", "DB="+newValue, "--unset", "KEEP")
		result := scene.As(clitest.Bob).Run("review", name, "--json", "--reveal")
		var got map[string]any
		Expect(json.Unmarshal([]byte(result.Out), &got)).To(Succeed())
		Expect(got).To(HaveKeyWithValue("change", name))
		Expect(got).To(HaveKeyWithValue("values", "Read"))
		Expect(got).To(HaveKeyWithValue("valuesShown", true))
		Expect(got).To(HaveKeyWithValue("diff", []any{
			map[string]any{"key": "DB", "type": "Modified", "old": oldValue, "new": newValue},
			map[string]any{"key": "KEEP", "type": "Removed", "old": "stays"},
		}))
		Expect(got).NotTo(HaveKey("verdict"))
	})

	It("shows the values that the change pins, whatever was staged since", func() {
		name := proposed(scene, "--set", "DB="+newValue)
		arn := read(scene, name).Spec.Staged.SecretARN
		Expect(scene.Store.Put(context.Background(), secretstore.PutInput{
			ID: arn, VersionID: newVersion, Value: sensitive.New(`{"DB":"SWAPPED"}`), Labels: []string{secretstore.LabelCurrent},
		})).To(Succeed())
		scene.Emulator.ResetCalls()
		result := scene.As(clitest.Bob).Run("review", name, "--reveal")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Out).To(And(ContainSubstring(newValue), Not(ContainSubstring("SWAPPED"))))
	})

	// forge lets alice create a change by hand, past sr propose.
	forge := func(alter func(*v1alpha1.SecretChange)) string {
		GinkgoHelper()
		name := propose(scene, "--set", "DB="+newValue)
		honest := read(scene, name)
		forged := &v1alpha1.SecretChange{ObjectMeta: metav1.ObjectMeta{Namespace: scene.Namespace, Name: name + "-forged"}, Spec: honest.Spec}
		alter(forged)
		alice, err := client.New(scene.Cluster.UserConfig(clitest.Alice), client.Options{Scheme: scene.Admin.Scheme()})
		Expect(err).NotTo(HaveOccurred())
		Expect(alice.Create(context.Background(), forged)).To(Succeed())
		advance(scene, forged.Name, func(s *v1alpha1.SecretChangeStatus) { wait(s, 1) })
		return forged.Name
	}

	It("refuses values that are not those that the change pins", func() {
		name := propose(scene, "--set", "DB="+newValue)
		Expect(scene.Admin.Delete(context.Background(), read(scene, name))).To(Succeed())
		honest := forge(func(c *v1alpha1.SecretChange) {
			c.Name = name
			staged := *c.Spec.Staged
			for _, secret := range scene.Staged() {
				if strings.HasSuffix(secret.Name, "/"+name) {
					staged.SecretARN, staged.VersionID = secret.ARN, v1alpha1.VersionID(secret.Versions[0].ID)
				}
			}
			staged.Digest = document.Digest(sensitive.New("other values"))
			c.Spec.Staged = &staged
		})
		for _, result := range []clitest.Result{
			scene.As(clitest.Bob).Run("review", honest, "--reveal"),
			scene.As(clitest.Bob).Run("approve", honest, "-y"),
			scene.As(clitest.Bob).AtTerminal().Run("approve", honest),
		} {
			Expect(result.Code).To(Equal(exit.Refused), result.Err)
			Expect(result.Err).To(ContainSubstring("do not have the digest that the change pins"))
			Expect(result.Out).To(ContainSubstring("REFUSED: "))
			Expect(result.Out + result.Err).NotTo(ContainSubstring(newValue))
		}
		atTerminal := scene.As(clitest.Bob).AtTerminal("a").Run("review", honest)
		Expect(atTerminal.Questions).To(Equal([]string{"To reject it, type r; Enter leaves it as it is:"}))
		Expect(atTerminal.Code).To(Equal(exit.Refused))
		Expect(read(scene, honest).Spec.Reviews).To(BeEmpty())
	})

	It("does not even read a staged secret that is another change's", func() {
		name := forge(func(*v1alpha1.SecretChange) {})
		result := scene.As(clitest.Bob).Run("review", name, "--reveal")
		Expect(result.Code).To(Equal(exit.Refused), result.Err)
		Expect(result.Err).To(ContainSubstring("the staged secret is"))
		Expect(gets(scene)).To(BeZero())
	})

	It("tells that what is live has moved on", func() {
		name := proposed(scene, "--set", "DB="+newValue)
		scene.SetLive(map[string]string{"DB": "SOMEBODY-ELSES", "KEEP": "stays"})
		scene.Emulator.ResetCalls()
		result := scene.As(clitest.Bob).Run("review", name, "--reveal")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Out).To(And(ContainSubstring("Beware"), ContainSubstring("Conflicted: DB"), ContainSubstring("- SOMEBODY-ELSES")))
	})

	Describe("by somebody who may not read values", func() {
		BeforeEach(func() {
			scene.Emulator.SetPrincipals([]emulator.Principal{
				{AccessKeyID: clitest.Alice, Allow: []emulator.Rule{{Actions: []string{"*:*"}, Resources: []string{"*"}}}},
				{AccessKeyID: "administrator", Allow: []emulator.Rule{{Actions: []string{"*:*"}, Resources: []string{"*"}}}},
				{AccessKeyID: clitest.Bob},
			})
		})

		It("shows the keys alone, and says why", func() {
			name := proposed(scene, "--set", "DB="+newValue)
			result := scene.As(clitest.Bob).Run("review", name)
			Expect(result.Code).To(Equal(exit.Denied))
			Expect(result.Err).To(And(ContainSubstring("cannot be read"), ContainSubstring("AccessDenied")))
			Expect(result.Out).To(ContainSubstring("  ~ DB\n"))
		})

		It("approves only when it is said that values were not seen", func() {
			name := proposed(scene, "--set", "DB="+newValue)
			refused := scene.As(clitest.Bob).Run("approve", name, "-y", "--no-wait")
			Expect(refused.Code).To(Equal(exit.Denied))
			Expect(refused.Err).To(ContainSubstring("--without-values"))
			mistyped := scene.As(clitest.Bob).AtTerminal("y").Run("approve", name, "--no-wait")
			Expect(mistyped.Code).To(Equal(exit.Cancelled))
			Expect(mistyped.Questions[0]).To(ContainSubstring("You have not seen the values"))
			Expect(read(scene, name).Spec.Reviews).To(BeEmpty())

			typed := scene.As(clitest.Bob).AtTerminal(name).Run("approve", name, "--no-wait")
			Expect(typed.Code).To(Equal(exit.OK), typed.Err)
			Expect(reviewers(read(scene, name))).To(Equal([]string{clitest.Bob}))
		})

		It("approves without asking AWS at all when told so", func() {
			name := proposed(scene, "--set", "DB="+newValue)
			result := scene.As(clitest.Bob).Run("approve", name, "-y", "--without-values", "--no-wait")
			Expect(result.Code).To(Equal(exit.OK), result.Err)
			Expect(gets(scene)).To(BeZero())
			Expect(reviewers(read(scene, name))).To(Equal([]string{clitest.Bob}))
		})

		It("does so by the flag of the tool that it replaces, too, and names the new one", func() {
			name := proposed(scene, "--set", "DB="+newValue)
			result := scene.As(clitest.Bob).Run("approve", name, "-y", "--skip-review", "--no-wait")
			Expect(result.Code).To(Equal(exit.OK), result.Err)
			Expect(result.Err + result.Out).To(ContainSubstring("use --without-values"))
			Expect(gets(scene)).To(BeZero())
		})

		It("names expired credentials as such", func() {
			name := proposed(scene, "--set", "DB="+newValue)
			scene.Emulator.SetPrincipals([]emulator.Principal{{AccessKeyID: clitest.Bob, Expired: true}})
			result := scene.As(clitest.Bob).Run("review", name)
			Expect(result.Code).To(Equal(exit.Denied))
			Expect(result.Err).To(ContainSubstring("sign in to AWS again"))
		})
	})

	It("lets nothing that it shows act on the terminal", func() {
		const hostile = "x\x1b[2J\x1b]0;t\x07\r\u202e\u2028\u009b1m\x7f"
		scene.SetLive(map[string]string{"DB": oldValue, "BAD" + hostile: hostile})
		live := scene.Live()
		result := scene.As(clitest.Alice).Run(append([]string{"propose", "-r", "why\n" + hostile, "--set", "DB=" + hostile + "\nmore", "--unset", "BAD" + hostile, "-o", "name"}, at...)...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		_, name, _ := strings.Cut(strings.TrimSpace(result.Out), "/")
		check(scene, name)
		for _, args := range [][]string{{"review", name, "--show-all"}, {"review", name, "--json"}, {"status", name}} {
			answers := []string{""}
			if args[0] == "status" || len(args) > 2 && args[2] == "--json" {
				answers = nil
			}
			shown := scene.As(clitest.Bob).AtTerminal(answers...).Run(args...)
			Expect(shown.Code).To(Equal(exit.OK), shown.Err)
			expectSafe(shown.Out, shown.Err)
			Expect(shown.Out).To(ContainSubstring(`\u202e`))
		}
		for _, args := range [][]string{{"status"}, {"status", "-o", "wide"}, {"status", "-o", "yaml"}, {"status", "-o", "json"}, {"history", "--status", "pending"}} {
			shown := scene.As(clitest.Bob).AtTerminal().Run(append(args, at...)...)
			Expect(shown.Code).To(Equal(exit.OK), shown.Err)
			expectSafe(shown.Out, shown.Err)
		}
		Expect(scene.Live()).To(Equal(live))
	})

	It("shows what a change that goes back would do, from the versions that it pins", func() {
		older := scene.Live()
		live := scene.SetLive(map[string]string{"DB": newValue, "KEEP": "stays"})
		back := &v1alpha1.SecretChange{
			ObjectMeta: metav1.ObjectMeta{Namespace: scene.Namespace, Name: "back"},
			Spec: v1alpha1.SecretChangeSpec{
				Project: clitest.Project, Environment: clitest.Production, Reason: "undo", ProposedBy: clitest.Alice,
				Rollback: &v1alpha1.RollbackSource{Change: "older"}, BaseVersionID: v1alpha1.VersionID(live),
			},
		}
		alice, err := client.New(scene.Cluster.UserConfig(clitest.Alice), client.Options{Scheme: scene.Admin.Scheme()})
		Expect(err).NotTo(HaveOccurred())
		Expect(alice.Create(context.Background(), back)).To(Succeed())
		pinned := func(key string) func(*v1alpha1.SecretChangeStatus) {
			return func(s *v1alpha1.SecretChangeStatus) {
				wait(s, 1)
				s.Revert, s.BaseVersionID = &v1alpha1.Revert{FromVersionID: live, ToVersionID: older}, live
				s.Diff, s.DiffCounts = []v1alpha1.KeyChange{{Key: key, Type: v1alpha1.KeyModified}}, &v1alpha1.DiffCounts{Modified: 1}
			}
		}

		By("refusing what the controller did not record")
		advance(scene, "back", pinned("KEEP"))
		refused := scene.As(clitest.Bob).Run("approve", "back", "-y")
		Expect(refused.Code).To(Equal(exit.Refused))
		Expect(refused.Err).To(ContainSubstring("other keys than the controller recorded"))

		advance(scene, "back", pinned("DB"))
		scene.Emulator.ResetCalls()
		result := scene.As(clitest.Bob).AtTerminal("y").Run("approve", "back", "--no-wait")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Out).To(And(ContainSubstring("undoes change older"), ContainSubstring("  ~ DB\n      - "+newValue+"\n      + "+oldValue+"\n")))
		Expect(gets(scene)).To(Equal(2), "what is live, which it undoes, and what it goes back to")
	})

	It("approves or rejects when told so, with a comment", func() {
		name := proposed(scene, "--set", "DB="+newValue)
		result := scene.As(clitest.Bob).AtTerminal("a", "looks fine").Run("review", name, "--no-wait")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(read(scene, name).Spec.Reviews).To(Equal([]v1alpha1.Review{{Reviewer: clitest.Bob, Verdict: v1alpha1.VerdictApproved, Comment: "looks fine"}}))

		again := scene.As(clitest.Bob).AtTerminal("r", "on second thoughts").Run("review", name, "--no-wait")
		Expect(again.Code).To(Equal(exit.OK), again.Err)
		Expect(again.Questions[0]).To(Equal("To reject it, type r; Enter leaves it as it is:"))
		Expect(read(scene, name).Spec.Reviews).To(Equal([]v1alpha1.Review{{Reviewer: clitest.Bob, Verdict: v1alpha1.VerdictRejected, Comment: "on second thoughts"}}))
	})

	It("offers its proposer to withdraw it, and nobody's approval", func() {
		name := proposed(scene, "--set", "DB="+newValue)
		result := scene.As(clitest.Alice).AtTerminal("a").Run("review", name)
		Expect(result.Questions).To(Equal([]string{"To withdraw it, type w; Enter leaves it as it is:"}))
		Expect(read(scene, name).Spec.Reviews).To(BeEmpty())
	})

	It("shows a change that has ended without its values", func() {
		name := proposed(scene, "--set", "DB="+newValue)
		advance(scene, name, finish(v1alpha1.PhaseApplied, "Live as version 1"))
		result := scene.As(clitest.Bob).AtTerminal().Run("review", name)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Out).To(And(ContainSubstring("Applied"), ContainSubstring("Its values are deleted")))
		Expect(gets(scene)).To(BeZero())
	})
})
