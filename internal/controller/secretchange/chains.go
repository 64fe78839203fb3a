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
	sync.Mutex
	// heads are nil until they have been looked up.
	heads *audit.Heads
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
	if chain == nil {
		return // nobody has asked for its heads yet
	}
	chain.Lock()
	defer chain.Unlock()
	if chain.heads != nil {
		heads := chain.heads.With(object)
		chain.heads = &heads
	}
}

func (r *Reconciler) readHeads(ctx context.Context, facts *change.Facts) error {
	chain := r.chains.of(facts.Change)
	chain.Lock()
	defer chain.Unlock()
	if err := r.lookUp(ctx, chain, facts.Change); err != nil {
		return err
	}
	heads := *chain.heads
	facts.Heads = &heads
	return nil
}

// lookUp finds the heads in the cache, where that has not been done yet.
func (r *Reconciler) lookUp(ctx context.Context, chain *chain, object *v1alpha1.SecretChange) error {
	if chain.heads != nil {
		return nil
	}
	var all v1alpha1.SecretChangeList
	key := index.EnvironmentKey(object.Spec.Project, object.Spec.Environment)
	err := r.Client.List(ctx, &all, client.InNamespace(object.Namespace),
		client.MatchingFields{index.ChangesByEnvironment: key}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return fmt.Errorf("list the changes of %s/%s to find their newest record: %w", object.Namespace, key, err)
	}
	heads := audit.HeadsOf(all.Items)
	chain.heads = &heads
	return nil
}

// updateStatus writes the status. A change that ends with it is sealed, as the
// next record of its chain.
func (r *Reconciler) updateStatus(ctx context.Context, object *v1alpha1.SecretChange, ends bool) error {
	if !ends {
		return r.Client.Status().Update(ctx, object)
	}
	chain := r.chains.of(object)
	chain.Lock()
	defer chain.Unlock()
	if err := r.lookUp(ctx, chain, object); err != nil {
		return err
	}
	object.Status.Audit = chain.heads.Seal(object)
	if err := r.Client.Status().Update(ctx, object); err != nil {
		return err
	}
	heads := chain.heads.With(object)
	chain.heads = &heads
	return nil
}
