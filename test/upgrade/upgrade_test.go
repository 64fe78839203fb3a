// Package upgrade_test upgrades an installation of the first version, with changes in every phase, to the tree's, goes back,
// and upgrades again: with the real helm, and each version's own manager.
package upgrade_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/e2e/world"
	"github.com/secretreview/secretreview/test/suite"
)

var w *world.World

func TestUpgrade(t *testing.T) {
	log.SetLogger(GinkgoLogr)
	suite.Run(t, "An installation of the first version")
}

// change is one of a team's.
type change struct {
	team *world.Team
	name string
}

// now is the change as the API server has it.
func (c change) now() v1alpha1.SecretChange { return c.team.Change(c.name) }

// approved adds somebody's approval, as sr does, and waits for nothing.
func (c change) approved(who string) {
	GinkgoHelper()
	result := c.team.Person(who).Shell().Kubectl("-n", c.team.Namespace, "patch", "schg", c.name, "--type=json", "-p",
		`[{"op":"add","path":"/spec/reviews/-","value":{"reviewer":"`+who+`","verdict":"Approved"}}]`)
	Expect(result.Code).To(BeZero(), result.Err)
}

// status is all that is on record, as JSON has it.
func (c change) status() map[string]any {
	GinkgoHelper()
	var object struct{ Status map[string]any }
	Expect(json.Unmarshal([]byte(c.team.Admin("get", "schg", c.name, "-o", "json")), &object)).To(Succeed())
	return object.Status
}

