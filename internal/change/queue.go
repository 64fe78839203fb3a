package change

import (
	"cmp"
	"slices"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/policy"
)

// Queue is a change's place among the others of its environment.
type Queue struct {
	// Ahead names the last of the changes that go before this one; empty if it is
	// this one's turn. It is the last, because then no other's end changes what a
	// waiting change says, and of a thousand that wait only one is written.
	Ahead string
	// Alone says that no other change of the environment is unfinished.
	Alone bool
	// LetIn counts the same person's unfinished changes that were checked and let
	// in; Older those that were created before this one and are not checked yet.
	LetIn, Older int
	// Named is the change that a rollback or restore names, nil if the
	// environment has none of that name.
	Named *v1alpha1.SecretChange
	// WroteTarget says, of a rollback or restore, that an Applied change of the
	// environment wrote the version that it goes back to.
	WroteTarget bool
	// Pinned are the versions that other unfinished rollbacks and restores go
	// back between.
	Pinned []string
}

// QueueOf places a change among its environment's other changes. Finished ones
// matter only to a rollback or restore.
func QueueOf(change *v1alpha1.SecretChange, others []v1alpha1.SecretChange, ids policy.Identities) Queue {
	q := Queue{Alone: true}
	var ahead *v1alpha1.SecretChange
	proposer := ids.Person(change.Spec.ProposedBy)
	for i := range others {
		other := &others[i]
		if other.UID == change.UID {
			continue
		}
		if other.Name == named(&change.Spec) {
			q.Named = other
		}
		if other.Status.Phase.Finished() || other.DeletionTimestamp != nil {
			continue
		}
		q.Alone = false
		if r := other.Status.Revert; r != nil {
			q.Pinned = append(q.Pinned, r.FromVersionID, r.ToVersionID)
		}
		switch same := ids.Person(other.Spec.ProposedBy) == proposer; {
		case same && other.Status.Phase != "":
			q.LetIn++
		case same && created(other, change) < 0:
			q.Older++
		}
		if queued(other) && precedes(other, change) && (ahead == nil || precedes(ahead, other)) {
			ahead = other
		}
	}
	if ahead != nil && !adopts(change) {
		q.Ahead = ahead.Name
	}
	q.WroteTarget = wroteTarget(change, q.Named, others)
	return q
}

// wroteTarget reports whether Applied changes wrote what a rollback or restore
// makes live: the version that it goes back to and, of a rollback, which keeps
// all other keys, also the one that it starts from.
func wroteTarget(change, named *v1alpha1.SecretChange, others []v1alpha1.SecretChange) bool {
	target := targetOf(&change.Spec, named)
	if change.Status.Revert != nil {
		// A name may have come to mean another change since.
		target = change.Status.Revert.ToVersionID
	}
	wrote := func(version string) bool {
		return version != "" && slices.ContainsFunc(others, func(other v1alpha1.SecretChange) bool {
			return other.UID != change.UID && other.Status.Phase == v1alpha1.PhaseApplied &&
				other.Status.AppliedVersionID == version && !other.Adopted()
		})
	}
	return wrote(target) && (change.Spec.Rollback == nil || wrote(string(change.Spec.BaseVersionID)))
}

// named returns the name of the change that a rollback or restore goes back by.
func named(spec *v1alpha1.SecretChangeSpec) string {
	switch {
	case spec.Rollback != nil:
		return spec.Rollback.Change
	case spec.Restore != nil:
		return spec.Restore.Change
	default:
		return ""
	}
}

// targetOf returns the version that a rollback or restore goes back to, or "".
func targetOf(spec *v1alpha1.SecretChangeSpec, change *v1alpha1.SecretChange) string {
	switch {
	case spec.Restore != nil && spec.Restore.VersionID != "":
		return string(spec.Restore.VersionID)
	case change == nil:
		return ""
	case spec.Rollback != nil:
		return change.Status.PreviousVersionID
	default:
		return change.Status.AppliedVersionID
	}
}

// adopts reports whether a change restores the version that is live, which
// writes nothing and may be what the others wait for.
func adopts(c *v1alpha1.SecretChange) bool {
	return c.Spec.Restore != nil && c.Status.Phase != "" && c.Status.Revert == nil
}

// queued reports whether a change waits to be made live, or is being.
func queued(c *v1alpha1.SecretChange) bool {
	return c.Status.Phase == v1alpha1.PhaseApproved && c.DeletionTimestamp == nil
}

// over reports whether nothing will be done any more to make a change live.
func over(c *v1alpha1.SecretChange) bool {
	return c.Status.Phase.Finished() || c.DeletionTimestamp != nil
}

// Leaves reports whether a change that was one thing and is another now has left
// the queue of its environment, or ended without having been seen in it.
func Leaves(before, after *v1alpha1.SecretChange) bool {
	return !queued(after) && (queued(before) || over(after) && !over(before))
}

// Next returns the changes that one which has left the queue may have held up:
// the one whose turn it is, and the one right behind, whose status names it.
func Next(left *v1alpha1.SecretChange, unfinished []v1alpha1.SecretChange) []*v1alpha1.SecretChange {
	var first, behind *v1alpha1.SecretChange
	for i := range unfinished {
		other := &unfinished[i]
		if other.UID == left.UID || !queued(other) {
			continue
		}
		if first == nil || precedes(other, first) {
			first = other
		}
		if precedes(left, other) && (behind == nil || precedes(other, behind)) {
			behind = other
		}
	}
	switch {
	case first == nil:
		return nil
	case behind == nil || behind == first:
		return []*v1alpha1.SecretChange{first}
	default:
		return []*v1alpha1.SecretChange{first, behind}
	}
}

// precedes orders approved changes: one that may already have written goes
// first, then the oldest decision.
func precedes(a, b *v1alpha1.SecretChange) bool {
	if begunA, begunB := a.Status.Attempt != nil, b.Status.Attempt != nil; begunA != begunB {
		return begunA
	}
	return cmp.Or(decided(a, b), cmp.Compare(a.UID, b.UID)) < 0
}

// decided compares times of decision; who has none comes last.
func decided(a, b *v1alpha1.SecretChange) int {
	at, bt := a.Status.DecidedAt, b.Status.DecidedAt
	if at == nil || bt == nil {
		return cmp.Compare(rank(at != nil), rank(bt != nil))
	}
	return at.Compare(bt.Time)
}

func rank(decided bool) int {
	if decided {
		return 0
	}
	return 1
}

func created(a, b *v1alpha1.SecretChange) int {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.UID, b.UID))
}
