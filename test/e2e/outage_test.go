package e2e

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/e2e/world"
)

var _ = Describe("Without the cluster or AWS", func() {
	var team *world.Team
	var alice, bob *world.Shell
	live := func() map[string]string { return map[string]string{"A": w.Secret("a")} }
	propose := []string{"propose", "-r", "because", "--set", "A=1"}

	BeforeEach(func() {
		team = w.NewTeam(world.Options{Live: live()})
		alice, bob = team.As(world.Alice), team.As(world.Bob)
	})

	It("a cluster that cannot be reached is said so in a sentence", func() {
		const nobody = "--server=https://127.0.0.1:1"
		for _, command := range [][]string{
			propose, {"pull"}, {"status"}, {"history"}, {"review", "--latest"}, {"approve", "x", "-y"}, {"reject", "x", "-y"},
		} {
			Expect(alice.SR(append(command, nobody)...)).To(fail(7, "127.0.0.1:1", "cluster"), "%v", command)
		}
		untouched(team)
		By("pull needs AWS alone where region and prefix are known")
		Expect(alice.SR("pull", nobody, "--region", world.Region, "--prefix", naming.DefaultPrefix)).To(end(0))
		Expect(alice.Read(".env")).To(ContainSubstring(w.Secret("a")))
	})

	It("a cluster that does not know somebody, or no cluster at all, is said so in a sentence", func() {
		Expect(alice.WithToken("long-expired").SR("status")).To(fail(6, "log in to the cluster again"))
		Expect(alice.With("KUBECONFIG=/nonexistent").SR("status")).To(fail(7, "localhost:8080", "--context"))
		Expect(alice.SR("status", "--context", "nonesuch")).To(fail(2, "nonesuch"))
	})

	It("AWS that is throttled is asked again, until it answers or patience ends", func() {
		throttled := emulator.Fault{Kind: emulator.FaultThrottle, Secret: "*" + team.Project + "*", Principal: "*/" + world.Alice, Count: 2}
		w.AWS.Fail(throttled)
		Expect(alice.SR("pull")).To(end(0))
		throttled.Count = 0
		w.AWS.Fail(throttled)
		Expect(alice.SR(propose...)).To(fail(7, "Throttl", "try again later"))
		untouched(team)
	})

	It("AWS that cannot be reached, denies, or does not know somebody is said so in a sentence", func() {
		Expect(alice.With("AWS_ENDPOINT_URL=http://127.0.0.1:1").SR(propose...)).To(fail(7, "127.0.0.1:1", "try again later"))
		Expect(alice.With("AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=").SR(propose...)).To(fail(6, "sign in to AWS"))
		Expect(alice.With("AWS_ACCESS_KEY_ID=nobody").SR(propose...)).To(fail(6, "sign in to AWS"))
		mend := w.AWS.Fail(denied(team, "CreateSecret"))
		Expect(alice.SR(propose...)).To(fail(6, "stage the values", "AccessDenied"))
		mend()
		w.Expire(world.Alice)
		Expect(alice.SR(propose...)).To(fail(6, "ExpiredToken", "sign in to AWS again"))
		untouched(team)
	})

	It("a proposer who never hears whether the values were staged is told what is left", func() {
		w.AWS.Fail(emulator.Fault{
			Kind: emulator.FaultLose, Operations: []string{"CreateSecret"}, Secret: "*" + team.Project + "*", Principal: "*/" + world.Alice,
		})
		Expect(alice.SR(propose...)).To(fail(7, "stage the values", "deleting them failed too", "delete-secret"))
		Expect(team.Staged()).To(HaveLen(1))
	})

	It("a reviewer whose credentials have expired approves nothing unseen", func() {
		name := alice.Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		w.Expire(world.Bob)
		Expect(bob.SR("review", name)).To(end(6, "cannot be read", "ExpiredToken"))
		Expect(bob.SR("approve", name, "-y")).To(end(6, "is not approved", "--without-values"))
		Expect(team.Change(name).Spec.Reviews).To(BeEmpty())
	})

	It("values that were staged when the cluster went away are deleted again, or named", func() {
		// Less than the 15 seconds for which sr waits for an answer.
		hold := w.AWS.HoldNext(emulator.Fault{Operations: []string{"CreateSecret"}, Secret: team.StagedName("*")}, 12*time.Second)
		proposing := alice.Begin("sr", propose...)
		hold.Await()
		Expect(w.Cluster.KillAPIServer()).To(Succeed())
		result := proposing.Wait()
		Expect(w.Cluster.StartAPIServer(GinkgoT().Context())).To(Succeed())
		w.Manager.Revive()
		staged := team.Staged()
		Expect(staged).To(HaveLen(1), "alice has no right to delete it")
		Expect(result).To(fail(7, "the values stay staged", "aws secretsmanager delete-secret", w.SecretState(staged[0]).ARN))
		Expect(team.Changes()).To(BeEmpty())

		By("the cluster is as it was")
		name := alice.Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		Expect(bob.SR("approve", name, "-y")).To(end(0, "is applied"))
	})

	It("an approver waits through an outage of the API server", func() {
		name := alice.Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		mend := w.AWS.Fail(denied(team, "PutSecretValue"))
		approving := bob.Begin("sr", "approve", name, "-y")
		team.AwaitReason(name, v1alpha1.ConditionApplied, v1alpha1.ReasonAccessDenied)
		Expect(w.Cluster.KillAPIServer()).To(Succeed())
		Expect(w.Cluster.StartAPIServer(GinkgoT().Context())).To(Succeed())
		mend()
		w.Manager.Revive()
		Expect(approving.Wait()).To(end(0, "is applied"))
	})

	DescribeTable("the manager says so, and goes on when it is over", func(kind emulator.FaultKind, reason string) {
		for _, operation := range []string{"DescribeSecret", "PutSecretValue"} {
			name := alice.Propose("--set", "A="+w.Secret(string(kind)+operation))
			team.Await(name, v1alpha1.PhasePending)
			fault := byManager(team, operation)
			fault.Kind = kind
			mend := w.AWS.Fail(fault)
			approving := bob.Begin("sr", "approve", name, "-y")
			team.AwaitReason(name, v1alpha1.ConditionApplied, reason)
			mend()
			Expect(approving.Wait()).To(end(0, "is applied"))
		}
	},
		Entry("throttled", emulator.FaultThrottle, v1alpha1.ReasonThrottled),
		Entry("denied", emulator.FaultDeny, v1alpha1.ReasonAccessDenied),
		Entry("failing", emulator.FaultInternal, v1alpha1.ReasonUnavailable),
		Entry("cut off", emulator.FaultDrop, v1alpha1.ReasonUnavailable),
	)

	It("a manager whose credentials have expired says so, and goes on with new ones", func() {
		name := alice.Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		renew := w.Expire(world.ManagerAccount)
		approving := bob.Begin("sr", "approve", name, "-y")
		team.AwaitReason(name, v1alpha1.ConditionApplied, v1alpha1.ReasonCredentials)
		renew()
		Expect(approving.Wait()).To(end(0, "is applied"))
	})
})
