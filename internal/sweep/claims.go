package sweep

import (
	"cmp"
	"slices"
	"strings"

	"github.com/secretreview/secretreview/internal/naming"
)

type namespacedName struct{ namespace, name string }

// claimIndex finds claims by what they name and by whose they are.
type claimIndex struct {
	byARN  map[string][]Claim
	byName map[namespacedName]Claim
}

func indexClaims(claims []Claim) claimIndex {
	index := claimIndex{byARN: map[string][]Claim{}, byName: map[namespacedName]Claim{}}
	for _, claim := range claims {
		index.byARN[claim.ARN] = append(index.byARN[claim.ARN], claim)
		if !claim.Finished {
			index.byName[namespacedName{claim.Namespace, claim.Name}] = claim
		}
	}
	for _, sharing := range index.byARN {
		slices.SortFunc(sharing, func(a, b Claim) int {
			return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name), strings.Compare(a.UID, b.UID))
		})
	}
	return index
}

// unfinished returns the unfinished change for which a secret is kept, with
// the reason, or no reason. A change that names a secret which was staged for
// another one keeps it too: it is no proof that the other is done with it.
func (i claimIndex) unfinished(arn string, tags naming.StagedTags) (Claim, Reason) {
	var other *Claim
	for _, claim := range i.byARN[arn] {
		switch {
		case claim.Finished:
		case claim.stagedFor(tags):
			return claim, Claimed
		case other == nil:
			other = &claim
		}
	}
	if other != nil {
		return *other, ClaimedByOther
	}
	if claim, found := i.byName[namespacedName{tags.Namespace, tags.Change}]; found {
		return claim, NameClaimed
	}
	return Claim{}, ""
}

// finished returns the finished change that a secret was staged for and that
// names it. Naming alone is not enough, or anybody could have another's staged
// secret deleted by naming it in a change and withdrawing that.
func (i claimIndex) finished(arn string, tags naming.StagedTags) (Claim, bool) {
	for _, claim := range i.byARN[arn] {
		if claim.Finished && claim.stagedFor(tags) {
			return claim, true
		}
	}
	return Claim{}, false
}

func (c Claim) stagedFor(tags naming.StagedTags) bool {
	return c.Namespace == tags.Namespace && c.Name == tags.Change &&
		c.Project == tags.Project && c.Environment == tags.Environment
}
