package e2e

import (
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/test/e2e/world"
)

var _ = Describe("A change", func() {
	var team *world.Team
	var first, second string

	BeforeEach(func() {
		first, second = w.Secret("first"), w.Secret("second")
		team = w.NewTeam(world.Options{Live: map[string]string{"TOKEN": first, "URL": w.Secret("url")}})
	})

	It("is proposed, reviewed, refused to its proposer, approved, live and pulled", func() {
		alice, bob := team.As(world.Alice), team.As(world.Bob)

		By("alice pulls, edits and proposes")
		Expect(alice.SR("pull")).To(end(0))
		Expect(os.Stat(filepath.Join(alice.Dir, ".env"))).To(HaveField("Mode()", os.FileMode(0o600)))
		alice.Write(".env", alice.Read(".env")+"EXTRA="+w.Secret("extra")+"\n")
		proposed := alice.SR("propose", "-r", "Rotate the token", "--set", "TOKEN="+second, "-f", ".env", "--unset", "URL")
		Expect(proposed).To(end(0))
		Expect(proposed.Out).To(And(ContainSubstring("+ EXTRA"), ContainSubstring("~ TOKEN"), ContainSubstring("- URL")))
		Expect(team.Changes()).To(HaveLen(1))
		name := team.Changes()[0].Name

		By("AWS keeps what is staged under the live secret's key, and tagged")
		staged := w.SecretState(team.StagedName(name))
		Expect(staged.KMSKeyID).To(Equal(w.SecretState(team.LiveName(world.Production)).KMSKeyID))
		Expect(staged.Tags).To(And(HaveKeyWithValue(naming.TagStaging, naming.StagingTrue), HaveKeyWithValue(naming.TagChange, name),
			HaveKeyWithValue(naming.TagNamespace, team.Namespace), HaveKeyWithValue(naming.TagCluster, world.ClusterName)))
		team.Await(name, v1alpha1.PhasePending)

		By("bob sees it, with values where he asks for them")
		Expect(bob.SR("status")).To(end(0, name))
		masked := bob.SR("review", name)
		Expect(masked).To(end(0))
		Expect(masked.Out).To(And(ContainSubstring("Rotate the token"), ContainSubstring("TOKEN"), Not(ContainSubstring(w.Mark))))
		revealed := bob.SR("review", "--latest", "--reveal")
		Expect(revealed).To(end(0))
		Expect(revealed.Out).To(And(ContainSubstring(first), ContainSubstring(second)))

		By("alice may not approve it")
		Expect(alice.SR("approve", name, "-y", "--without-values")).To(fail(3, "somebody else's approval"))
		Expect(team.Change(name).Spec.Reviews).To(BeEmpty())

		By("bob approves, and is told when it is live")
		approved := bob.SR("approve", name, "-y", "-c", "looks right")
		Expect(approved).To(end(0))
		Expect(approved.Out).To(ContainSubstring("is applied"))
		Expect(team.LiveValues()).To(Equal(map[string]string{"TOKEN": second, "EXTRA": w.Secret("extra")}))
		change := team.Await(name, v1alpha1.PhaseApplied)
		_, version := team.Live(world.Production)
		Expect(change.Status.AppliedVersionID).To(Equal(version))
		Expect(change.Status.Decision.Approvers).To(ConsistOf(world.Bob))
		team.AwaitUnstaged(name)

		By("alice pulls it, and everybody can read up on it")
		Expect(alice.SR("pull", "-y")).To(end(0))
		Expect(alice.Read(".env")).To(And(ContainSubstring(second), ContainSubstring(version), Not(ContainSubstring("URL"))))
		Expect(alice.SR("propose", "-r", "nothing")).To(end(0, "No changes"))
		Expect(team.Staged()).To(BeEmpty())
		Expect(alice.SR("history")).To(end(0, name, "Applied"))
		Expect(alice.Kubectl("get", "schg", "-n", team.Namespace)).To(And(end(0),
			HaveField("Out", MatchRegexp(name+` +`+team.Project+` +production +Applied +\+EXTRA ~TOKEN -URL +1/1 +alice`))))
		Eventually(func() string { return team.Admin("get", "events") }).
			Should(And(ContainSubstring("Validated"), ContainSubstring("Approved"), ContainSubstring("Applied")))
	})

	It("is rejected by a reviewer, and stays so", func() {
		name := team.As(world.Alice).Propose("--set", "TOKEN="+second)
		team.Await(name, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).SR("reject", name, "-y", "-c", "not now")).To(end(0, "Rejected"))
		Expect(team.As(world.Carol).SR("approve", name, "-y")).To(fail(3, "already ended as Rejected"))
		Expect(team.LiveValues()).To(HaveKeyWithValue("TOKEN", first))
		team.AwaitUnstaged(name)
		Eventually(func() []string { return team.Change(name).Finalizers }).Should(BeEmpty())
	})

	It("is withdrawn by its proposer", func() {
		alice := team.As(world.Alice)
		name := alice.Propose("--set", "TOKEN="+second)
		team.Await(name, v1alpha1.PhasePending)
		Expect(alice.SR("reject", "--latest", "-y")).To(end(0))
		Expect(team.Await(name, v1alpha1.PhaseRejected).Status.Message).To(ContainSubstring("Withdrawn"))
		team.AwaitUnstaged(name)
	})

	It("is deleted by its proposer while it is pending, with what is staged", func() {
		alice := team.As(world.Alice)
		name := alice.Propose("--set", "TOKEN="+second)
		team.Await(name, v1alpha1.PhasePending)
		Expect(alice.Kubectl("delete", "schg", name, "-n", team.Namespace, "--timeout=60s")).To(end(0))
		Expect(team.Changes()).To(BeEmpty())
		Expect(team.Staged()).To(BeEmpty())
	})

	It("is not approved any more once its approver rejects it, before it is live", func() {
		mend := w.AWS.Fail(denied(team, "PutSecretValue"))
		name := team.As(world.Alice).Propose("--set", "TOKEN="+second)
		team.Await(name, v1alpha1.PhasePending)
		bob := team.As(world.Bob)
		Expect(bob.SR("approve", name, "-y", "--no-wait")).To(end(0))
		team.Await(name, v1alpha1.PhaseApproved)
		Expect(bob.SR("reject", name, "-y")).To(end(0))
		team.Await(name, v1alpha1.PhaseRejected)
		mend()
		team.AwaitUnstaged(name)
		Expect(team.LiveValues()).To(HaveKeyWithValue("TOKEN", first))
	})

	It("can be worked on through kubectl's plugin", func() {
		name := team.As(world.Alice).Propose("--set", "TOKEN="+second)
		team.Await(name, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).Kubectl("sr", "status", "-n", team.Namespace)).To(end(0, name))
		Expect(team.As(world.Bob).Kubectl("sr", "approve", name)).To(fail(2, "nobody can be asked here"))
	})

	It("shows nothing to somebody without rights", func() {
		name := team.As(world.Alice).Propose("--set", "TOKEN="+second)
		team.Await(name, v1alpha1.PhasePending)
		eve := team.As(world.Eve)
		for _, command := range [][]string{
			{"status"}, {"history"}, {"review", name}, {"approve", name, "-y"}, {"reject", name, "-y"}, {"pull"},
			{"propose", "-r", "mine", "--set", "TOKEN=x"},
			{"pull", "--region", world.Region, "--prefix", naming.DefaultPrefix},
		} {
			Expect(eve.SR(command...)).To(fail(6), "%v", command)
		}
		team.Await(name, v1alpha1.PhasePending)
	})
})
