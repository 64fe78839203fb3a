package secretchange

import (
	"context"
	"fmt"
	"sync"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/audit"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/controller/index"
)

// chains remembers the newest records of each environment's audit chains, and
// lets one change at a time follow them.
type chains struct {
	mutex        sync.Mutex
	environments map[environmentKey]*chain
}

type environmentKey struct{ namespace, project, environment string }

func keyOf(object *v1alpha1.SecretChange) environmentKey {
	return environmentKey{object.Namespace, object.Spec.Project, object.Spec.Environment}
}

type chain struct {
	// turn is whose write makes the next record.
	turn sync.Mutex
	// mutex is for heads, which are nil until they have been looked up. It is held for moments alone: whoever hears of
	// changes must not wait for a write.
	mutex sync.Mutex
	heads *audit.Heads
}

// follow takes notice of a record that may be the newest.
func (c *chain) follow(object *v1alpha1.SecretChange) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.heads != nil {
		heads := c.heads.With(object)
		c.heads = &heads
	}
}

func (c *chains) of(object *v1alpha1.SecretChange) *chain {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.environments == nil {
		c.environments = map[environmentKey]*chain{}
	}
	key := keyOf(object)
	if c.environments[key] == nil {
		c.environments[key] = &chain{}
	}
	return c.environments[key]
}

// saw takes notice of a record that may be new: a backup may bring some back.
func (c *chains) saw(object *v1alpha1.SecretChange) {
	if object.Status.Audit == nil {
		return
	}
	c.mutex.Lock()
	chain := c.environments[keyOf(object)]
	c.mutex.Unlock()
	if chain != nil { // or nobody has asked for its heads yet
		chain.follow(object)
	}
}

func (r *Reconciler) readHeads(ctx context.Context, facts *change.Facts) error {
	heads, err := r.heads(ctx, r.chains.of(facts.Change), facts.Change)
	facts.Heads = &heads
	return err
}

// heads returns the newest records, from the cache where they have not been
// looked up yet.
func (r *Reconciler) heads(ctx context.Context, chain *chain, object *v1alpha1.SecretChange) (audit.Heads, error) {
	chain.mutex.Lock()
	defer chain.mutex.Unlock()
	if chain.heads != nil {
		return *chain.heads, nil
	}
	var all v1alpha1.SecretChangeList
	key := index.EnvironmentKey(object.Spec.Project, object.Spec.Environment)
	err := r.Client.List(ctx, &all, client.InNamespace(object.Namespace),
		client.MatchingFields{index.ChangesByEnvironment: key}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return audit.Heads{}, fmt.Errorf("list the changes of %s/%s to find their newest record: %w", object.Namespace, key, err)
	}
	heads := audit.HeadsOf(all.Items)
	chain.heads = &heads
	return heads, nil
}

// updateStatus writes the status. A change that ends with it is sealed, as the
// next record of its chain.
func (r *Reconciler) updateStatus(ctx context.Context, object *v1alpha1.SecretChange, ends bool) error {
	if !ends {
		return r.Client.Status().Update(ctx, object)
	}
	chain := r.chains.of(object)
	chain.turn.Lock()
	defer chain.turn.Unlock()
	heads, err := r.heads(ctx, chain, object)
	if err != nil {
		return err
	}
	object.Status.Audit = heads.Seal(object)
	if err := r.Client.Status().Update(ctx, object); err != nil {
		return err
	}
	chain.follow(object)
	return nil
}
