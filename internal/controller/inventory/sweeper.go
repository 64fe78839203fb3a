package inventory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/controller/index"
	"github.com/secretreview/secretreview/internal/guard"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sweep"
)

// DefaultMaxActions is how many staged secrets one round acts on at most.
const DefaultMaxActions = 50

// SweepObserver is told what the sweep does, for metrics.
type SweepObserver interface {
	// Orphans reports how many staged secrets no change names any more.
	Orphans(count int)
	// Swept reports one action and how it ended.
	Swept(kind sweep.ActionKind, reason sweep.Reason, err error)
}

// Sweeper deletes staged secrets that nobody looks after, and takes back those
// that a change turned up for. The staged secret of a finished change is
// normally gone before; the sweep is the net below.
type Sweeper struct {
	// Cache is synced, and has every change and project.
	Cache client.Reader
	// Fresh reads past the cache.
	Fresh    client.Reader
	Store    secretstore.Store
	Guard    guard.Reader
	Clock    clock.PassiveClock
	Observer SweepObserver
	// Cluster and Prefix are the manager's.
	Cluster, Prefix string
	// Grace is as in sweep.Sweep.
	Grace time.Duration
	// MaxActions bounds one round; 0 means DefaultMaxActions.
	MaxActions int

	// resume is the name after which the next round begins, so that some that
	// always fail do not keep others from their turn.
	resume string
}

// Observe sweeps as much as one round may.
func (s *Sweeper) Observe(ctx context.Context, snapshot Snapshot) error {
	if len(snapshot.Staged) == 0 {
		s.Observer.Orphans(0)
		return nil
	}
	state, err := s.state(ctx, snapshot.Staged)
	if err != nil {
		return err
	}
	plan := slices.DeleteFunc(state.Plan(snapshot.Staged), func(a sweep.Action) bool { return a.Kind == sweep.Keep })
	s.Observer.Orphans(count(plan, sweep.Orphaned))
	if plan, err = s.withoutHeld(ctx, plan, snapshot); err != nil {
		return err
	}
	return s.perform(ctx, state, s.turn(plan))
}

func count(plan []sweep.Action, reason sweep.Reason) int {
	n := 0
	for _, action := range plan {
		if action.Reason == reason {
			n++
		}
	}
	return n
}

// turn is what this round works on.
func (s *Sweeper) turn(plan []sweep.Action) []sweep.Action {
	limit := s.MaxActions
	if limit == 0 {
		limit = DefaultMaxActions
	}
	if len(plan) <= limit {
		s.resume = ""
		return plan
	}
	next := slices.IndexFunc(plan, func(a sweep.Action) bool { return a.Name > s.resume })
	next = max(next, 0)
	turn := append(slices.Clone(plan[next:]), plan[:next]...)[:limit]
	s.resume = turn[limit-1].Name
	return turn
}

// perform goes on after an error that is one secret's own.
func (s *Sweeper) perform(ctx context.Context, state sweep.Sweep, plan []sweep.Action) error {
	var failed []error
	for _, action := range plan {
		if trust := s.Guard.State(); !trust.Intact {
			return errors.Join(append(failed, fmt.Errorf("the sweep of staged secrets is held: %s", trust.Reason))...)
		}
		err := s.act(ctx, state, action)
		if err != nil {
			failed = append(failed, err)
		}
		if kind := secretstore.KindOf(err); ctx.Err() != nil || secretstore.Retryable(err) && kind != secretstore.KindDenied {
			break
		}
	}
	return errors.Join(failed...)
}

// act looks at the secret and at the change that may name it as they are now,
// and acts if that leads to the same decision.
func (s *Sweeper) act(ctx context.Context, state sweep.Sweep, action sweep.Action) error {
	described, err := s.Store.Describe(ctx, action.ARN)
	if secretstore.KindOf(err) == secretstore.KindNotFound {
		return nil
	}
	if err != nil {
		s.Observer.Swept(action.Kind, action.Reason, err)
		return err
	}
	now := staged(described)
	if state, err = s.refresh(ctx, state, now); err != nil {
		return err
	}
	if decided := state.Decide(now); decided.Kind != action.Kind {
		return nil
	}
	err = s.carryOut(ctx, action)
	s.Observer.Swept(action.Kind, action.Reason, err)
	if err == nil {
		log.FromContext(ctx).Info("swept a staged secret", "action", action.Kind, "reason", action.Reason, "secret", action.Name)
	}
	return err
}

func (s *Sweeper) carryOut(ctx context.Context, action sweep.Action) error {
	switch action.Kind {
	case sweep.Delete:
		return s.Store.Delete(ctx, secretstore.DeleteInput{ID: action.ARN, RecoveryDays: sweep.RecoveryDays})
	case sweep.DeleteNow:
		return s.Store.Delete(ctx, secretstore.DeleteInput{ID: action.ARN})
	case sweep.Restore:
		return s.Store.Restore(ctx, action.ARN)
	case sweep.Keep:
	}
	return nil
}