var _ = Describe("An installation of the first version", Ordered, func() {
	const dave = "dave"
	var (
		old world.Release
		// ended are the changes that have ended by phase, with what is on record of them.
		ended  = map[string]change{}
		record = map[string]map[string]any{}
		// unreviewed, half, frozen, back and moving are those that have not.
		unreviewed, half, frozen, back, moving change
		// liveHistory is what is live of the team whose changes have all ended.
		liveHistory map[string]string
	)
	live := func() map[string]string { return map[string]string{"A": w.Secret("a"), "B": w.Secret("b")} }
	team := func(policy func(*v1alpha1.SecretProjectSpec)) *world.Team {
		GinkgoHelper()
		return w.NewTeam(world.Options{Live: live(), Policy: policy})
	}
	propose := func(t *world.Team, args ...string) change {
		GinkgoHelper()
		name := t.As(world.Alice).Propose(args...)
		t.Await(name, v1alpha1.PhasePending)
		return change{t, name}
	}
	sr := func(t *world.Team, who string, args ...string) string {
		GinkgoHelper()
		result := t.As(who).SR(args...)
		Expect(result.Code).To(BeZero(), result.Err)
		return result.Out
	}
	apply := func(c change, who ...string) {
		GinkgoHelper()
		for _, name := range who {
			c.approved(name)
		}
		c.team.Await(c.name, v1alpha1.PhaseApplied)
		c.team.AwaitReady()
	}
	goBack := func(t *world.Team, to string) change {
		GinkgoHelper()
		before := map[string]bool{}
		for _, c := range t.Changes() {
			before[c.Name] = true
		}
		sr(t, world.Alice, "rollback", to, "-r", "It broke the login", "-y")
		for _, c := range t.Changes() {
			if !before[c.Name] {
				t.Await(c.Name, v1alpha1.PhasePending)
				return change{t, c.Name}
			}
		}
		Fail("the rollback was not proposed")
		return change{}
	}
	keepsWhatHasEnded := func() {
		GinkgoHelper()
		for phase, c := range ended {
			Expect(covers(c.status(), record[phase])).To(Succeed(), "%s, which had ended as %s", c.name, phase)
		}
		Expect(ended["Applied"].team.LiveValues()).To(Equal(liveHistory))
	}

	BeforeAll(func(ctx SpecContext) {
		SetDefaultEventuallyTimeout(world.Patience)
		dir := GinkgoT().TempDir()
		var there bool
		var err error
		old, there, err = first(dir)
		Expect(err).NotTo(HaveOccurred())
		if !there {
			fmt.Println("\nREPORT: upgrades from the first version were left out, because the repository's history is not here")
			Skip("there is no history")
		}
		w, err = world.StartOn(ctx, old)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func(ctx SpecContext) { Expect(w.Stop(ctx)).To(Succeed()) })
	})

	It("gets changes into every phase", func() {
		expiring := team(func(p *v1alpha1.SecretProjectSpec) { p.ChangeTTL = &metav1.Duration{Duration: time.Minute} })
		ended["Expired"] = propose(expiring, "--set", "A="+w.Secret("late"))

		history := team(nil)
		ended["Applied"] = propose(history, "--set", "A="+w.Secret("one"))
		apply(ended["Applied"], world.Bob)
		undone := propose(history, "--set", "B="+w.Secret("two"))
		ended["Conflicted"] = propose(history, "--set", "C="+w.Secret("three"))
		apply(undone, world.Bob)
		history.Await(ended["Conflicted"].name, v1alpha1.PhaseConflicted)
		ended["rolled back"] = undone
		ended["a rollback"] = goBack(history, undone.name)
		apply(ended["a rollback"], world.Bob)
		ended["Rejected"] = propose(history, "--set", "A="+w.Secret("no"))
		sr(history, world.Bob, "reject", ended["Rejected"].name, "-y", "-c", "not now")
		ended["withdrawn"] = propose(history, "--set", "A="+w.Secret("oh"))
		sr(history, world.Alice, "reject", ended["withdrawn"].name, "-y")
		alice := history.As(world.Alice)
		manifest := alice.Manifest("--set", "A="+w.Secret("swapped"))
		manifest.Spec.Staged.Digest = "sha256:" + strings.Repeat("0", 64)
		Expect(alice.Create(manifest).Code).To(BeZero())
		ended["Invalid"] = change{history, manifest.Name}
		liveHistory = history.LiveValues()

		unreviewed = propose(team(nil), "--set", "A="+w.Secret("later"))
		half = propose(w.NewTeam(world.Options{
			Live: live(), Policy: func(p *v1alpha1.SecretProjectSpec) { p.Environments[0].RequiredApprovals = ptr.To[int32](2) },
			Approvers: []string{world.Bob, world.Carol, dave},
		}), "--set", "A="+w.Secret("later"))
		half.approved(world.Bob)
		freeze := team(nil)
		frozen = propose(freeze, "--set", "A="+w.Secret("later"))
		freeze.PatchProject(`{"suspend":true}`)
		frozen.approved(world.Bob)
		freeze.AwaitReason(frozen.name, v1alpha1.ConditionApplied, v1alpha1.ReasonFrozen)
		applied := propose(team(nil), "--set", "A="+w.Secret("one"))
		apply(applied, world.Bob)
		back = goBack(applied.team, applied.name)

		for phase, c := range ended {
			Eventually(func() bool {
				return c.now().Status.Phase.Finished() && (phase == "Conflicted" || len(c.now().Finalizers) == 0)
			}).Should(BeTrue(), phase)
			record[phase] = c.status()
		}

		By("the last one while it is being made live")
		moving = propose(team(nil), "--set", "A="+w.Secret("moved"))
		// The first such call keeps what is replaced.
		hold := w.AWS.HoldNext(emulator.Fault{
			Operations: []string{"UpdateSecretVersionStage"}, Secret: moving.team.LiveName(world.Production), Principal: "*/" + world.ManagerAccount, Skip: 1,
		}, world.Forever)
		moving.approved(world.Bob)
		hold.Await()
		w.Manager.Kill()
		Expect(moving.now().Status.Attempt).NotTo(BeNil())
		Expect(moving.now().Status.Phase).To(Equal(v1alpha1.PhaseApproved))
	})

	It("is upgraded, finishes what was under way, and keeps what has ended", func(ctx SpecContext) {
		w.Upgrade(ctx, world.Release{})
		approve(moving, world.Carol)
		applied := moving.team.Await(moving.name, v1alpha1.PhaseApplied)
		values, version := moving.team.Live(world.Production)
		Expect(values).To(HaveKeyWithValue("A", w.Secret("moved")))
		Expect(applied.Status.AppliedVersionID).To(Equal(version))
		Expect(frozen.now().Status.Phase.Finished()).To(BeFalse())
		Expect(frozen.team.LiveValues()).To(Equal(live()))
		keepsWhatHasEnded()
	})

	It("lets those that waited be reviewed, and makes them live", func() {
		sr(unreviewed.team, world.Bob, "approve", unreviewed.name, "-y")
		unreviewed.team.Await(unreviewed.name, v1alpha1.PhaseApplied)
		Expect(unreviewed.team.LiveValues()).To(HaveKeyWithValue("A", w.Secret("later")))
		apply(back, world.Bob)
		Expect(back.team.LiveValues()).To(Equal(live()))

		By("with the approvals of before where the policies are the same, or else with those of others")
		approve(half, world.Carol, dave)
		frozen.team.PatchProject(`{"suspend":false}`)
		approve(frozen, world.Carol)
		for _, c := range []change{half, frozen} {
			c.team.Await(c.name, v1alpha1.PhaseApplied)
			Expect(c.team.LiveValues()).To(HaveKeyWithValue("A", w.Secret("later")))
			c.team.AwaitUnstaged(c.name)
		}
		keepsWhatHasEnded()
	})

	It("rebases what had conflicted before, and goes back by what the first version wrote", func() {
		history := ended["Conflicted"].team
		sr(history, world.Alice, "rebase", ended["Conflicted"].name, "-r", "anew")
		for _, c := range history.Changes() {
			if !c.Status.Phase.Finished() {
				apply(change{history, c.Name}, world.Bob)
			}
		}
		Expect(history.LiveValues()).To(HaveKeyWithValue("C", w.Secret("three")))
		apply(goBack(history, ended["Applied"].name), world.Bob)
		Expect(history.LiveValues()).To(Equal(map[string]string{"A": w.Secret("a"), "B": w.Secret("b"), "C": w.Secret("three")}))
		liveHistory = history.LiveValues()
		// The rebase has ended its need of what was staged.
		delete(record["Conflicted"], "stagedDeleted")
		keepsWhatHasEnded()
	})

	It("is rolled back, and goes on", func(ctx SpecContext) {
		waiting := propose(unreviewed.team, "--set", "B="+w.Secret("between"))
		w.RollBack(ctx, "1", old)
		approve(waiting, world.Carol)
		waiting.team.Await(waiting.name, v1alpha1.PhaseApplied)
		Expect(waiting.team.LiveValues()).To(HaveKeyWithValue("B", w.Secret("between")))
		apply(propose(half.team, "--set", "B="+w.Secret("back")), world.Bob, world.Carol)
		keepsWhatHasEnded()
	})

	It("is upgraded once more", func(ctx SpecContext) {
		waiting := propose(back.team, "--set", "B="+w.Secret("again"))
		w.Upgrade(ctx, world.Release{})
		approve(waiting, world.Bob)
		waiting.team.Await(waiting.name, v1alpha1.PhaseApplied)
		keepsWhatHasEnded()
		Expect(w.Manager.Log()).NotTo(Or(ContainSubstring("DATA RACE"), ContainSubstring("panic")))
		Expect(w.Where(w.Mark)).To(BeEmpty())
	})
})

