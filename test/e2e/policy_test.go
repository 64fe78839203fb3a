package e2e

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/test/e2e/world"
)

// expiring was proposed when the suite began, so that nobody has to wait a minute for its end.
var expiring struct {
	team *world.Team
	name string
}

func proposeExpiring() {
	expiring.team = w.NewTeam(world.Options{
		Live:   map[string]string{"TOKEN": w.Secret("first")},
		Policy: func(p *v1alpha1.SecretProjectSpec) { p.ChangeTTL = &metav1.Duration{Duration: time.Minute} },
	})
	expiring.name = expiring.team.As(world.Alice).Propose("--set", "TOKEN="+w.Secret("second"))
}

var _ = Describe("A project's policy", func() {
	live := func() map[string]string { return map[string]string{"TOKEN": w.Secret("first")} }

	It("that asks for two approvals gets them from two people", func() {
		team := w.NewTeam(world.Options{Live: live(), Policy: func(p *v1alpha1.SecretProjectSpec) {
			p.Environments[0].RequiredApprovals = ptr.To[int32](2)
		}})
		name := team.As(world.Alice).Propose("--set", "TOKEN="+w.Secret("second"))
		team.Await(name, v1alpha1.PhasePending)
		bob := team.As(world.Bob)
		Expect(bob.SR("approve", name, "-y")).To(end(0, "has 1/2 approvals: 1 more needed"))
		Expect(bob.SR("approve", name, "-y")).To(end(0, "already approved"))
		Expect(team.Change(name).Status).To(And(HaveField("Phase", v1alpha1.PhasePending), HaveField("Approvals", "1/2")))
		Expect(team.As(world.Carol).SR("approve", name, "-y")).To(end(0, "is applied"))
		Expect(team.LiveValues()).To(HaveKeyWithValue("TOKEN", w.Secret("second")))
		Expect(team.Change(name).Status.Decision.Approvers).To(ConsistOf(world.Bob, world.Carol))
	})

	It("that freezes changes lets them be approved, and holds them until it ends", func() {
		team := w.NewTeam(world.Options{Live: live(), Policy: func(p *v1alpha1.SecretProjectSpec) { p.Suspend = ptr.To(true) }})
		proposed := team.As(world.Alice).SR("propose", "-r", "because", "--set", "TOKEN="+w.Secret("second"))
		Expect(proposed).To(end(0, "is suspended"))
		name := team.Changes()[0].Name
		team.Await(name, v1alpha1.PhasePending)
		approving := team.As(world.Bob).Begin("sr", "approve", name, "-y")
		team.AwaitReason(name, v1alpha1.ConditionApplied, v1alpha1.ReasonFrozen)
		Expect(team.LiveValues()).To(Equal(live()))
		team.PatchProject(`{"suspend":false}`)
		Expect(approving.Wait()).To(end(0, "is applied"))
		Expect(team.LiveValues()).To(HaveKeyWithValue("TOKEN", w.Secret("second")))
	})

	It("that gives changes a minute lets them expire", func() {
		team, name := expiring.team, expiring.name
		Eventually(func() v1alpha1.Phase { return team.Change(name).Status.Phase }).Should(Equal(v1alpha1.PhaseExpired))
		Expect(team.As(world.Bob).SR("approve", name, "-y")).To(fail(3, "already ended as Expired"))
		team.AwaitUnstaged(name)
		Expect(team.LiveValues()).To(Equal(live()))
	})

	It("that lets people approve what they proposed does so", func() {
		team := w.NewTeam(world.Options{
			Live: live(), Proposers: []string{world.Alice}, Approvers: []string{world.Alice},
			Policy: func(p *v1alpha1.SecretProjectSpec) { p.PreventSelfApproval = ptr.To(false) },
		})
		alice := team.As(world.Alice)
		name := alice.Propose("--set", "TOKEN="+w.Secret("second"))
		team.Await(name, v1alpha1.PhasePending)
		Expect(alice.SR("approve", name, "-y")).To(end(0))
		Expect(team.LiveValues()).To(HaveKeyWithValue("TOKEN", w.Secret("second")))
	})

	It("that prevents it is kept by the API server too", func() {
		team := w.NewTeam(world.Options{Live: live(), Approvers: []string{world.Alice, world.Bob}})
		alice := team.As(world.Alice)
		name := alice.Propose("--set", "TOKEN="+w.Secret("second"))
		team.Await(name, v1alpha1.PhasePending)
		patched := alice.Kubectl("patch", "schg", name, "-n", team.Namespace, "--type=json",
			"-p", `[{"op":"add","path":"/spec/reviews/-","value":{"reviewer":"alice","verdict":"Approved"}}]`)
		Expect(patched).To(end(1, "denied request"))
		Expect(team.Change(name).Spec.Reviews).To(BeEmpty())
	})

	It("that limits what a person may have pending ends one that is too many", func() {
		team := w.NewTeam(world.Options{Live: live(), Policy: func(p *v1alpha1.SecretProjectSpec) { p.PendingLimit = ptr.To[int32](1) }})
		alice := team.As(world.Alice)
		first := alice.Propose("--set", "TOKEN="+w.Secret("second"))
		team.Await(first, v1alpha1.PhasePending)
		second := alice.Propose("--set", "TOKEN="+w.Secret("third"))
		Expect(team.Await(second, v1alpha1.PhaseInvalid).Status.Message).To(ContainSubstring("withdraw some first"))
		team.AwaitUnstaged(second)
		Expect(team.Change(first).Status.Phase).To(Equal(v1alpha1.PhasePending))
	})
})
