package crash_test

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// path is a way that a change goes, or something else that managers do.
type path struct {
	name string
	// policy is the project's, if not the default one.
	policy func(*v1alpha1.SecretProjectSpec)
	// empty begins with a live secret without any version.
	empty bool
	// prepare is what people do before calls are counted, which may be nil. It returns the name of a change.
	prepare func(*team) (string, error)
	// play is what they do then, and waits for what comes of it. It is given what prepare returned.
	play func(*team, string) error
	// slow takes a minute, which most of it waits.
	slow bool
	// alone is done by the manager's one loop, so that two of its calls cannot be held at once.
	alone bool
}

var (
	one   = edit{set: values{"A": "one"}}
	two   = edit{set: values{"B": "two", "C": "new"}}
	three = edit{set: values{"D": "three"}, unset: []string{"B"}}
)

// then reviews a change that is pending and waits for its end.
func then(who string, verdict v1alpha1.Verdict, phase v1alpha1.Phase) func(*team, string) error {
	return func(t *team, name string) error {
		return errors.Join(t.review(who, name, verdict), t.await(name, phase))
	}
}

var approvedThenApplied = then(bob, v1alpha1.VerdictApproved, v1alpha1.PhaseApplied)

// proposed plays an edit's proposal first.
func proposed(next func(*team, string) error) func(*team, string) error {
	return func(t *team, _ string) error {
		name, err := t.pending(one)
		if err != nil {
			return err
		}
		return next(t, name)
	}
}

// back plays a rollback, restore or adoption.
func back(who string, aim func(*team, string) func(*v1alpha1.SecretChangeSpec)) func(*team, string) error {
	return func(t *team, named string) error {
		name, err := t.goBack(who, aim(t, named))
		if err != nil {
			return err
		}
		if who == dave {
			return t.await(name, v1alpha1.PhaseApplied)
		}
		return errors.Join(t.await(name, v1alpha1.PhasePending), approvedThenApplied(t, name))
	}
}

// twice has two changes applied, and returns the first one's name.
func twice(t *team) (string, error) {
	first, _, err := applyTwo(t)
	return first, err
}

// twiceLast is twice, and returns the second one's name.
func twiceLast(t *team) (string, error) {
	_, second, err := applyTwo(t)
	return second, err
}

func applyTwo(t *team) (first, second string, err error) {
	if first, err = t.apply(one); err == nil {
		second, err = t.apply(two)
	}
	return first, second, err
}

func shortlived(s *v1alpha1.SecretProjectSpec) { s.ChangeTTL = &metav1.Duration{Duration: time.Minute} }

func rollback(_ *team, named string) func(*v1alpha1.SecretChangeSpec) { return undoing(named) }
func restore(_ *team, named string) func(*v1alpha1.SecretChangeSpec)  { return restoring(named) }
func adopt(*team, string) func(*v1alpha1.SecretChangeSpec)            { return adopting }