// approve gives as many approvals as are still missing, by people who have not approved yet; one that was given before
// counts as long as the policies are what they were.
func approve(c change, others ...string) {
	GinkgoHelper()
	Eventually(func() bool {
		now := c.now()
		if now.Status.Phase == v1alpha1.PhaseApplied {
			return true
		}
		if now.Status.Phase == v1alpha1.PhasePending {
			for _, who := range append(others, world.Bob, world.Carol) {
				if !slices.ContainsFunc(now.Spec.Reviews, func(r v1alpha1.Review) bool { return r.Reviewer == who }) {
					c.approved(who)
					break
				}
			}
		}
		return false
	}).WithPolling(time.Second).Should(BeTrue(), func() string {
		now, _ := json.Marshal(c.now())
		return string(now)
	})
}

// covers reports where a record lacks something that another has. What a newer version adds is no difference.
func covers(now, before any) error {
	if then, ok := before.(map[string]any); ok {
		is, ok := now.(map[string]any)
		if !ok {
			return fmt.Errorf("%v has become %v", before, now)
		}
		for key, value := range then {
			if err := covers(is[key], value); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
		return nil
	}
	a, _ := json.Marshal(now)
	b, _ := json.Marshal(before)
	if string(a) != string(b) {
		return fmt.Errorf("%s has become %s", b, a)
	}
	return nil
}
