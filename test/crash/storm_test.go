package crash_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

const (
	// killsARound are followed by a look at everything. AWS keeps 100 versions of a secret that are younger than a day.
	killsARound = 15
	// mostCalls is how many calls managers make at most before one is killed; a start takes about 40.
	mostCalls = 150
	// pace is how often somebody does something.
	pace = 200 * time.Millisecond
)

// policies are those of the teams at work.
var policies = []func(*v1alpha1.SecretProjectSpec){
	nil,
	func(s *v1alpha1.SecretProjectSpec) { s.ConflictPolicy = v1alpha1.ConflictByKey },
	func(s *v1alpha1.SecretProjectSpec) { s.Environments[0].RequiredApprovals = ptr.To[int32](2) },
	func(s *v1alpha1.SecretProjectSpec) { s.VersionHistory = ptr.To[int32](2) },
	func(s *v1alpha1.SecretProjectSpec) {
		s.ConflictPolicy, s.ChangeTTL = v1alpha1.ConflictByKey, &metav1.Duration{Duration: time.Minute}
	},
	func(s *v1alpha1.SecretProjectSpec) {
		s.ConflictPolicy, s.Environments[0].RequiredApprovals = v1alpha1.ConflictByKey, ptr.To[int32](2)
	},
}

// storm is what happens to calls, and when a manager is killed.
type storm struct {
	aws *emulator.Emulator
	// mu is for what follows: a call may still be on its way when its manager is dead.
	mu     sync.Mutex
	random *rand.Rand
	// left is how many calls pass before struck is closed.
	left   int
	struck chan struct{}
	calls  int
	faults map[string]int
}

// next waits for so many calls, and no more than most. It returns how many managers are to be at work, mostly one, and what
// tells that their end has come.
func (s *storm) next(most int) (managers int, struck <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left, s.struck = 1+s.random.IntN(most), make(chan struct{})
	return 1 + s.random.IntN(4)/3, s.struck
}

// count takes notice of something.
func (s *storm) count(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[what]++
}

// disturb sees calls one at a time.
func (s *storm) disturb(c call) disturbance {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.left--; s.left == 0 {
		close(s.struck)
	}
	of := 100
	if c.project == "" {
		of = 1000 // or few would get beyond their start
	}
	switch dice := s.random.IntN(of); {
	case dice < 1:
		s.faults["dropped"]++
		return dropped
	case dice < 3:
		s.faults["lost"]++
		return lost
	case dice < 10 && strings.Contains(c.what, "Secret"):
		s.inject(c)
	}
	return undisturbed
}

// inject has AWS fail, or be slow or behind, at the next call of the kind.
func (s *storm) inject(c call) {
	operation, _, _ := strings.Cut(c.what, " ")
	fault := emulator.Fault{Operations: []string{operation}, Principal: "*/" + managerKey, Count: 1}
	kinds := []emulator.FaultKind{emulator.FaultThrottle, emulator.FaultInternal, emulator.FaultUnavailable, emulator.FaultDeny,
		emulator.FaultDelay, emulator.FaultStale, emulator.FaultStale, emulator.FaultStale}
	fault.Kind = kinds[s.random.IntN(len(kinds))]
	fault.Delay = time.Duration(s.random.IntN(500)) * time.Millisecond
	fault.Age = time.Duration(s.random.Int64N(int64(grace / 2)))
	if operation == listing {
		fault.Age = time.Duration(s.random.Int64N(int64(5 * time.Minute)))
	}
	s.faults[string(fault.Kind)]++
	s.aws.Inject(fault)
}

// crowd are the people of a team, who do anything at any time.
type crowd struct {
	*team
	random *rand.Rand
	values int
}

// work goes on until ctx ends.
func (c *crowd) work(ctx context.Context) error {
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if err := c.act(); err != nil && !usual(err) {
			return fmt.Errorf("%s: %w", c.project, err)
		}
	}
}

// usual reports whether an error is one of those that people live with: what they mean is gone, they may not do it to somebody
// else's change, or the machine is so busy that they do not learn what became of it.
func usual(err error) bool {
	return apierrors.IsNotFound(err) || apierrors.IsForbidden(err) || apierrors.IsTimeout(err) || apierrors.IsServerTimeout(err) ||
		apierrors.IsTooManyRequests(err)
}

// any is an edit of some keys, to values that were never there.
func (c *crowd) any() edit {
	keys := []string{"A", "B", "C", "D", "E"}
	c.values++
	e := edit{set: values{keys[c.random.IntN(len(keys))]: fmt.Sprintf("%d-%d", c.random.Uint64(), c.values)}}
	if c.random.IntN(3) == 0 {
		if key := keys[c.random.IntN(len(keys))]; e.set[key] == "" {
			e.unset = []string{key}
		}
	}
	return e
}