// state is what the sweep decides by about the listed secrets. The cache was
// synced before the leader could start.
func (s *Sweeper) state(ctx context.Context, listed []sweep.Secret) (sweep.Sweep, error) {
	projects, err := s.projects(ctx)
	if err != nil {
		return sweep.Sweep{}, err
	}
	var unfinished v1alpha1.SecretChangeList
	err = s.Cache.List(ctx, &unfinished, client.MatchingFields{index.Unfinished: index.AnyUnfinished}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return sweep.Sweep{}, fmt.Errorf("list changes for the sweep: %w", err)
	}
	state := sweep.Sweep{Cluster: s.Cluster, Prefix: s.Prefix, Now: s.Clock.Now(), Grace: s.Grace, Synced: true}
	claim := func(c *v1alpha1.SecretChange) {
		state.Claims = append(state.Claims, claimOf(c, projects[client.ObjectKey{Namespace: c.Namespace, Name: c.Spec.Project}], state.Now))
	}
	for i := range unfinished.Items {
		claim(&unfinished.Items[i])
	}
	for i := range listed {
		c, err := s.finished(ctx, listed[i])
		if err != nil {
			return sweep.Sweep{}, err
		}
		if c != nil {
			claim(c)
		}
	}
	return state, nil
}

// finished is the change that a staged secret's tags name, if it has ended: of
// all that have, none but this one can have it deleted.
func (s *Sweeper) finished(ctx context.Context, secret sweep.Secret) (*v1alpha1.SecretChange, error) {
	tags, err := naming.ParseStagedTags(secret.Tags)
	if err != nil || tags.Cluster != s.Cluster {
		return nil, nil //nolint:nilerr,nilnil // Decide leaves such a secret alone
	}
	var c v1alpha1.SecretChange
	key := client.ObjectKey{Namespace: tags.Namespace, Name: tags.Change}
	switch err := s.Cache.Get(ctx, key, &c); {
	case apierrors.IsNotFound(err):
		return nil, nil //nolint:nilnil // absence is a fact here, not a failure
	case err != nil:
		return nil, fmt.Errorf("look up change %s for the sweep: %w", key, err)
	case !c.Status.Phase.Finished():
		return nil, nil //nolint:nilnil // it is among the unfinished ones
	}
	return &c, nil
}

// projects are the names in AWS of all SecretProjects.
func (s *Sweeper) projects(ctx context.Context) (map[client.ObjectKey]string, error) {
	var list v1alpha1.SecretProjectList
	if err := s.Cache.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list projects for the sweep: %w", err)
	}
	names := make(map[client.ObjectKey]string, len(list.Items))
	for i := range list.Items {
		names[client.ObjectKeyFromObject(&list.Items[i])] = list.Items[i].EffectiveProjectName()
	}
	return names, nil
}

// claimOf takes the change's own word for a project that is gone.
func claimOf(c *v1alpha1.SecretChange, project string, now time.Time) sweep.Claim {
	if project == "" {
		project = c.Spec.Project
	}
	claim := sweep.Claim{
		Namespace: c.Namespace, Name: c.Name, UID: string(c.UID),
		Project: project, Environment: c.Spec.Environment,
		Finished: c.Status.Phase.Finished() && !now.Before(c.KeptUntil()),
	}
	// Who finished without ever showing that they know the staged bytes claims
	// nothing: anybody may name another's staged secret.
	proven := c.Status.DiffCounts != nil || c.Status.StagedDeleted
	if c.Spec.Staged != nil && (proven || !claim.Finished) {
		claim.ARN = c.Spec.Staged.SecretARN
	}
	return claim
}

// refresh adds the change that the secret's tags name as the API server itself
// has it: the cache may be behind.
func (s *Sweeper) refresh(ctx context.Context, state sweep.Sweep, secret sweep.Secret) (sweep.Sweep, error) {
	state.Now = s.Clock.Now()
	tags, err := naming.ParseStagedTags(secret.Tags)
	if err != nil {
		return state, nil //nolint:nilerr // Decide leaves such a secret alone
	}
	var fresh v1alpha1.SecretChange
	key := client.ObjectKey{Namespace: tags.Namespace, Name: tags.Change}
	err = s.Fresh.Get(ctx, key, &fresh)
	switch {
	case apierrors.IsNotFound(err):
		return state, nil
	case err != nil:
		return state, fmt.Errorf("look for change %s before its staged secret is swept: %w", key, err)
	}
	// The cached claim of the same change must not contradict the fresh one.
	state.Claims = slices.DeleteFunc(slices.Clone(state.Claims), func(c sweep.Claim) bool {
		return c.Namespace == fresh.Namespace && c.Name == fresh.Name
	})
	name, err := s.projectName(ctx, &fresh)
	state.Claims = append(state.Claims, claimOf(&fresh, name, state.Now))
	return state, err
}

// projectName is the name in AWS of a change's project, or "" if that is gone.
func (s *Sweeper) projectName(ctx context.Context, c *v1alpha1.SecretChange) (string, error) {
	var p v1alpha1.SecretProject
	key := client.ObjectKey{Namespace: c.Namespace, Name: c.Spec.Project}
	if err := s.Fresh.Get(ctx, key, &p); err != nil {
		if apierrors.IsNotFound(err) {
			return "", nil
		}
		return "", fmt.Errorf("read project %s before a staged secret is swept: %w", key, err)
	}
	return p.EffectiveProjectName(), nil
}
