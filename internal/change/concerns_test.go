package change_test

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/policy"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// approved is a change that was decided so many seconds after noon.
func approved(name string, seconds int, edits ...func(*v1alpha1.SecretChange)) v1alpha1.SecretChange {
	at := metav1.NewMicroTime(noon.Add(time.Duration(seconds) * time.Second))
	c := v1alpha1.SecretChange{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)}}
	c.Spec.Environment, c.Spec.Staged = "production", &v1alpha1.StagedSource{}
	c.Status.Phase, c.Status.DecidedAt = v1alpha1.PhaseApproved, &at
	for _, edit := range edits {
		edit(&c)
	}
	return c
}

func begun(c *v1alpha1.SecretChange)   { c.Status.Attempt = &v1alpha1.Attempt{} }
func ended(c *v1alpha1.SecretChange)   { c.Status.Phase = v1alpha1.PhaseApplied }
func deleted(c *v1alpha1.SecretChange) { c.DeletionTimestamp = &metav1.Time{Time: noon} }
func pending(c *v1alpha1.SecretChange) {
	c.Status.Phase, c.Status.DecidedAt = v1alpha1.PhasePending, nil
}
func restores(c *v1alpha1.SecretChange) {
	c.Spec.Staged, c.Spec.Restore = nil, &v1alpha1.RestoreSource{}
}

func names(changes []*v1alpha1.SecretChange) []string {
	out := []string{}
	for _, c := range changes {
		out = append(out, c.Name)
	}
	return out
}

func TestAChangeWaitsForTheOneRightBeforeIt(t *testing.T) {
	me := approved("me", 5)
	for name, tc := range map[string]struct {
		others []v1alpha1.SecretChange
		want   string
	}{
		"nobody else":                         {nil, ""},
		"of several the last":                 {[]v1alpha1.SecretChange{approved("a", 1), approved("c", 3), approved("b", 2)}, "c"},
		"not one behind":                      {[]v1alpha1.SecretChange{approved("a", 1), approved("z", 9)}, "a"},
		"one behind that has begun is before": {[]v1alpha1.SecretChange{approved("z", 9, begun)}, "z"},
		"none that has ended or goes":         {[]v1alpha1.SecretChange{approved("a", 1, ended), approved("b", 2, deleted), approved("c", 3, pending)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := change.QueueOf(&me, append(tc.others, me), policy.Identities{}).Ahead; got != tc.want {
				t.Errorf("waits for %q, want %q", got, tc.want)
			}
		})
	}
}

