package secretproject

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/project"
)

// recent remembers the newest Applied changes of each environment until one of
// its changes ends or goes: a project of 64 environments may have 64,000 finished
// ones, too many to go through for each change that is applied. The zero value is
// ready.
type recent struct {
	mu sync.Mutex
	of map[recentKey]*remembered
}

type recentKey struct {
	project     types.NamespacedName
	environment string
}

type remembered struct {
	// round counts how often the environment was forgotten.
	round   int
	known   bool
	changes []project.Change
}

func (r *recent) at(key recentKey) *remembered {
	if r.of == nil {
		r.of = map[recentKey]*remembered{}
	}
	if r.of[key] == nil {
		r.of[key] = &remembered{}
	}
	return r.of[key]
}

// forget must be called for a change whenever the cache has a new state of it
// that counts, before anybody is woken because of that.
func (r *recent) forget(c *v1alpha1.SecretChange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	// A change may name any environment: only those that somebody asked for are in here.
	if m := r.of[recentKey{types.NamespacedName{Namespace: c.Namespace, Name: c.Spec.Project}, c.Spec.Environment}]; m != nil {
		m.round++
		m.known, m.changes = false, nil
	}
}

// get returns what is remembered, or what read returns.
func (r *recent) get(key recentKey, read func() ([]project.Change, error)) ([]project.Change, error) {
	r.mu.Lock()
	m := *r.at(key)
	r.mu.Unlock()
	if m.known {
		return m.changes, nil
	}
	changes, err := read()
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	// What was forgotten meanwhile may be missing in what was read.
	if now := r.at(key); now.round == m.round {
		now.known, now.changes = true, changes
	}
	return changes, nil
}
