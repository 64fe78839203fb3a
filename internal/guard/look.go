package guard

import (
	"context"
	"fmt"
	"slices"
)

// look observes the cluster, brings the record up to date and returns the State. It is not settled as long as changes
// can still get a creationTimestamp from before the epoch.
func (g *Guard) look(ctx context.Context) (state State, settled bool, err error) {
	seen, err := g.compare(ctx)
	if err != nil {
		return State{}, false, err
	}
	g.standing = g.standing.after(seen, g.config.Clock.Now())
	if seen.Weakness != "" {
		g.lapse(seen)
	}
	known, stored, err := g.store.load(ctx)
	if err != nil {
		return State{}, false, err
	}
	lost, err := g.lost(ctx, known)
	if err != nil {
		return State{}, false, err
	}
	recorded := known
	if known != nil && g.unrecorded {
		lapsed := *known
		lapsed.Lapsed = true
		known = &lapsed
	}
	if seen.Weakness == "" {
		if seen, err = g.prove(ctx, seen, begins(known, lost, seen.Policies)); err != nil {
			return State{}, false, err
		}
	}
	now := next(known, lost, draw(), seen)
	if recorded == nil || !now.equal(*recorded) {
		if err := g.store.save(ctx, stored, now); err != nil {
			return State{}, false, err
		}
		g.config.Log.Info("admission policies", "epoch", now.Epoch, "since", now.Since, "weakness", seen.Weakness)
	}
	g.unrecorded = false
	state = State{Intact: seen.Weakness == "", Epoch: now.Epoch, Since: now.Since, Policies: seen.Policies, Reason: seen.Weakness}
	if state.Intact && seen.ServerTime.Before(now.Since) {
		state.Intact = false
		state.Reason = "The admission policies were checked just now; their new epoch begins in a moment."
		return state, false, nil
	}
	return state, true, nil
}

// prove tries whether what is as shipped is enforced. Where that begins an epoch, it does not ask before every API server
// must have heard of the last change: one that has not yet refuses the trial's forgeries too, if it was another rule that
// was missing.
func (g *Guard) prove(ctx context.Context, seen observation, beginning bool) (observation, error) {
	if beginning && g.config.Clock.Since(g.standing.since) < EnforcementDelay {
		seen.Weakness = fmt.Sprintf("The admission policies are as shipped, and are checked in a moment: "+
			"API servers take up to %s to enforce a change.", EnforcementDelay)
		g.lapse(seen)
		return seen, nil
	}
	seen, err := g.try(ctx, seen)
	if seen.Weakness != "" {
		g.lapse(seen)
	}
	return seen, err
}

// lapse stops vouching at once, also where the weakness cannot be put on record.
func (g *Guard) lapse(seen observation) {
	g.unrecorded = true
	g.mu.Lock()
	defer g.mu.Unlock()
	g.state.Intact, g.state.Reason = false, seen.Weakness
}

// lost reports whether there was a record that is gone: this manager remembers it, or changes bear its epoch.
func (g *Guard) lost(ctx context.Context, stored *record) (bool, error) {
	if stored != nil {
		return false, nil
	}
	g.mu.Lock()
	remembered := g.state.Epoch > 0
	g.mu.Unlock()
	if remembered {
		return true, nil
	}
	return g.store.epochInUse(ctx)
}

// compare says whether the objects are as shipped.
func (g *Guard) compare(ctx context.Context) (observation, error) {
	found, err := g.find(ctx)
	if err != nil {
		return observation{}, err
	}
	seen := observation{Policies: g.expected.revisions(found), NewestCreation: newest(found)}
	if problems := g.expected.Compare(found); len(problems) > 0 {
		seen.Weakness = weakness(problems)
	}
	return seen, nil
}

// try adds to what compare has found to be as shipped whether it is enforced.
func (g *Guard) try(ctx context.Context, seen observation) (observation, error) {
	outcome, err := g.trial.Run(ctx)
	if err != nil {
		return observation{}, err
	}
	if outcome.Accepted != "" {
		seen.Weakness = fmt.Sprintf("The admission policies are as shipped but not enforced: the API server let in %s on trial; "+
			"check its admission plugins.", outcome.Accepted)
		return seen, nil
	}
	// A weakening between the two reads would have left its mark on a generation or UID.
	again, err := g.find(ctx)
	if err != nil {
		return observation{}, err
	}
	if !slices.Equal(g.expected.revisions(again), seen.Policies) {
		return observation{Policies: g.expected.revisions(again), Weakness: "The admission policies were changed while they were checked."}, nil
	}
	seen.ServerTime = outcome.ServerTime
	return seen, nil
}

// Weakness looks once, writes nothing, and says what is wrong, "" if nothing is. An error means that nothing is proven. It
// is for those who do not Start the Guard.
func (g *Guard) Weakness(ctx context.Context) (string, error) {
	seen, err := g.compare(ctx)
	if err == nil && seen.Weakness == "" {
		// While the objects are not as shipped, a trial would only say what is known.
		seen, err = g.try(ctx, seen)
	}
	return seen.Weakness, err
}
