// Package trim decides which finished changes are deleted because an
// environment has more of them than its historyLimit. It is pure.
package trim

import (
	"cmp"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// DefaultSettle is how long a change must have been finished: by then records
// and listings of AWS show what it did.
const DefaultSettle = 15 * time.Minute

// Environment is what decisions are made from.
type Environment struct {
	// Changes are all changes of the environment, in any order.
	Changes []v1alpha1.SecretChange
	// Limit is how many finished ones are kept: so many that wrote a version that
	// became live, and so many others. What Git owns does not count.
	Limit int
	// Status is the project's record of the environment, or nil.
	Status *v1alpha1.EnvironmentStatus
	// Labelled are the UIDs of which AWS shows a label on the live secret. A
	// label whose change is gone would count as a foreign one.
	Labelled map[string]bool
	Now      time.Time
	// Settle is not negative; see DefaultSettle.
	Settle time.Duration
}

// Plan returns the changes to delete, the oldest first. What is kept for another
// reason counts against the limit all the same, but for what Git owns. Anybody
// who may propose can make changes that write nothing: they push out no record
// of what was live. Each of the two kinds is a chain of records, which stays
// verifiable because it is only ever shortened from its beginning: nothing goes
// that is newer than what is kept.
func Plan(e Environment) []*v1alpha1.SecretChange {
	var wrote, others []*v1alpha1.SecretChange
	for i := range e.Changes {
		switch c := &e.Changes[i]; {
		case !c.Status.Phase.Finished() || GitOwned(c):
		case c.Status.Phase == v1alpha1.PhaseApplied && !c.Adopted():
			wrote = append(wrote, c)
		default:
			others = append(others, c)
		}
	}
	keep := e.needed()
	stays := func(c *v1alpha1.SecretChange) bool { return keep[c.Name] || e.busy(c) || e.wrote(c) }
	excess := slices.Concat(upTo(e.excess(wrote), stays), upTo(e.excess(others), stays))
	oldestFirst(excess)
	return excess
}

// upTo are those before the first that stays.
func upTo(changes []*v1alpha1.SecretChange, stays func(*v1alpha1.SecretChange) bool) []*v1alpha1.SecretChange {
	if first := slices.IndexFunc(changes, stays); first >= 0 {
		return changes[:first]
	}
	return changes
}

// excess are those that are too many, the oldest. The newest of them are kept
// whatever else is kept.
func (e Environment) excess(finished []*v1alpha1.SecretChange) []*v1alpha1.SecretChange {
	oldestFirst(finished)
	return finished[:max(0, len(finished)-e.Limit)]
}

func oldestFirst(finished []*v1alpha1.SecretChange) {
	slices.SortFunc(finished, func(a, b *v1alpha1.SecretChange) int {
		return cmp.Or(cmp.Compare(sequence(a), sequence(b)), finishedAt(a).Compare(finishedAt(b)), strings.Compare(a.Name, b.Name))
	})
}

// sequence is the change's place in its chain; 0, before all others, where it
// has none.
func sequence(c *v1alpha1.SecretChange) int64 {
	if c.Status.Audit == nil {
		return 0
	}
	return c.Status.Audit.Sequence
}

// needed are the names that an unfinished change goes back to, and that of the
// newest Applied change, which the record may not know yet.
func (e Environment) needed() map[string]bool {
	keep := map[string]bool{}
	var newest *v1alpha1.SecretChange
	for i := range e.Changes {
		c := &e.Changes[i]
		if c.Status.Phase == v1alpha1.PhaseApplied && (newest == nil || newer(c, newest)) {
			newest = c
		}
		if c.Status.Phase.Finished() {
			continue
		}
		if c.Spec.Rollback != nil {
			keep[c.Spec.Rollback.Change] = true
		}
		if c.Spec.Restore != nil {
			keep[c.Spec.Restore.Change] = true
		}
	}
	if newest != nil {
		keep[newest.Name] = true
	}
	return keep
}

func newer(a, b *v1alpha1.SecretChange) bool {
	return a.Status.AppliedAt != nil && (b.Status.AppliedAt == nil || a.Status.AppliedAt.After(b.Status.AppliedAt.Time))
}

// busy reports whether something is still being done about the change.
func (e Environment) busy(c *v1alpha1.SecretChange) bool {
	return c.DeletionTimestamp != nil || len(c.Finalizers) > 0 || e.Now.Sub(finishedAt(c)) < e.Settle
}

// wrote reports whether AWS still has a version that the change wrote: the live
// one, or one that can be restored.
func (e Environment) wrote(c *v1alpha1.SecretChange) bool {
	if e.Labelled[string(c.UID)] {
		return true
	}
	version := c.Status.AppliedVersionID
	if e.Status == nil || version == "" {
		return false
	}
	return version == e.Status.LiveVersionID || version == e.Status.LastAppliedVersionID ||
		slices.ContainsFunc(e.Status.Versions, func(v v1alpha1.RestorableVersion) bool { return v.VersionID == version })
}

func finishedAt(c *v1alpha1.SecretChange) time.Time {
	if c.Status.FinishedAt == nil {
		return c.CreationTimestamp.Time
	}
	return c.Status.FinishedAt.Time
}

// gitMarks begin the labels and annotations by which Argo CD and Flux know what
// they own, and by which manifests are told how to be treated by them.
var gitMarks = []string{
	"app.kubernetes.io/instance",
	"argocd.argoproj.io/",
	"kustomize.toolkit.fluxcd.io/",
	"helm.toolkit.fluxcd.io/",
}

// GitOwned reports whether the object bears a mark of having come from Git,
// which would create it again.
func GitOwned(o metav1.Object) bool {
	for _, marks := range []map[string]string{o.GetLabels(), o.GetAnnotations()} {
		for key := range marks {
			if slices.ContainsFunc(gitMarks, func(mark string) bool { return strings.HasPrefix(key, mark) }) {
				return true
			}
		}
	}
	return false
}
