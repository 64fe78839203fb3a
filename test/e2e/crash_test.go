package e2e

import (
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/e2e/world"
)

// step is one of the manager's calls to AWS about the live secret on the way of a change. Every one of them is killed at in
// test/crash.
type step struct {
	operation string
	// skip is how many such calls go before it.
	skip int
}

// match returns the fault, still without a kind, that strikes the step.
func (s step) match(team *world.Team) emulator.Fault {
	return emulator.Fault{Operations: []string{s.operation}, Secret: team.LiveName(world.Production), Principal: "*/" + world.ManagerAccount, Skip: s.skip}
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
