package metrics

import (
	"sync"

	toolscache "k8s.io/client-go/tools/cache"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// environment is where a change belongs.
type environment struct{ namespace, project, name string }

// Tally counts changes by environment and phase as the cache hears of them:
// there may be 100,000, too many to go through at each scrape. The zero value
// is ready; it is safe for concurrent use.
type Tally struct {
	mu     sync.Mutex
	counts map[environment]map[v1alpha1.Phase]int
}

var _ toolscache.ResourceEventHandler = (*Tally)(nil)

// OnAdd implements cache.ResourceEventHandler.
func (t *Tally) OnAdd(object any, _ bool) { t.count(object, 1) }

// OnUpdate implements cache.ResourceEventHandler.
func (t *Tally) OnUpdate(before, after any) {
	t.count(before, -1)
	t.count(after, 1)
}

// OnDelete implements cache.ResourceEventHandler. Of a deletion that was missed
// while the watch was down, the last state that was seen is what was counted.
func (t *Tally) OnDelete(object any) {
	if missed, ok := object.(toolscache.DeletedFinalStateUnknown); ok {
		object = missed.Obj
	}
	t.count(object, -1)
}

func (t *Tally) count(object any, by int) {
	c, ok := object.(*v1alpha1.SecretChange)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = map[environment]map[v1alpha1.Phase]int{}
	}
	of := environment{c.Namespace, c.Spec.Project, c.Spec.Environment}
	if t.counts[of] == nil {
		t.counts[of] = map[v1alpha1.Phase]int{}
	}
	t.counts[of][c.Status.Phase] += by
	if t.counts[of][c.Status.Phase] == 0 {
		delete(t.counts[of], c.Status.Phase)
	}
	if len(t.counts[of]) == 0 {
		delete(t.counts, of)
	}
}

// of returns how many changes of an environment are in a phase.
func (t *Tally) of(e environment, phase v1alpha1.Phase) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts[e][phase]
}
