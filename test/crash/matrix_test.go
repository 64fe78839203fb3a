package crash_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// point is a moment at which a manager dies: before or after the nth of a call on a path.
type point struct {
	path *path
	// what is the call, "" any.
	what  string
	nth   int
	after bool
}

func (p point) String() string {
	switch {
	case p.nth == 0:
		return p.path.name
	case p.after:
		return fmt.Sprintf("%s, killed after %s number %d", p.path.name, cmp.Or(p.what, "call"), p.nth)
	default:
		return fmt.Sprintf("%s, killed before %s number %d", p.path.name, cmp.Or(p.what, "call"), p.nth)
	}
}

// listing is the call that is about no project, and about all.
const listing = "ListSecrets"

// player is a team on its path.
type player struct {
	*team
	path *path
	// from is what prepare returned.
	from string
	// point is where its manager dies, without a number for nowhere; trap is what the next of its calls is caught by, or nil.
	point point
	trap  *trap
	// done is closed once the path has been gone to its end, or err is set.
	done chan struct{}
	err  error
}

func (p *player) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func (p *player) held() bool { return p.trap != nil && p.trap.holds() }

// set sets a trap for the next calls, or none.
func (p *player) set(t *trap) {
	p.trap = t
	p.gate.set(p.project, nil)
	if t != nil && t.what == listing {
		p.gate.set("", t)
		return
	}
	p.gate.set(p.project, t)
}

// begin makes a team for each point, all at once, and has those play that get so far.
func begin(points []point) []*player {
	GinkgoHelper()
	players := make([]*player, len(points))
	var all sync.WaitGroup
	for i, where := range points {
		all.Go(func() { players[i] = prepare(where) })
	}
	all.Wait()
	for _, p := range players {
		Expect(p.err).NotTo(HaveOccurred(), p.path.name)
		if p.set(nil); p.point.nth > 0 {
			p.set(trapAt(p.point.what, p.point.nth, p.point.after))
		}
		go p.play()
	}
	return players
}

func prepare(where point) *player {
	p := &player{path: where.path, point: where, done: make(chan struct{})}
	live := values{"A": "a", "B": "b"}
	if p.path.empty {
		live = nil
	}
	if p.team, p.err = at.newTeam(live, p.path.policy); p.err != nil {
		return p
	}
	p.trims = p.path.policy != nil
	if p.err = p.ready(); p.err == nil && p.path.prepare != nil {
		p.from, p.err = p.path.prepare(p.team)
	}
	return p
}

func (p *player) play() {
	defer close(p.done)
	if p.err = p.path.play(p.team, p.from); p.err == nil {
		p.err = p.rest(false)
	}
}

// rest waits until nothing is to be done any more.
func (t *team) rest(listed bool) error {
	var broken []string
	err := t.until("everything to be as it must", func() (bool, error) {
		broken = t.violations(listed)
		return len(broken) == 0, nil
	})
	if err != nil {
		return fmt.Errorf("%w: %s", err, strings.Join(broken, "; "))
	}
	return nil
}

// catch waits until each player's call is held, or none will be, and returns how many are.
func catch(players []*player) int {
	GinkgoHelper()
	Eventually(func() []string {
		var left []string
		for _, p := range players {
			if !p.ended() && !p.held() {
				left = append(left, p.point.String())
			}
		}
		return left
	}).Should(BeEmpty(), "neither held nor at an end")
	n := 0
	for _, p := range players {
		if p.held() && !p.trap.gone.Load() {
			n++
		}
	}
	return n
}

// finish waits until all have gone their paths to the end, and have a record of it.
func finish(players []*player) {
	GinkgoHelper()
	var failed []string
	for _, p := range players {
		<-p.done
		if p.err == nil {
			p.err = p.rest(true)
		}
		if p.err != nil {
			failed = append(failed, p.point.String()+": "+p.err.Error())
		}
	}
	Expect(failed).To(BeEmpty())
}

// learn has players that nothing happens to go their paths, and returns the points at which a manager can die there.
func learn(players []*player) []point {
	GinkgoHelper()
	var points []point
	for _, p := range players {
		<-p.done
		Expect(p.err).NotTo(HaveOccurred())
		seen := map[string]int{}
		calls := p.gate.seen(p.project)
		fmt.Printf("\nREPORT: %d calls: %s\n", len(calls), p.path.name)
		for _, c := range calls {
			seen[c.what]++
			points = append(points, point{p.path, c.what, seen[c.what], false}, point{p.path, c.what, seen[c.what], true})
		}
	}
	return points
}

// crash kills the manager once each player's call is held, starts another, kills that one once a random call of what it does
// then is held, starts a third, and waits until all have come to rest.
func crash(what string, players []*player, m *manager, every time.Duration, random *rand.Rand) {
	GinkgoHelper()
	points := 0
	for _, p := range players {
		if p.trap != nil {
			points++
		}
	}
	held := catch(players)
	for _, p := range players {
		p.set(trapAt("", 1+random.IntN(5), random.IntN(2) == 0))
	}
	m.kill()
	m = at.start(every)
	again := catch(players)
	for _, p := range players {
		p.set(nil)
	}
	m.kill()
	m = at.start(time.Second)
	finish(players)
	m.kill()
	fmt.Printf("\nREPORT: killed at %d of %d points of %s, and again at %d in what followed\n", held, points, what, again)
	Expect(held).To(BeNumerically(">=", points*3/4), "calls come as they came before")
}

