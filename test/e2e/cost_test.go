package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/e2e/world"
)

// spending counts somebody's calls about a team's secrets, by operation.
type spending map[string]int

func (s spending) total() int {
	sum := 0
	for _, n := range s {
		sum += n
	}
	return sum
}

func (s spending) String() string {
	var parts []string
	for _, operation := range slices.Sorted(maps.Keys(s)) {
		parts = append(parts, fmt.Sprintf("%d %s", s[operation], operation))
	}
	return fmt.Sprintf("%d: %s", s.total(), strings.Join(parts, ", "))
}

// spent counts the calls that somebody has made about a team's secrets after the first so many of all calls.
func spent(team *world.Team, account string, after int) spending {
	GinkgoHelper()
	s := spending{}
	for _, call := range emulator.Invocations(w.AWS.Calls()) {
		if call.Sequence > after && call.AccessKeyID == account && strings.Contains(call.Secret, team.Project) {
			s[call.Operation]++
		}
	}
	return s
}

func lastCall() int {
	GinkgoHelper()
	calls := w.AWS.Calls()
	return calls[len(calls)-1].Sequence
}

var _ = Describe("AWS is asked", func() {
	It("little about a change", func() {
		team := w.NewTeam(world.Options{Live: map[string]string{"A": w.Secret("a")}})
		// A listing that comes in the middle of a change, as it seldom does where they come in minutes, is looked into.
		w.AWS.Fail(emulator.Fault{Kind: emulator.FaultDeny, Operations: []string{"ListSecrets"}})
		By("but for two calls, once, to keep what no change wrote")
		begin := lastCall()
		first := team.As(world.Alice).Propose("--set", "A="+w.Secret("zero"))
		team.Await(first, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).SR("approve", first, "-y")).To(end(0))
		team.AwaitUnstaged(first)
		Eventually(func() string { return team.ProjectStatus().Environments[0].LastAppliedChange }).Should(Equal(first))
		Expect(spent(team, world.ManagerAccount, begin).total()).To(BeNumerically("<=", 10))

		begin = lastCall()
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		Expect(spent(team, world.Alice, begin)).To(Equal(spending{"GetSecretValue": 1, "CreateSecret": 1}))

		team.Await(name, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).SR("status")).To(end(0, name))
		Expect(team.As(world.Bob).SR("history")).To(end(0))
		Expect(spent(team, world.Bob, begin)).To(BeEmpty())
		Expect(team.As(world.Bob).SR("approve", name, "-y")).To(end(0))
		shown := spending{"GetSecretValue": 2}
		Expect(spent(team, world.Bob, begin)).To(Equal(shown), "what is staged and what is live")

		team.AwaitUnstaged(name)
		Eventually(func() string { return team.ProjectStatus().Environments[0].LastAppliedChange }).Should(Equal(name))
		manager := spent(team, world.ManagerAccount, begin)
		fmt.Printf("\nREPORT: calls to AWS for one change: propose %s; approve %s; manager %s\n", spent(team, world.Alice, begin), shown, manager)
		Expect(manager.total()).To(BeNumerically("<=", 8), manager.String())
	})

	It("nothing by an approval without values", func() {
		team := w.NewTeam(world.Options{Live: map[string]string{"A": w.Secret("a")}})
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		begin := lastCall()
		Expect(team.As(world.Bob).SR("approve", name, "-y", "--without-values")).To(end(0, "is applied"))
		Expect(spent(team, world.Bob, begin)).To(BeEmpty())
	})

	It("nothing about what does not change", func() {
		team := w.NewTeam(world.Options{Live: map[string]string{"A": w.Secret("a")}})
		begin := lastCall()
		// Listing all secrets is how drift is found.
		Eventually(func() int {
			lists := 0
			for _, call := range w.AWS.Calls() {
				if call.Sequence > begin && call.Operation == "ListSecrets" {
					lists++
				}
			}
			return lists
		}).Should(BeNumerically(">=", 2))
		Expect(spent(team, world.ManagerAccount, begin)).To(BeEmpty())
	})
})