func (c *crowd) act() error {
	all, err := c.changes(c.project)
	if err != nil {
		return err
	}
	var open, applied []string
	for _, change := range all {
		switch {
		case !change.Status.Phase.Finished():
			open = append(open, change.Name)
		case change.Status.Phase == v1alpha1.PhaseApplied:
			applied = append(applied, change.Name)
		}
	}
	dice := c.random.IntN(100)
	switch {
	case dice < 1:
		return c.edit(c.any())
	case dice < 2:
		return c.undo()
	case dice < 4:
		_, err := c.goBack([]string{alice, dave}[c.random.IntN(2)], adopting)
		return err
	case dice < 15 && len(applied) > 0:
		aim := []func(string) func(*v1alpha1.SecretChangeSpec){undoing, restoring}[c.random.IntN(2)]
		_, err := c.goBack([]string{alice, dave}[c.random.IntN(2)], aim(applied[c.random.IntN(len(applied))]))
		return err
	case len(open) < 4 && dice < 50:
		_, err := c.propose(c.any())
		return err
	case len(open) == 0:
		return nil
	}
	return c.judge(open[c.random.IntN(len(open))])
}

// judge says something to a change that has not ended.
func (c *crowd) judge(change string) error {
	switch dice := c.random.IntN(100); {
	case dice < 1:
		return c.remove(change)
	case dice < 2:
		return c.review(alice, change, v1alpha1.VerdictRejected)
	case dice < 4:
		return c.review(bob, change, v1alpha1.VerdictRejected)
	case dice < 50:
		return c.review(carol, change, v1alpha1.VerdictApproved)
	default:
		return c.review(bob, change, v1alpha1.VerdictApproved)
	}
}

// crowds makes a team for each policy, with people at work until the returned function is called, which says what they met with.
func crowds(random *rand.Rand) (teams []*team, stop func() error) {
	GinkgoHelper()
	ctx, cancel := context.WithCancel(context.Background())
	var working sync.WaitGroup
	failed := make(chan error, 2*len(policies))
	for _, policy := range policies {
		t, err := at.newTeam(values{"A": "a", "B": "b"}, policy)
		Expect(err).NotTo(HaveOccurred())
		t.trims = true
		var spec v1alpha1.SecretProjectSpec
		spec.Environments = make([]v1alpha1.Environment, 1)
		if policy != nil {
			policy(&spec)
		}
		t.quorum = int(ptr.Deref(spec.Environments[0].RequiredApprovals, 1))
		teams = append(teams, t)
		for range 2 {
			c := &crowd{team: t, random: rand.New(rand.NewPCG(random.Uint64(), 0))}
			working.Go(func() {
				if err := c.work(ctx); err != nil {
					failed <- err
				}
			})
		}
	}
	return teams, func() error {
		cancel()
		working.Wait()
		close(failed)
		return <-failed
	}
}

// restAll waits until all teams are at rest.
func restAll(teams []*team) {
	GinkgoHelper()
	var failed []string
	for _, t := range teams {
		if err := t.rest(true); err != nil {
			failed = append(failed, err.Error())
		}
	}
	Expect(failed).To(BeEmpty())
}

var _ = Describe("A manager that is killed at random, while people are at work and AWS is not well", func() {
	It("loses nothing, and does nothing twice", func() {
		random := seeded()
		ended := map[string]int{}
		s := &storm{random: random, aws: at.aws, faults: map[string]int{}}
		for left := *kills; left > 0; left -= killsARound {
			teams := round(s, min(left, killsARound))
			for _, t := range teams {
				all, err := t.site.changes(t.project)
				Expect(err).NotTo(HaveOccurred())
				for _, c := range all {
					ended[string(c.Status.Phase)]++
				}
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		fmt.Printf("\nREPORT: %d kills at random within %d calls, of which %s; changes: %s\n", *kills, s.calls, counted(s.faults), counted(ended))
	})
})

// round kills managers so often, and returns who was at work, once all are at rest.
func round(s *storm, kills int) []*team {
	GinkgoHelper()
	s.mu.Lock()
	teams, stop := crowds(s.random)
	behind := rand.New(rand.NewPCG(s.random.Uint64(), 0))
	s.mu.Unlock()
	defer at.gate.trouble(nil, nil)
	var mu sync.Mutex
	lag := func() {
		mu.Lock()
		wait := time.Duration(max(0, behind.IntN(2000)-1500)) * time.Millisecond
		mu.Unlock()
		<-time.After(wait)
	}
	for range kills {
		managers, struck := s.next(mostCalls)
		at.gate.trouble(s.disturb, lag)
		s.live(managers, struck)
		at.gate.trouble(nil, nil)
	}
	Expect(stop()).To(Succeed())
	at.aws.ClearFaults()
	m := at.start(time.Second)
	restAll(teams)
	m.kill()
	return teams
}

// live has so many managers at work at once until the moment to kill them. One that cannot begin its work ends, and is started
// again, as a Deployment would.
func (s *storm) live(count int, struck <-chan struct{}) {
	GinkgoHelper()
	managers := make([]*manager, count)
	Eventually(func() bool {
		for i, m := range managers {
			if m != nil && m.Running() {
				continue
			}
			if m != nil {
				Expect(m.Exited()).NotTo(MatchError(ContainSubstring("panic")))
				s.count("start in vain")
			}
			managers[i] = at.start(time.Second, "--aws-request-timeout=5s")
		}
		select {
		case <-struck:
			return true
		default:
			return false
		}
	}).Should(BeTrue())
	for _, m := range managers {
		Expect(m.Process.Kill()).To(Succeed())
	}
}

func counted(all map[string]int) string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(all)) {
		parts = append(parts, fmt.Sprintf("%d %s", all[what], what))
	}
	return strings.Join(parts, ", ")
}
