package e2e

import (
	"encoding/json"
	"regexp"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/ptr"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/test/e2e/world"
)

var _ = Describe("Going back", func() {
	const rob = "rob"
	var (
		team          *world.Team
		first, second string
	)
	live := func() map[string]string { return map[string]string{"A": w.Secret("a"), "B": w.Secret("b")} }
	// apply has a change proposed and approved, and returns its name once it is live and the project's status says so.
	apply := func(args ...string) string {
		GinkgoHelper()
		name := team.As(world.Alice).Propose(args...)
		team.Await(name, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).SR("approve", name, "-y")).To(end(0, "is applied"))
		Eventually(func() string { return team.ProjectStatus().Environments[0].LastAppliedChange }).Should(Equal(name))
		team.AwaitReady()
		return name
	}
	BeforeEach(func() {
		team = w.NewTeam(world.Options{Live: live(), Rollbackers: []string{rob}})
		first = apply("--set", "A="+w.Secret("one"))
		second = apply("--set", "B="+w.Secret("two"), "--set", "C="+w.Secret("three"))
	})

	It("undoes what was applied last, shown before and live afterwards, by one person who may", func() {
		rob := team.As(rob)
		looked := rob.SR("rollback", "--latest", "-r", "It broke the login", "--dry-run", "--reveal")
		Expect(looked).To(end(0, "undoes change "+second, "- C", w.Secret("two")))
		Expect(team.Changes()).To(HaveLen(2))
		masked := rob.SR("rollback", "--latest", "-r", "It broke the login", "-y")
		Expect(masked).To(end(0, "~ B", "is applied"))
		Expect(masked.Out).NotTo(ContainSubstring(w.Mark))
		Expect(team.LiveValues()).To(Equal(map[string]string{"A": w.Secret("one"), "B": w.Secret("b")}))
	})

	It("undoes one change deep in history and keeps what came after it, once somebody else approves", func() {
		proposed := team.As(world.Alice).SR("rollback", first, "-r", "It broke the login", "-y")
		Expect(proposed).To(end(0, "~ A", "It needs 1 approval of others by"))
		name := proposedBy(proposed)
		team.Await(name, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).SR("review", name, "--reveal")).To(end(0, "undoes change "+first, w.Secret("one"), w.Secret("a")))
		Expect(team.As(world.Alice).SR("approve", name, "-y")).To(fail(3, "somebody else's approval"))
		Expect(team.As(world.Bob).SR("approve", name, "-y")).To(end(0, "is applied"))
		Expect(team.LiveValues()).To(Equal(map[string]string{"A": w.Secret("a"), "B": w.Secret("two"), "C": w.Secret("three")}))

		By("a second time changes nothing")
		Expect(team.As(world.Alice).SR("rollback", first, "-r", "again", "-y")).To(end(0, "No changes"))
		Expect(team.Changes()).To(HaveLen(3))
	})

	It("restores what the change named had replaced, whatever was done in AWS since", func() {
		team.SetLive(world.Production, map[string]string{"A": w.Secret("one"), "B": w.Secret("two"), "C": w.Secret("by-hand")})
		team.SetLive(world.Production, map[string]string{"A": w.Secret("one"), "B": w.Secret("two"), "C": w.Secret("by-hand-too")})
		proposed := team.As(world.Alice).SR("rollback", first, "-r", "It broke the login", "-y")
		Expect(proposed).To(end(0))
		name := proposedBy(proposed)
		team.Await(name, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).SR("approve", name, "-y")).To(end(0, "is applied"))
		Expect(team.LiveValues()).To(Equal(map[string]string{"A": w.Secret("a"), "B": w.Secret("two"), "C": w.Secret("by-hand-too")}))
	})

	It("names the keys that later changes touched, and does nothing", func() {
		apply("--set", "A="+w.Secret("again"))
		refused := team.As(rob).SR("rollback", first, "-r", "It broke the login", "-y")
		Expect(refused).To(fail(4, "later changes have touched A, too"))
		Expect(team.Changes()).To(HaveLen(3))
	})

	It("puts the whole environment back, as far as versions lists", func() {
		rob := team.As(rob)
		listed := rob.SR("versions", "-o", "json")
		Expect(listed).To(end(0))
		var versions []struct {
			VersionID, Change, ReplacedBy string
			Live                          bool
		}
		Expect(json.Unmarshal([]byte(listed.Out), &versions)).To(Succeed())
		Expect(versions).To(HaveLen(3))
		Expect(versions[0]).To(And(HaveField("Change", second), HaveField("Live", true)))
		Expect(versions[1]).To(HaveField("Change", first))
		Expect(versions[2]).To(HaveField("ReplacedBy", first))
		Expect(rob.SR("versions")).To(end(0, "before", first, second))

		By("what a change wrote, alone")
		Expect(rob.SR("restore", "--to", first, "-r", "Start over", "-y")).To(end(0, "- C", "is applied"))
		Expect(team.LiveValues()).To(Equal(map[string]string{"A": w.Secret("one"), "B": w.Secret("b")}))
		team.AwaitReady()

		By("what no change wrote, with a review")
		proposed := rob.SR("restore", "--to", versions[2].VersionID[:8], "-r", "Before all of it", "-y")
		Expect(proposed).To(end(0, "not approved yet"))
		name := proposedBy(proposed)
		Expect(team.As(world.Bob).SR("approve", name, "-y")).To(end(0, "is applied"))
		Expect(team.LiveValues()).To(Equal(live()))
	})

	It("wants a review of everybody where the policy says so", func() {
		team.PatchProject(`{"rollback":{"requireReview":true}}`)
		Expect(team.As(rob).SR("rollback", "--latest", "-r", "It broke the login", "-y")).To(end(0, "not approved yet"))
		Expect(team.LiveValues()).To(HaveKeyWithValue("B", w.Secret("two")))
	})

	It("gets a clear error for what cannot be", func() {
		alice, rob := team.As(world.Alice), team.As(rob)
		rejected := alice.Propose("--set", "A="+w.Secret("never"))
		team.Await(rejected, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).SR("reject", rejected, "-y")).To(end(0))
		for _, tc := range []struct {
			by   *world.Shell
			args []string
			code int
			says string
		}{
			{rob, []string{"rollback", rejected, "-r", "x", "-y"}, 3, "was never applied, it is Rejected"},
			{rob, []string{"rollback", "nothing", "-r", "x", "-y"}, 5, "has no change"},
			{rob, []string{"rollback", "--latest", "-y"}, 2, "no reason is given"},
			{rob, []string{"rollback", "--latest", "-r", "x"}, 2, "add -y"},
			{rob, []string{"restore", "-r", "x", "-y"}, 2, "with --to"},
			{rob, []string{"restore", "--to", "deadbeef", "-r", "x", "-y"}, 5, "and no version begins so"},
			{rob, []string{"restore", "--to", "00000000-0000-4000-8000-00000000dead", "-r", "x", "-y"}, 5, "no longer has version"},
			{team.As(world.Eve), []string{"rollback", first, "-r", "x", "-y"}, 6, ""},
			{rob, []string{"rollback", first[:len(first)-1], "-r", "x", "-y"}, 2, "type the whole name"},
			{rob, []string{"rollback", rejected[:len(rejected)-1], "-r", "x", "-y"}, 2, "type the whole name"},
			{team.As(world.Bob), []string{"rollback", second, "-r", "x", "-y"}, 6, "cannot create resource"},
		} {
			Expect(tc.by.SR(tc.args...)).To(fail(tc.code, tc.says))
		}
		Expect(team.Changes()).To(HaveLen(3))
		Expect(team.LiveValues()).To(HaveKeyWithValue("A", w.Secret("one")))
	})

	It("is not undone, or asked for twice, by the same command again", func() {
		alice, rob := team.As(world.Alice), team.As(rob)
		Expect(alice.SR("rollback", first, "-r", "It broke the login", "-y")).To(end(0))
		Expect(alice.SR("rollback", first, "-r", "It broke the login", "-y")).To(fail(4, "already"))
		Expect(rob.SR("rollback", "--latest", "-r", "It broke the login", "-y")).To(end(0, "is applied"))
		Expect(rob.SR("rollback", "--latest", "-r", "It broke the login", "-y")).To(fail(3, "itself goes back"))
		Expect(team.LiveValues()).To(HaveKeyWithValue("B", w.Secret("b")))
	})

	It("takes any version that is listed, and adopts what somebody else's tool wrote", func() {
		const terraform = "terraform-20261128035600123400000001"
		w.Account().Must("PutSecretValue", map[string]any{
			"SecretId": team.LiveName(world.Production), "ClientRequestToken": terraform, "SecretString": `{"A":"` + w.Secret("tf") + `"}`,
		})
		Eventually(func() *v1alpha1.Drift { return team.ProjectStatus().Environments[0].Drift }).ShouldNot(BeNil())
		proposed := team.As(rob).SR("restore", "--to", terraform, "-r", "Terraform is right", "-y")
		Expect(proposed).To(end(0, "It changes no keys", "It needs 1 approval of others"))
		Expect(team.As(world.Bob).SR("approve", proposedBy(proposed), "-y")).To(end(0, "is adopted"))
		Eventually(func() *v1alpha1.Drift { return team.ProjectStatus().Environments[0].Drift }).Should(BeNil())
		Expect(team.As(rob).SR("restore", "--to", terraform, "-r", "again", "-y")).To(end(0, "No changes"))
	})

	It("lives with a freeze like any other change", func() {
		team.PatchProject(`{"suspend":true}`)
		rolling := team.As(rob).Begin("sr", "rollback", "--latest", "-r", "It broke the login", "-y")
		var name string
		Eventually(func() string {
			for _, c := range team.Changes() {
				if c.Spec.Rollback != nil {
					name = c.Name
				}
			}
			return name
		}).ShouldNot(BeEmpty())
		team.AwaitReason(name, v1alpha1.ConditionApplied, v1alpha1.ReasonFrozen)
		team.PatchProject(`{"suspend":false}`)
		Expect(rolling.Wait()).To(end(0, "is applied"))
		Expect(team.Change(name).Spec.Rollback).To(HaveValue(HaveField("Change", second)))
		Expect(ptr.Deref(team.Change(name).Status.Revert, v1alpha1.Revert{}).ToVersionID).NotTo(BeEmpty())
	})
})

// proposedBy returns the name of the change that a command has created.
func proposedBy(result world.Result) string {
	GinkgoHelper()
	found := regexp.MustCompile(`(?m)^Proposed (\S+)$`).FindStringSubmatch(result.Out)
	Expect(found).To(HaveLen(2), result.Out)
	return found[1]
}
