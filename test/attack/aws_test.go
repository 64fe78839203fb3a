package attack

import (
	"strings"

	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/ptr"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/e2e/world"
)

// denied has AWS deny operations on a team's secrets.
func denied(team *world.Team, operations ...string) emulator.Fault {
	return emulator.Fault{Kind: emulator.FaultDeny, Operations: operations, Secret: "*" + team.Project + "*"}
}

var _ = Describe("What is live in AWS", func() {
	It("is not written by anybody's own rights in AWS", func() {
		team := w.NewTeam(world.Options{Live: live()})
		secret := team.LiveName(world.Production)
		before := w.SecretState(secret)
		for _, somebody := range []string{world.Alice, world.Bob, world.Eve} {
			for operation, in := range map[string]map[string]any{
				"PutSecretValue":           {"SecretString": "{}", "ClientRequestToken": uuid.NewString()},
				"UpdateSecret":             {"SecretString": "{}", "ClientRequestToken": uuid.NewString()},
				"UpdateSecretVersionStage": {"VersionStage": "AWSCURRENT", "RemoveFromVersionId": before.Versions[0].ID},
				"DeleteSecret":             {"ForceDeleteWithoutRecovery": true},
				"TagResource":              {"Tags": []map[string]string{{"Key": naming.TagOwner, "Value": naming.Owner(world.ClusterName, "elsewhere")}}},
				"UntagResource":            {"TagKeys": []string{naming.TagOwner}},
			} {
				in["SecretId"] = secret
				_, code := w.AWS.As(somebody).Call(operation, in)
				Expect(code).To(Equal("AccessDeniedException"), "%s by %s", operation, somebody)
			}
		}
		Expect(w.SecretState(secret)).To(Equal(before))
	})

	Context("with a label of ours that somebody has moved", func() {
		const rob = "rob"
		var team *world.Team
		var done, version string
		// forged is what somebody made live by hand, and then gave the label of the change that was live.
		var forged string
		BeforeEach(func() {
			team = w.NewTeam(world.Options{Live: live(), Rollbackers: []string{rob}})
			done = team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
			change := team.Await(done, v1alpha1.PhasePending)
			Expect(team.As(world.Bob).SR("approve", done, "-y")).To(end(0, "is applied"))
			team.AwaitReady()
			_, version = team.Live(world.Production)
			forged = team.SetLive(world.Production, map[string]string{"A": w.Secret("forged")})
			w.Account().Must("UpdateSecretVersionStage", map[string]any{
				"SecretId": team.LiveName(world.Production), "VersionStage": naming.VersionLabel(string(change.UID)),
				"MoveToVersionId": forged, "RemoveFromVersionId": version,
			})
		})

		It("what is live still shows as drift", func() {
			Eventually(func() string { return team.ProjectStatus().DriftedNames }).Should(Equal(world.Production))
			Expect(team.As(world.Bob).SR("status")).To(end(0, "drift"))
		})
		It("it is not restored by one person alone, as what an applied change wrote", func() {
			Eventually(func() string { return team.ProjectStatus().DriftedNames }).Should(Equal(world.Production))
			good := team.SetLive(world.Production, live())
			Eventually(func() *v1alpha1.Drift { return team.ProjectStatus().Environments[0].Drift }).Should(HaveValue(HaveField("LiveVersionID", good)))
			proposed := team.As(rob).SR("restore", "--to", forged, "-r", "because", "-y", "--no-wait")
			Expect(proposed).To(end(0))
			Eventually(func() []v1alpha1.SecretChange { return team.Changes() }).Should(ContainElement(SatisfyAll(
				HaveField("Spec.Restore.VersionID", Equal(v1alpha1.VersionID(forged))),
				HaveField("Status.Phase", v1alpha1.PhasePending), HaveField("Status.Approvals", "0/1"),
			)))
			Expect(team.LiveValues()).To(Equal(live()))
			By("nor by a manifest that names the change instead")
			byName := &v1alpha1.SecretChange{}
			byName.Namespace, byName.Name = team.Namespace, "claim"
			byName.Spec = v1alpha1.SecretChangeSpec{
				Project: team.Project, Environment: world.Production, Reason: "because", ProposedBy: rob, BaseVersionID: v1alpha1.VersionID(good),
				Restore: &v1alpha1.RestoreSource{Change: done}, Reviews: []v1alpha1.Review{{Reviewer: rob, Verdict: v1alpha1.VerdictApproved}},
			}
			Expect(team.As(rob).Create(byName)).To(end(0))
			ended := func() v1alpha1.Phase { return team.Change("claim").Status.Phase }
			Eventually(ended).Should(BeElementOf(v1alpha1.PhasePending, v1alpha1.PhaseApplied, v1alpha1.PhaseInvalid, v1alpha1.PhaseConflicted))
			Expect(team.LiveValues()).NotTo(HaveKeyWithValue("A", w.Secret("forged")))
		})
	})

	It("shows as drift also where it bears the label of a change that waits, which is not applied by that", func() {
		team := w.NewTeam(world.Options{Live: live()})
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		change := team.Await(name, v1alpha1.PhasePending)
		forged := team.SetLive(world.Production, map[string]string{"A": w.Secret("forged")})
		w.Account().Must("UpdateSecretVersionStage", map[string]any{
			"SecretId": team.LiveName(world.Production), "VersionStage": naming.VersionLabel(string(change.UID)), "MoveToVersionId": forged,
		})
		Eventually(func() string { return team.ProjectStatus().DriftedNames }).Should(Equal(world.Production))
		// Its base is no longer live, as after any edit in AWS.
		Expect(team.Await(name, v1alpha1.PhaseConflicted).Status.AppliedVersionID).To(BeEmpty())
		Expect(team.LiveValues()).To(Equal(map[string]string{"A": w.Secret("forged")}))
	})

	It("a tag of another namespace on it stops the manager before it writes", func() {
		team := w.NewTeam(world.Options{Live: live()})
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		team.SetOwner(world.Production, naming.Owner(world.ClusterName, "elsewhere"))
		Expect(team.As(world.Bob).SR("approve", name, "-y", "--no-wait")).To(end(0))
		team.AwaitReason(name, v1alpha1.ConditionApplied, v1alpha1.ReasonNotOwner)
		Expect(team.LiveValues()).To(Equal(live()))
	})
})