// paths are all that a manager does on behalf of changes.
var paths = []path{
	{name: "apply", play: proposed(approvedThenApplied)},
	{name: "apply a first version", empty: true, play: proposed(approvedThenApplied)},
	{
		name:   "apply over somebody else's edit of other keys",
		policy: func(s *v1alpha1.SecretProjectSpec) { s.ConflictPolicy = v1alpha1.ConflictByKey },
		play: proposed(func(t *team, name string) error {
			return errors.Join(t.edit(two), approvedThenApplied(t, name))
		}),
	},
	{
		name:    "apply, and take the oldest label off",
		policy:  func(s *v1alpha1.SecretProjectSpec) { s.VersionHistory = ptr.To[int32](1) },
		prepare: twice,
		play: func(t *team, _ string) error {
			_, err := t.apply(three)
			return err
		},
	},
	{
		name: "apply what was staged and deleted",
		prepare: func(t *team) (string, error) {
			return t.nextName(), nil
		},
		play: func(t *team, name string) error {
			c, err := t.stage(name, one, time.Hour)
			if err != nil {
				return err
			}
			err = t.store.Delete(context.Background(), secretstore.DeleteInput{ID: c.Spec.Staged.SecretARN, RecoveryDays: 7})
			return errors.Join(err, t.create(alice, c), t.await(name, v1alpha1.PhasePending), approvedThenApplied(t, name))
		},
	},
	{name: "reject", play: proposed(then(bob, v1alpha1.VerdictRejected, v1alpha1.PhaseRejected))},
	{name: "withdraw", play: proposed(then(alice, v1alpha1.VerdictRejected, v1alpha1.PhaseRejected))},
	{
		name: "invalid",
		play: func(t *team, _ string) error {
			c, err := t.stage(t.nextName(), one, time.Hour)
			if err != nil {
				return err
			}
			other, err := t.stage(t.nextName(), two, time.Hour)
			if err != nil {
				return err
			}
			// What nobody has shown to know stays until the sweep takes it.
			c.Spec.Staged.Digest = other.Spec.Staged.Digest
			return errors.Join(
				t.create(alice, c), t.await(c.Name, v1alpha1.PhaseInvalid),
				t.store.Delete(context.Background(), secretstore.DeleteInput{ID: c.Spec.Staged.SecretARN}),
				t.store.Delete(context.Background(), secretstore.DeleteInput{ID: other.Spec.Staged.SecretARN}),
			)
		},
	},
	{
		name: "conflict",
		play: proposed(func(t *team, name string) error {
			return errors.Join(t.edit(two), then(bob, v1alpha1.VerdictApproved, v1alpha1.PhaseConflicted)(t, name))
		}),
	},
	{name: "rollback", prepare: twice, play: back(alice, rollback)},
	{name: "rollback by who may alone", prepare: twiceLast, play: back(dave, rollback)},
	{name: "restore", prepare: twice, play: back(alice, restore)},
	{
		name: "adopt",
		prepare: func(t *team) (string, error) {
			return "", t.edit(two)
		},
		play: back(alice, adopt),
	},
	{
		name: "adopt what bears a foreign label",
		prepare: func(t *team) (string, error) {
			_, err := t.put(values{"A": "foreign"}, naming.VersionLabel(uuid.NewString()))
			return "", err
		},
		play: back(alice, adopt),
	},
	{
		name: "delete",
		play: proposed(func(t *team, name string) error {
			return t.until(name+" to go", func() (bool, error) {
				err := t.remove(name)
				return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
			})
		}),
	},
	{
		name:    "expire",
		policy:  shortlived,
		prepare: func(t *team) (string, error) { return t.pending(one) },
		play:    func(t *team, name string) error { return t.await(name, v1alpha1.PhaseExpired) },
		slow:    true,
	},
	{
		name:   "conflict, and forget what was kept for a rebase",
		policy: shortlived,
		prepare: func(t *team) (string, error) {
			name, err := t.pending(one)
			if err != nil {
				return "", err
			}
			return name, errors.Join(t.edit(two), then(bob, v1alpha1.VerdictApproved, v1alpha1.PhaseConflicted)(t, name))
		},
		play: func(t *team, name string) error { return t.unstaged(name) },
		slow: true,
	},
	{
		name: "sweep what no change names",
		prepare: func(t *team) (string, error) {
			name := t.nextName()
			_, err := t.stage(name, one, -time.Hour)
			return name, err
		},
		play:  func(t *team, name string) error { return t.unstaged(name) },
		alone: true,
	},
	{
		name:   "trim history",
		policy: func(s *v1alpha1.SecretProjectSpec) { s.HistoryLimit = ptr.To[int32](1) },
		prepare: func(t *team) (string, error) {
			var first string
			for range 2 {
				name, err := t.pending(one)
				if err == nil {
					err = then(bob, v1alpha1.VerdictRejected, v1alpha1.PhaseRejected)(t, name)
				}
				if err != nil {
					return "", err
				}
				if first == "" {
					first = name
				}
			}
			return first, nil
		},
		play: func(t *team, name string) error {
			return errors.Join(t.age(name), t.gone(name))
		},
		alone: true,
	},
}

// unstaged waits until nothing is staged for a change any more.
func (t *team) unstaged(name string) error {
	return t.until("what was staged to go", func() (bool, error) {
		secret, there := t.secrets()[t.staged(name)]
		return !there || !secret.DeletedAt.IsZero(), nil
	})
}

// gone waits until a change is gone.
func (t *team) gone(name string) error {
	t.leave(name)
	return t.until(name+" to go", func() (bool, error) {
		_, err := t.get(name)
		return err != nil, client.IgnoreNotFound(err)
	})
}

// age has a change look as if it had ended an hour before: what ended just now is not trimmed.
func (t *team) age(name string) error {
	return t.until(name+" to be older", func() (bool, error) {
		c, err := t.get(name)
		if err != nil {
			return false, client.IgnoreNotFound(err)
		}
		ended := metav1.NewMicroTime(time.Now().Add(-time.Hour))
		c.Status.FinishedAt = &ended
		err = t.manager.Status().Update(context.Background(), &c)
		return err == nil, ignore(err)
	})
}
