package e2e

import (
	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/e2e/world"
)

var _ = Describe("Must not happen: what becomes live is not what was approved", func() {
	live := func() map[string]string { return map[string]string{"A": w.Secret("a"), "B": w.Secret("b")} }

	It("approved but never live", func() {
		team := w.NewTeam(world.Options{Live: live()})
		mend := w.AWS.Fail(denied(team, "UpdateSecretVersionStage"))
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		approving := team.As(world.Bob).Begin("sr", "approve", name, "-y")

		By("it is plain that it is not live, and why")
		change := team.AwaitReason(name, v1alpha1.ConditionApplied, v1alpha1.ReasonAccessDenied)
		Expect(change.Status.Phase).To(Equal(v1alpha1.PhaseApproved))
		carol := team.As(world.Carol)
		Eventually(func() world.Result { return carol.SR("status", name) }).Should(end(0, "Approved", "AccessDenied"))
		Expect(carol.SR("approve", name, "-y", "--timeout", "1s")).To(end(7, "nothing has come of change"))
		Expect(team.LiveValues()).To(Equal(live()))

		By("it becomes live once it can")
		mend()
		Expect(approving.Wait()).To(end(0, "is applied"))
		Expect(team.LiveValues()).To(HaveKeyWithValue("A", w.Secret("one")))
	})

	It("two changes approved at once where one silently overwrites the other", func() {
		team := w.NewTeam(world.Options{Live: live()})
		alice := team.As(world.Alice)
		first, second := alice.Propose("--set", "A="+w.Secret("one")), alice.Propose("--set", "A="+w.Secret("two"), "--set", "B="+w.Secret("two"))
		team.Await(first, v1alpha1.PhasePending)
		team.Await(second, v1alpha1.PhasePending)
		approvals := []*world.Running{
			team.As(world.Bob).Begin("sr", "approve", first, "-y"),
			team.As(world.Carol).Begin("sr", "approve", second, "-y"),
		}
		a, b := approvals[0].Wait(), approvals[1].Wait()
		won, lost := a, b
		values := map[string]string{"A": w.Secret("one"), "B": w.Secret("b")}
		if b.Code == 0 {
			won, lost = b, a
			values = map[string]string{"A": w.Secret("two"), "B": w.Secret("two")}
		}
		Expect(won).To(end(0, "is applied"))
		Expect(lost).To(end(4, "rebase it onto what is live now"))
		Expect(team.LiveValues()).To(Equal(values))
	})

	It("a change applied over what somebody made live in AWS after it was approved", func() {
		team := w.NewTeam(world.Options{Live: live()})
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		move := byManager(team, "UpdateSecretVersionStage")
		move.Skip = 1 // the first keeps what is replaced
		hold := w.AWS.HoldNext(move, world.Forever)
		approving := team.As(world.Bob).Begin("sr", "approve", name, "-y")
		hold.Await()
		team.SetLive(world.Production, map[string]string{"A": w.Secret("by-hand")})
		// The manager's call goes with it; it looks anew before it would call again. The call that arrives late is refused
		// by AWS: see the suite of the controller.
		w.Manager.Kill()
		w.Manager.Start()
		Expect(approving.Wait()).To(end(4, "is not live"))
		Expect(team.LiveValues()).To(Equal(map[string]string{"A": w.Secret("by-hand")}))
	})

	It("a staged value swapped between review and approval", func() {
		team := w.NewTeam(world.Options{Live: live()})
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		other := team.As(world.Alice).Propose("--set", "A="+w.Secret("swapped"))
		team.Await(name, v1alpha1.PhasePending)
		team.Await(other, v1alpha1.PhasePending)

		By("the reviewed version is the one that counts, whatever became current since")
		swapped := w.Account().Must("GetSecretValue", map[string]any{"SecretId": team.StagedName(other)})["SecretString"]
		w.Account().Must("PutSecretValue", map[string]any{
			"SecretId": team.StagedName(name), "SecretString": swapped, "ClientRequestToken": uuid.NewString(),
		})
		Expect(team.As(world.Bob).SR("review", name, "--reveal")).To(end(0, w.Secret("one")))
		Expect(team.As(world.Bob).SR("approve", name, "-y")).To(end(0))
		Expect(team.LiveValues()).To(HaveKeyWithValue("A", w.Secret("one")))
	})

	It("a staged secret made anew between review and approval", func() {
		team := w.NewTeam(world.Options{Live: live()})
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		staged := w.SecretState(team.StagedName(name))
		w.Account().Must("DeleteSecret", map[string]any{"SecretId": staged.Name, "ForceDeleteWithoutRecovery": true})
		var tags []map[string]string
		for key, value := range staged.Tags {
			tags = append(tags, map[string]string{"Key": key, "Value": value})
		}
		w.Account().Must("CreateSecret", map[string]any{
			"Name": staged.Name, "SecretString": `{"A":"` + w.Secret("swapped") + `"}`, "KmsKeyId": staged.KMSKeyID,
			"ClientRequestToken": staged.Versions[0].ID, "Tags": tags,
		})
		By("the reviewer's sr does not find what was pinned, and neither does the manager once it no longer remembers it")
		Expect(team.As(world.Bob).SR("approve", name, "-y")).To(end(5, "cannot be read"))
		w.Manager.Kill()
		w.Manager.Start()
		Expect(team.As(world.Bob).SR("approve", name, "-y", "--without-values")).To(end(3, "is not live"))
		Expect(team.LiveValues()).To(Equal(live()))
	})

	It("one team's staged secret applied to another team's live one", func() {
		victim := w.NewTeam(world.Options{Live: live()})
		thief := w.NewTeam(world.Options{Live: live(), Proposers: []string{"mallory"}, Approvers: []string{"trudy"}})
		name := victim.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		change := victim.Await(name, v1alpha1.PhasePending)

		By("by naming it in a change of their own")
		stolen := change.DeepCopy()
		stolen.Namespace, stolen.Spec.Project, stolen.Spec.ProposedBy, stolen.Spec.BaseVersionID = thief.Namespace, thief.Project, "mallory", ""
		Expect(thief.As("mallory").Create(stolen)).To(end(0))
		Expect(thief.Await(name, v1alpha1.PhaseInvalid).Status.Message).To(ContainSubstring("not named"))
		Expect(thief.As("trudy").SR("approve", name, "-y")).To(fail(3))
		Expect(thief.LiveValues()).To(Equal(live()))

		By("or by having it deleted with that change")
		Expect(thief.As(world.Admin).Kubectl("delete", "schg", name, "-n", thief.Namespace, "--timeout=60s")).To(end(0))
		Expect(victim.Staged()).To(ConsistOf(victim.StagedName(name)))
		Expect(victim.As(world.Bob).SR("approve", name, "-y")).To(end(0, "is applied"))

		By("and by claiming the other team's project")
		claim := w.NewTeam(world.Options{Unready: true, Proposers: []string{"mallory"}, Approvers: []string{"trudy"}, Policy: func(p *v1alpha1.SecretProjectSpec) {
			p.ProjectName = victim.Project
		}})
		Eventually(func() []v1alpha1.EnvironmentStatus { return claim.ProjectStatus().Environments }).Should(
			ContainElement(HaveField("Problem", HaveValue(HaveField("Reason", Or(Equal(v1alpha1.ReasonNotOwner), Equal(v1alpha1.ReasonNameClaimed)))))))
		Expect(claim.As("mallory").SR("propose", "-r", "mine now", "--set", "A="+w.Secret("stolen"))).To(fail(3, "cannot be served"))
		victim.AwaitReady()
	})

	It("an approval that hits another project through --latest", func() {
		team := w.NewTeam(world.Options{Live: live()})
		other := w.NewTeam(world.Options{Live: live(), Beside: team})
		mine := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(mine, v1alpha1.PhasePending)
		newer := other.As(world.Alice).Propose("--set", "A="+w.Secret("other"))
		other.Await(newer, v1alpha1.PhasePending)

		Expect(team.As(world.Bob).SR("review", "--latest")).To(end(0, mine))
		Expect(team.As(world.Bob).SR("approve", "--latest", "-y")).To(end(0, mine))
		Expect(team.As(world.Bob).SR("approve", "--latest", "-y")).To(fail(5, "has no pending change"))
		Expect(team.As(world.Bob).SR("reject", "--latest", "-y")).To(fail(5, "has no pending change"))
		Expect(other.Change(newer).Spec.Reviews).To(BeEmpty())
		Expect(other.LiveValues()).To(Equal(live()))
	})
})

// byManager matches the manager's own calls about a team's secrets.
func byManager(team *world.Team, operations ...string) emulator.Fault {
	return emulator.Fault{Operations: operations, Secret: "*" + team.Project + "*", Principal: "*/manager"}
}