func TestWhoIsLookedAtOnceAChangeHasLeftTheQueue(t *testing.T) {
	rest := []v1alpha1.SecretChange{
		approved("c", 3), approved("b", 2), approved("e", 5), approved("p", 0, pending), approved("d", 4),
	}
	for name, tc := range map[string]struct {
		left v1alpha1.SecretChange
		want []string
	}{
		"the first: whose turn it is":                   {approved("a", 1, begun, ended), []string{"b"}},
		"one between: that one, and the one behind it":  {approved("between", 3, func(c *v1alpha1.SecretChange) { c.UID = "d0" }), []string{"b", "d"}},
		"the last: whose turn it is, who may be behind": {approved("z", 9), []string{"b"}},
		"one that was never in it":                      {approved("p2", 0, pending), []string{"b"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := names(change.Next(&tc.left, rest)); !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
	if got := change.Next(&rest[0], rest[:1]); len(got) != 0 {
		t.Errorf("woke %v of nobody", names(got))
	}
}

func TestWhenAChangeLeavesTheQueue(t *testing.T) {
	for name, tc := range map[string]struct {
		before, after v1alpha1.SecretChange
		want          bool
	}{
		"once it is live":                          {approved("a", 1), approved("a", 1, ended), true},
		"once it lacks an approval again":          {approved("a", 1), approved("a", 1, pending), true},
		"once it is being deleted":                 {approved("a", 1), approved("a", 1, deleted), true},
		"also if nobody saw it in there":           {approved("a", 1, pending), approved("a", 1, ended), true},
		"not while it is being made live":          {approved("a", 1), approved("a", 1, begun), false},
		"not when it comes in":                     {approved("a", 1, pending), approved("a", 1), false},
		"not while it waits for reviews":           {approved("a", 1, pending), approved("a", 1, pending), false},
		"not when it is cleaned up after it ended": {approved("a", 1, ended), approved("a", 1, ended), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := change.Leaves(&tc.before, &tc.after); got != tc.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestWhomANewStateOfAnEnvironmentConcerns(t *testing.T) {
	unfinished := []v1alpha1.SecretChange{
		approved("second", 2), approved("first", 1), approved("waits", 0, pending), approved("restore", 0, pending, restores),
	}
	all := []string{"second", "first", "waits", "restore"}
	for name, tc := range map[string]struct {
		policy v1alpha1.ConflictPolicy
		edit   func(*v1alpha1.EnvironmentStatus)
		want   []string
	}{
		"nothing is new": {v1alpha1.ConflictByKey, func(*v1alpha1.EnvironmentStatus) {}, nil},
		"another version is live: whose turn it is, and what needs the old one": {
			v1alpha1.ConflictByKey, func(e *v1alpha1.EnvironmentStatus) { e.LiveVersionID = "2" }, []string{"restore", "first"}},
		"where every change needs the old one: all that are pending": {
			v1alpha1.ConflictStrict, func(e *v1alpha1.EnvironmentStatus) { e.LiveVersionID = "2" }, []string{"waits", "restore", "first"}},
		"a problem":         {v1alpha1.ConflictByKey, func(e *v1alpha1.EnvironmentStatus) { e.Problem = &v1alpha1.Problem{} }, all},
		"drift":             {v1alpha1.ConflictByKey, func(e *v1alpha1.EnvironmentStatus) { e.Drift = &v1alpha1.Drift{} }, all},
		"another secret":    {v1alpha1.ConflictByKey, func(e *v1alpha1.EnvironmentStatus) { e.SecretARN = "2" }, all},
		"no state any more": {v1alpha1.ConflictByKey, func(e *v1alpha1.EnvironmentStatus) { e.Name = "other" }, all},
	} {
		t.Run(name, func(t *testing.T) {
			before := &v1alpha1.SecretProject{}
			before.Spec.ConflictPolicy, before.Spec.Environments = tc.policy, []v1alpha1.Environment{{Name: "production"}}
			before.Status.Environments = []v1alpha1.EnvironmentStatus{{Name: "production", LiveVersionID: "1", SecretARN: "1"}}
			after := before.DeepCopy()
			tc.edit(&after.Status.Environments[0])
			if got := names(change.Concerned(before, after, "production", unfinished)); !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

// Both have begun, as two managers or two workers may with what their caches
// show. Only one can move the label; the other must not wait until AWS is sure to
// show that, because the change that went first tells.
func TestWhoWasOvertakenBeginsAnewAtOnce(t *testing.T) {
	w := newWorld(1)
	w.project.Spec.ConflictPolicy = v1alpha1.ConflictByKey
	first, second := w.propose("alice", setA), w.propose("alice", setC)
	w.settle()
	w.review(first, "bob", v1alpha1.VerdictApproved)
	w.reconcile(first)
	unseen := &metav1.Time{Time: w.now}
	first.DeletionTimestamp = unseen
	w.review(second, "bob", v1alpha1.VerdictApproved)
	w.until(second, change.MoveLabel)
	first.DeletionTimestamp, second.DeletionTimestamp = nil, unseen
	w.until(first, change.MoveLabel)
	second.DeletionTimestamp = nil
	if first.Status.Attempt == nil || second.Status.Attempt == nil {
		t.Fatal("they have not both begun")
	}

	w.now = w.now.Add(time.Second)
	for range 10 {
		w.reconcile(first)
	}
	for range 10 {
		w.reconcile(second)
	}
	if first.Status.Phase != v1alpha1.PhaseApplied || second.Status.Phase != v1alpha1.PhaseApplied {
		t.Errorf("%s: %s; %s: %s", first.Status.Phase, first.Status.Message, second.Status.Phase, second.Status.Message)
	}
	if live := w.live(); len(live) < 2 || w.moves[string(first.UID)] != 1 || w.moves[string(second.UID)] != 1 {
		t.Errorf("%d keys are live after %v", len(live), w.moves)
	}
}
