// Package sweep decides what happens to staged secrets that nobody looks after
// any more: those whose change was never created, or is finished. It is pure.
//
// A listing may be five minutes old, so an Action of a Plan is a suspicion
// only. Before acting on one, the caller must describe the secret again, pass
// the answer to Decide with the claims as they are then, and go on only if that
// gives the same ActionKind. Acting twice on the same secret does no harm.
package sweep

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/secretreview/secretreview/internal/naming"
)

// RecoveryDays is how long an orphan can be restored after its deletion, in
// days: the shortest recovery window of the service (DeleteSecret,
// RecoveryWindowInDays).
const RecoveryDays = 7

// DefaultGrace is how long a staged secret is left alone after its creation
// and after its keep-until, whichever is later. It makes up for the clocks of
// those who stage, and for a change that is being created.
const DefaultGrace = time.Hour

// Secret is a staged secret as it was listed or described.
type Secret struct {
	ARN, Name string
	Tags      map[string]string
	CreatedAt time.Time
	// DeletedAt is when it was scheduled for deletion, or nil.
	DeletedAt *time.Time
}

// Claim is what a change of this cluster says about a staged secret.
type Claim struct {
	Namespace, Name, UID string
	// Project is the project's name in AWS.
	Project, Environment string
	// ARN is the staged secret that the change names, empty if it names none.
	ARN string
	// Finished says that the change has ended, and that what was staged for it is
	// not kept any more.
	Finished bool
}

// Sweep is what decisions are made from.
type Sweep struct {
	// Cluster and Prefix are those of this manager.
	Cluster, Prefix string
	Now             time.Time
	// Grace is not negative; see DefaultGrace.
	Grace time.Duration
	// Synced says that Claims holds every change that it must. Without it nothing
	// is done.
	Synced bool
	// Claims are all unfinished changes of this cluster, and of the finished ones
	// at least those that the tags of the secrets name; in any order.
	Claims []Claim
}

// ActionKind says what to do with a staged secret.
type ActionKind string

const (
	// Keep: nothing.
	Keep ActionKind = "Keep"
	// Delete: with a recovery window of RecoveryDays.
	Delete ActionKind = "Delete"
	// DeleteNow: without a recovery window.
	DeleteNow ActionKind = "DeleteNow"
	// Restore: take back its deletion.
	Restore ActionKind = "Restore"
)

// Reason says why.
type Reason string

// Reasons to delete and to restore.
const (
	// Orphaned: no change names it, and the time to create one is over.
	Orphaned Reason = "Orphaned"
	// ChangeFinished: the change that it was staged for is finished.
	ChangeFinished Reason = "ChangeFinished"
	// ChangeTurnedUp: scheduled for deletion, but an unfinished change needs it.
	ChangeTurnedUp Reason = "ChangeTurnedUp"
)

// Reasons to keep.
const (
	// NotSynced: the claims may be incomplete.
	NotSynced Reason = "NotSynced"
	// NotStaged: its name is not that of a staged secret.
	NotStaged Reason = "NotStaged"
	// Unreadable: its tags, ARN or creation time are missing or malformed.
	Unreadable Reason = "Unreadable"
	// OtherCluster: another cluster's, which sweeps for itself.
	OtherCluster Reason = "OtherCluster"
	// NameMismatch: its tags do not belong to its name.
	NameMismatch Reason = "NameMismatch"
	// Claimed: an unfinished change names it.
	Claimed Reason = "Claimed"
	// ClaimedByOther: an unfinished change that it was not staged for names it.
	// That change will end as Invalid.
	ClaimedByOther Reason = "ClaimedByOther"
	// NameClaimed: the unfinished change of its name names no staged secret, or
	// another one: what was listed may be out of date.
	NameClaimed Reason = "NameClaimed"
	// AlreadyDeleted: scheduled for deletion, and nobody needs it.
	AlreadyDeleted Reason = "AlreadyDeleted"
	// StillAwaited: keep-until or Grace is not over.
	StillAwaited Reason = "StillAwaited"
)

// Action is what to do with one secret.
type Action struct {
	Kind      ActionKind
	Reason    Reason
	ARN, Name string
	// Claim is the change that Reason speaks of, zero if there is none.
	Claim Claim
}

// Plan returns an action for each secret, Keep included, sorted by name and
// ARN. A secret that is listed twice alike gets one.
func (s Sweep) Plan(listed []Secret) []Action {
	claims := indexClaims(s.Claims)
	plan := make([]Action, 0, len(listed))
	for _, secret := range listed {
		plan = append(plan, s.decide(secret, claims))
	}
	slices.SortFunc(plan, func(a, b Action) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ARN, b.ARN),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Reason, b.Reason), strings.Compare(a.Claim.UID, b.Claim.UID))
	})
	return slices.Compact(plan)
}

// Decide returns the action for one secret as it was just described.
func (s Sweep) Decide(described Secret) Action {
	return s.decide(described, indexClaims(s.Claims))
}

func (s Sweep) decide(secret Secret, claims claimIndex) Action {
	action := func(kind ActionKind, reason Reason, claim Claim) Action {
		return Action{Kind: kind, Reason: reason, ARN: secret.ARN, Name: secret.Name, Claim: claim}
	}
	tags, reason := s.own(secret)
	if reason != "" {
		return action(Keep, reason, Claim{})
	}
	if claim, reason := claims.unfinished(secret.ARN, tags); reason != "" {
		if reason == Claimed && secret.DeletedAt != nil {
			return action(Restore, ChangeTurnedUp, claim)
		}
		return action(Keep, reason, claim)
	}
	if claim, found := claims.finished(secret.ARN, tags); found {
		return action(DeleteNow, ChangeFinished, claim)
	}
	if secret.DeletedAt != nil {
		return action(Keep, AlreadyDeleted, Claim{})
	}
	if s.awaited(secret, tags) {
		return action(Keep, StillAwaited, Claim{})
	}
	return action(Delete, Orphaned, Claim{})
}

// own returns the tags of a secret that is this cluster's to sweep, or the
// reason why it is not.
func (s Sweep) own(secret Secret) (naming.StagedTags, Reason) {
	if !s.Synced {
		return naming.StagedTags{}, NotSynced
	}
	if !strings.HasPrefix(secret.Name, naming.StagingPrefix(s.Prefix)) {
		return naming.StagedTags{}, NotStaged
	}
	tags, err := naming.ParseStagedTags(secret.Tags)
	if err != nil || secret.ARN == "" || secret.CreatedAt.IsZero() {
		return naming.StagedTags{}, Unreadable
	}
	if tags.Cluster != s.Cluster {
		return naming.StagedTags{}, OtherCluster
	}
	if secret.Name != naming.StagedSecret(s.Prefix, tags.Project, tags.Change) {
		return naming.StagedTags{}, NameMismatch
	}
	return tags, ""
}

// awaited reports whether a change may still turn up in good time.
func (s Sweep) awaited(secret Secret, tags naming.StagedTags) bool {
	until := tags.KeepUntil
	if secret.CreatedAt.After(until) {
		until = secret.CreatedAt
	}
	return !s.Now.After(until.Add(s.Grace))
}
