package secretchange

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// writes remembers what this process wrote last of each change, until the cache
// shows it. Deciding on something older would be safe, since every write names
// the version that it is based on, but would ask AWS everything twice.
type writes struct {
	mutex sync.Mutex
	last  map[types.UID]string
}

// wrote remembers a change as it was just written.
func (w *writes) wrote(c *v1alpha1.SecretChange) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.last == nil {
		w.last = map[types.UID]string{}
	}
	w.last[c.UID] = c.ResourceVersion
}

// stale reports whether c is older than what was written. The watch will bring
// the newer one.
func (w *writes) stale(c *v1alpha1.SecretChange) bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	last, ok := w.last[c.UID]
	if !ok {
		return false
	}
	if order, err := resourceversion.CompareResourceVersion(c.ResourceVersion, last); err == nil && order < 0 {
		return true
	}
	delete(w.last, c.UID)
	return false
}
