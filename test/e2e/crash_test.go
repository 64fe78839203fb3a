package e2e

import (
	"fmt"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/e2e/world"
)

// step is one of the manager's calls to AWS on the way of a change.
type step struct {
	operation string
	// skip is how many such calls go before it.
	skip int
	// staged says that it is about the staged secret, not the live one.
	staged bool
	// before says that it comes before the approval.
	before bool
}

func (s step) String() string {
	secret := "live"
	if s.staged {
		secret = "staged"
	}
	return fmt.Sprintf("%s of the %s secret, after %d of them", s.operation, secret, s.skip)
}

// match returns the fault, still without a kind, that strikes the step.
func (s step) match(team *world.Team) emulator.Fault {
	fault := emulator.Fault{Operations: []string{s.operation}, Secret: team.LiveName(world.Production), Principal: "*/" + world.ManagerAccount, Skip: s.skip}
	if s.staged {
		fault.Secret = team.StagedName("*")
	}
	return fault
}

var _ = Describe("The manager, killed between two calls to AWS", func() {
	live := func() map[string]string { return map[string]string{"A": w.Secret("a"), "B": w.Secret("b")} }

	// appliedOnce holds that one version was written and made live for a change, and that nothing is left over.
	appliedOnce := func(team *world.Team, name string) {
		GinkgoHelper()
		change := team.Await(name, v1alpha1.PhaseApplied)
		team.AwaitUnstaged(name)
		Eventually(func() []string { return team.Change(name).Finalizers }).Should(BeEmpty())
		values, version := team.Live(world.Production)
		Expect(values).To(Equal(map[string]string{"A": w.Secret("one"), "B": w.Secret("b")}))
		Expect(change.Status.AppliedVersionID).To(Equal(version))
		label := naming.VersionLabel(string(change.UID))
		var labelled []string
		for _, v := range w.SecretState(team.LiveName(world.Production)).Versions {
			if slices.Contains(v.Labels, label) {
				labelled = append(labelled, v.ID)
			}
		}
		Expect(labelled).To(ConsistOf(version))
		Expect(movesTo(team, version)).To(Equal(1), "AWSCURRENT was moved to it once")
	}

	DescribeTable("applies a change exactly once when it is started again", func(s step) {
		team := w.NewTeam(world.Options{Live: live()})
		alice, bob := team.As(world.Alice), team.As(world.Bob)
		var hold *world.Hold
		if s.before {
			hold = w.AWS.HoldNext(s.match(team), world.Forever)
		}
		name := alice.Propose("--set", "A="+w.Secret("one"))
		var approving *world.Running
		if !s.before {
			team.Await(name, v1alpha1.PhasePending)
			hold = w.AWS.HoldNext(s.match(team), world.Forever)
			approving = bob.Begin("sr", "approve", name, "-y")
		}
		hold.Await()
		w.Manager.Kill()
		w.Manager.Start()
		if s.before {
			team.Await(name, v1alpha1.PhasePending)
			approving = bob.Begin("sr", "approve", name, "-y")
		}
		Expect(approving.Wait()).To(end(0, "is applied"))
		appliedOnce(team, name)
	},
		// Each is killed with the call on the way, so that it is never carried out; what the call before it did is done.
		Entry(nil, step{operation: "DescribeSecret", staged: true, before: true}),
		Entry(nil, step{operation: "GetSecretValue", staged: true, before: true}),
		Entry(nil, step{operation: "DescribeSecret"}),
		Entry(nil, step{operation: "PutSecretValue"}),
		// The first keeps what is replaced, the second makes ours live.
		Entry(nil, step{operation: "UpdateSecretVersionStage"}),
		Entry(nil, step{operation: "UpdateSecretVersionStage", skip: 1}),
		Entry(nil, step{operation: "DescribeSecret", skip: 1}),
		Entry(nil, step{operation: "DescribeSecret", skip: 2}),
		Entry(nil, step{operation: "DescribeSecret", skip: 3}),
		Entry(nil, step{operation: "DeleteSecret", staged: true}),
	)

	DescribeTable("also where a call was carried out and its answer lost", func(lost, next step) {
		team := w.NewTeam(world.Options{Live: live()})
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		fault := lost.match(team)
		fault.Kind, fault.Count = emulator.FaultLose, 1
		w.AWS.Fail(fault)
		hold := w.AWS.HoldNext(next.match(team), world.Forever)
		approving := team.As(world.Bob).Begin("sr", "approve", name, "-y")
		hold.Await()
		w.Manager.Kill()
		w.Manager.Start()
		Expect(approving.Wait()).To(end(0, "is applied"))
		appliedOnce(team, name)
	},
		Entry("of the write", step{operation: "PutSecretValue"}, step{operation: "PutSecretValue", skip: 1}),
		Entry("of the label that keeps what is replaced", step{operation: "UpdateSecretVersionStage"}, step{operation: "DescribeSecret", skip: 1}),
		Entry("of the move", step{operation: "UpdateSecretVersionStage", skip: 1}, step{operation: "DescribeSecret", skip: 3}),
		Entry("of the deletion of what was staged", step{operation: "DeleteSecret", staged: true}, step{operation: "DeleteSecret", staged: true, skip: 1}),
	)

	Describe("Must not happen: a change applied again, over somebody's emergency undo", func() {
		var team *world.Team
		var name string
		var approving *world.Running

		// The manager dies after it moved AWSCURRENT, and before it knows.
		BeforeEach(func() {
			team = w.NewTeam(world.Options{Live: live()})
			name = team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
			team.Await(name, v1alpha1.PhasePending)
			confirming := w.AWS.HoldNext(step{operation: "DescribeSecret", skip: 3}.match(team), world.Forever)
			approving = team.As(world.Bob).Begin("sr", "approve", name, "-y")
			confirming.Await()
			w.Manager.Kill()
			Expect(team.LiveValues()).To(HaveKeyWithValue("A", w.Secret("one")))
		})

		It("by moving the label back", func() {
			_, version := team.Live(world.Production)
			previous := string(team.Change(name).Spec.BaseVersionID)
			w.Account().Must("UpdateSecretVersionStage", map[string]any{
				"SecretId": team.LiveName(world.Production), "VersionStage": "AWSCURRENT",
				"MoveToVersionId": previous, "RemoveFromVersionId": version,
			})
			w.Manager.Start()
			Expect(approving.Wait()).To(end(0, "has since been replaced"))
			team.AwaitUnstaged(name)
			values, current := team.Live(world.Production)
			Expect(values).To(Equal(live()))
			Expect(current).To(Equal(previous))
		})

		It("by writing the former values, twice", func() {
			team.SetLive(world.Production, live())
			undone := team.SetLive(world.Production, live())
			w.Manager.Start()
			Expect(approving.Wait()).To(end(4, "cannot be known"))
			team.AwaitUnstaged(name)
			values, current := team.Live(world.Production)
			Expect(values).To(Equal(live()))
			Expect(current).To(Equal(undone))
			Eventually(func() string { return team.ProjectStatus().DriftedNames }).Should(Equal(world.Production))
		})
	})

	It("leaves its work to another one, which takes over by itself", func() {
		team := w.NewTeam(world.Options{Live: live()})
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		standby := w.StartStandby()
		hold := w.AWS.HoldNext(step{operation: "UpdateSecretVersionStage", skip: 1}.match(team), world.Forever)
		approving := team.As(world.Bob).Begin("sr", "approve", name, "-y")
		hold.Await()
		w.Manager.Kill()
		Expect(approving.Wait()).To(end(0, "is applied"))
		appliedOnce(team, name)
		standby.Stop()
		w.Manager.Start()
	})

	It("ends in good order when it is asked to, and lets go of its lease", func() {
		w.Manager.Stop()
		Expect(w.Manager.LeaseHolder()).To(BeEmpty())
		w.Manager.Start()
	})
})

// movesTo counts how often AWSCURRENT was moved to a version.
func movesTo(team *world.Team, version string) int {
	GinkgoHelper()
	count := 0
	for _, call := range w.AWS.Calls() {
		moves := call.Operation == "UpdateSecretVersionStage" && slices.Contains(call.Labels, "AWSCURRENT")
		done := call.Code == "" && call.Fault != emulator.FaultDrop
		if moves && done && call.VersionID == version && call.AccessKeyID == world.ManagerAccount {
			count++
		}
	}
	return count
}