var _ = Describe("A change that names a secret that is not what it has staged", Ordered, func() {
	var team, victim *world.Team
	var manifest *v1alpha1.SecretChange
	var theirs v1alpha1.SecretChange
	BeforeAll(func() {
		victim = w.NewTeam(world.Options{Live: live()})
		theirs = victim.Await(victim.As(world.Alice).Propose("--set", "A="+w.Secret("theirs")), v1alpha1.PhasePending)
		team = w.NewTeam(world.Options{Live: live(), Policy: func(p *v1alpha1.SecretProjectSpec) { p.Environments[0].RequiredApprovals = ptr.To[int32](0) }})
		manifest = team.As(world.Alice).Manifest("--set", "A="+w.Secret("one"))
	})
	arn := func(secret string) string {
		GinkgoHelper()
		state := w.SecretState(secret)
		Expect(state).NotTo(BeNil(), secret)
		return state.ARN
	}
	DescribeTable("ends as invalid, although no approval is needed, and has nothing deleted", func(edit func(*v1alpha1.StagedSource), says string) {
		change := manifest.DeepCopy()
		change.Name = "evil-" + strings.ToLower(uuid.NewString()[:8])
		edit(change.Spec.Staged)
		Expect(team.As(world.Alice).Create(change)).To(end(0))
		Expect(team.Await(change.Name, v1alpha1.PhaseInvalid).Status.Message).To(ContainSubstring(says))
		Expect(team.As(world.Alice).Kubectl("get", "schg", change.Name, "-n", team.Namespace)).To(end(0))
		team.Admin("delete", "schg", change.Name, "--timeout=60s")
		for _, secret := range []string{team.LiveName(world.Production), victim.LiveName(world.Production), victim.StagedName(theirs.Name), team.StagedName(manifest.Name)} {
			Expect(w.SecretState(secret)).To(HaveValue(HaveField("DeletedAt", BeZero())), secret)
		}
		Expect(team.LiveValues()).To(Equal(live()))
	},
		Entry("its own live secret", func(s *v1alpha1.StagedSource) { s.SecretARN = arn(team.LiveName(world.Production)) }, "not named"),
		Entry("another team's live secret", func(s *v1alpha1.StagedSource) { s.SecretARN = arn(victim.LiveName(world.Production)) }, "not named"),
		Entry("another team's staged secret", func(s *v1alpha1.StagedSource) { s.SecretARN = arn(victim.StagedName(theirs.Name)) }, "not named"),
		Entry("another change's staged secret of its own team", func(s *v1alpha1.StagedSource) {}, "not named"),
		Entry("one of another region", func(s *v1alpha1.StagedSource) {
			s.SecretARN = strings.Replace(s.SecretARN, ":"+world.Region+":", ":eu-north-1:", 1)
		}, "region"),
		Entry("one of another account", func(s *v1alpha1.StagedSource) {
			s.SecretARN = strings.Replace(s.SecretARN, ":"+emulator.DefaultAccountID+":", ":999999999999:", 1)
		}, "account"),
		Entry("one of another partition", func(s *v1alpha1.StagedSource) {
			s.SecretARN = strings.Replace(s.SecretARN, "arn:aws:", "arn:aws-cn:", 1)
		}, ""),
		Entry("a name that climbs", func(s *v1alpha1.StagedSource) {
			s.SecretARN = strings.Replace(s.SecretARN, "/pending/", "/pending/../", 1)
		}, "not named"),
	)
})
