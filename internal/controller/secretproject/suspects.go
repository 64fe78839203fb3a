package secretproject

import (
	"maps"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// Suspects remembers which environments a listing has shown to differ from
// their records, until they have been looked at. The zero value is ready.
type Suspects struct {
	mu           sync.Mutex
	environments map[types.NamespacedName]map[string]bool
}

func (s *Suspects) add(project types.NamespacedName, environments ...string) {
	if len(environments) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.environments == nil {
		s.environments = map[types.NamespacedName]map[string]bool{}
	}
	if s.environments[project] == nil {
		s.environments[project] = map[string]bool{}
	}
	for _, environment := range environments {
		s.environments[project][environment] = true
	}
}

// take returns a project's suspected environments and forgets them.
func (s *Suspects) take(project types.NamespacedName) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := slices.Sorted(maps.Keys(s.environments[project]))
	delete(s.environments, project)
	return taken
}
