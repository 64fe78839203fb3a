package simulation_test

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
)

// steps is how long a schedule is, before it comes to rest.
const steps = 110

// most bounds how many changes a schedule makes.
const most = 9

// action is one thing that happens beside the managers' work.
type action struct {
	weight int
	do     func(*world)
}

var actions = []action{
	{8, func(w *world) { w.whileFew(w.propose) }},
	{4, func(w *world) { w.whileFew(w.revert) }},
	{1, func(w *world) { w.whileFew(w.adopt) }},
	{2, func(w *world) { w.whileFew(w.attack) }},
	{26, func(w *world) { w.review(v1alpha1.VerdictApproved) }},
	{2, func(w *world) { w.review(v1alpha1.VerdictRejected) }},
	{1, (*world).withdraw},
	{6, (*world).meddle},
	{2, func(w *world) { w.mendAWS() }},
	{1, (*world).spoil},
	{4, (*world).administer},
	{2, (*world).purge},
	{1, (*world).lapse},
	{3, (*world).forge},
	{3, (*world).mend},
	{3, (*world).leap},
	{2, (*world).jump},
	{2, (*world).takeOver},
	{6, func(w *world) { w.anyManager().projects(false) }},
	{4, func(w *world) { w.anyManager().projects(true) }},
	{2, func(w *world) { w.anyManager().sweep() }},
	{2, func(w *world) { w.anyManager().trim() }},
}

var totalWeight = func() (sum int) {
	for _, a := range actions {
		sum += a.weight
	}
	return sum
}()

func (w *world) act() {
	at := w.pick(totalWeight)
	for _, a := range actions {
		if at -= a.weight; at < 0 {
			a.do(w)
			return
		}
	}
}

func (w *world) whileFew(do func()) {
	if len(w.ordered) < most {
		do()
	}
}

// withdraw is a proposer who thinks again.
func (w *world) withdraw() {
	if open := w.open(); len(open) > 0 {
		r := open[w.pick(len(open))]
		w.give(r, w.books[string(r.UID)].proposer, r.Spec.ProposedBy, v1alpha1.VerdictRejected)
	}
}

// leap is time in which nothing else happens.
func (w *world) leap() {
	until := w.now.Add(w.within([]time.Duration{2 * time.Minute, time.Hour, 40 * time.Hour}[w.pick(3)]))
	for len(w.aws.delayed) > 0 && w.aws.delayed[0].at.Before(until) {
		w.now = w.aws.delayed[0].at
		w.aws.tick()
	}
	w.now = until
	w.happened("time: it passes")
}

// jump sets a manager's clock.
func (w *world) jump() {
	if w.wild {
		m := w.anyManager()
		m.offset = w.within(2*time.Hour) - time.Hour
		if w.pick(3) == 0 {
			m.offset = 0
		}
		w.happened("time: a clock jumps")
		w.tellf("the clock of %s is %s ahead", m.workers[0].name(), m.offset)
	}
}

func (w *world) anyManager() *manager { return w.managers[w.pick(len(w.managers))] }

// takeOver lets another manager lead, while the one before may not know yet.
func (w *world) takeOver() {
	if len(w.managers) > 1 {
		i := w.pick(len(w.managers))
		w.managers = append(w.managers[:i:i], w.managers[i+1:]...)
		w.happened("managers: one of two ends")
		return
	}
	w.managers = append(w.managers, newManager(w))
	w.happened("managers: another one leads, the one before goes on")
}

// standStill stops a process just before its call, for so long that another one leads.
func (w *world) standStill(m *manager) {
	w.happened("managers: one stands still before its call")
	m.asleep = w.now.Add(w.within(6 * time.Minute))
	if len(w.managers) == 1 {
		w.takeOver()
	}
}

// crash forgets all that a manager remembers.
func (m *manager) crash() {
	m.w.happened("managers: one crashes")
	m.w.tellf("%s crashes", m.workers[0].name())
	m.cache, m.writes, m.listed, m.heads = cache{}, map[types.UID]int{}, nil, nil
	m.cache.sync(m.w.api)
	for _, k := range m.workers {
		k.stage, k.facts.Change = idle, nil
	}
}

// work lets one worker of one manager do some calls, and be interrupted between any two of them.
func (w *world) work() {
	m := w.anyManager()
	if w.now.Before(m.asleep) {
		w.now = w.now.Add(w.within(10 * time.Second))
		return
	}
	k := m.workers[w.pick(concurrency)]
	if k.stage == idle {
		switch w.pick(8) {
		case 0:
			m.cache.advance(w.api, w.pick(3), w.pick(2))
		default:
			m.cache.sync(w.api)
		}
		r := m.next()
		if r.SecretChange == nil {
			return
		}
		k.begin(r)
	}
	for k.stage != idle {
		k.step()
		if w.chance(w.faults.crash) {
			m.crash()
			return
		}
		if w.pick(9) == 0 {
			w.happened("managers: a reconcile is interrupted")
			if e := k.action.Effect; k.stage == acting && (e.MakesLive() || e.Kind == change.Put) && w.pick(3) == 0 {
				w.standStill(m)
			}
			return
		}
	}
}

// next is a change that this manager is not working on.
func (m *manager) next() record {
	if len(m.cache.changes) == 0 {
		return record{}
	}
	r := m.cache.changes[m.w.pick(len(m.cache.changes))]
	if r.Status.Phase.Finished() && len(r.Finalizers) == 0 {
		r = m.cache.changes[m.w.pick(len(m.cache.changes))]
	}
	for _, k := range m.workers {
		if k.stage != idle && k.facts.Change.UID == r.UID {
			return record{}
		}
	}
	return r
}

// play runs a schedule until it has come to rest.
func (w *world) play() {
	for range steps {
		w.now = w.now.Add(w.within(2 * time.Second))
		w.aws.tick()
		if w.pick(4) == 0 || len(w.api.changes) == 0 {
			w.act()
		} else {
			w.work()
		}
	}
	w.quiet()
	w.settle()
	w.judgeRest()
}