// points are the same for each of some paths.
func points(of []*path, like ...point) []point {
	var all []point
	for _, p := range of {
		for _, where := range like {
			where.path = p
			all = append(all, where)
		}
	}
	return all
}

// some are one of every so many points.
func some(points []point, random *rand.Rand) []point {
	var chosen []point
	for i := random.IntN(*every); i < len(points); i += *every {
		chosen = append(chosen, points[i])
	}
	return chosen
}

// which are the paths of a kind.
func which(want func(*path) bool) []*path {
	var some []*path
	for i := range paths {
		if want(&paths[i]) {
			some = append(some, &paths[i])
		}
	}
	return some
}

// seeded is randomness that can be had again.
func seeded() *rand.Rand {
	chosen := cmp.Or(*seed, rand.Uint64())
	fmt.Printf("\nREPORT: again with -crash.seed=%d\n", chosen)
	return rand.New(rand.NewPCG(chosen, chosen))
}

// atOnce is how many teams are at work at once; hurriedAtOnce, how many of those whose calls must not be held for long.
const (
	atOnce        = 120
	hurriedAtOnce = 12
)

var _ = Describe("A manager that is killed before or after any call", func() {
	var random *rand.Rand
	BeforeEach(func() { random = seeded() })

	It("ends each path as if nothing had happened", func() {
		m := at.start(listingSeldom)
		By("those that take their time, without being known before")
		slow := which(func(p *path) bool { return p.slow })
		waiting := begin(append(points(slow, point{}), some(points(slow, beginnings...), random)...))
		By("learning the others")
		teachers := begin(points(which(func(p *path) bool { return !p.slow && !p.alone }), point{}))
		var hurried, patient []point
		for _, p := range some(learn(teachers), random) {
			if p.what == theWrite || p.what == theMove {
				hurried = append(hurried, p)
			} else {
				patient = append(patient, p)
			}
		}
		first := patient[:min(atOnce, len(patient))]
		crash("paths", slices.Concat(waiting, teachers, begin(first)), m, listingSeldom, random)
		for batch := range slices.Chunk(patient[len(first):], atOnce) {
			m = at.start(listingSeldom)
			crash("paths", begin(batch), m, listingSeldom, random)
		}
		// Managers give these calls up after some seconds.
		for batch := range slices.Chunk(hurried, hurriedAtOnce) {
			m = at.start(listingSeldom)
			crash("what must be done in time", begin(batch), m, listingSeldom, random)
		}
	})

	It("ends what follows from a listing, too", func() {
		for _, p := range which(func(p *path) bool { return p.alone }) {
			m := at.start(time.Second)
			teacher := begin(points([]*path{p}, point{}))
			all := append(learn(teacher), points([]*path{p}, point{what: listing, nth: 1}, point{what: listing, nth: 1, after: true})...)
			m.kill()
			for _, where := range some(all, random) {
				m = at.start(time.Second)
				crash(p.name, begin([]point{where}), m, time.Second, random)
			}
		}
	})

	It("starts again, wherever it was in its start", func() {
		m := at.start(listingSeldom)
		team, err := at.newTeam(values{"A": "a"}, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(team.ready()).To(Succeed())
		name, err := team.pending(one)
		Expect(err).NotTo(HaveOccurred())
		m.kill()
		By("learning how it starts")
		Expect(team.review(bob, name, v1alpha1.VerdictApproved)).To(Succeed())
		at.gate.set("", nil)
		m = at.start(listingSeldom)
		Expect(team.await(name, v1alpha1.PhaseApplied)).To(Succeed())
		Expect(team.rest(false)).To(Succeed())
		calls := at.gate.seen("")
		m.kill()
		fmt.Printf("\nREPORT: %d calls: start\n", len(calls))
		name, err = team.propose(two)
		Expect(err).NotTo(HaveOccurred())
		Expect(team.review(bob, name, v1alpha1.VerdictApproved)).To(Succeed())
		var all []point
		for i := range calls {
			all = append(all, point{nth: i + 1}, point{nth: i + 1, after: true})
		}
		held := 0
		chosen := some(all, random)
		for _, where := range chosen {
			trap := trapAt("", where.nth, where.after)
			at.gate.set("", trap)
			m = at.start(listingSeldom)
			Eventually(func() bool { return trap.holds() || team.applied(name) }).Should(BeTrue())
			if trap.holds() {
				held++
			}
			m.kill()
		}
		at.gate.set("", nil)
		m = at.start(time.Second)
		Expect(team.await(name, v1alpha1.PhaseApplied)).To(Succeed())
		Expect(team.rest(true)).To(Succeed())
		m.kill()
		fmt.Printf("\nREPORT: killed at %d of %d points of start\n", held, len(chosen))
	})
})

// applied reports whether a change is.
func (t *team) applied(name string) bool {
	c, err := t.get(name)
	return err == nil && c.Status.Phase == v1alpha1.PhaseApplied
}

// beginnings are more points than slow paths have.
var beginnings = func() []point {
	var all []point
	for nth := 1; nth <= 6; nth++ {
		all = append(all, point{nth: nth}, point{nth: nth, after: true})
	}
	return all
}()
