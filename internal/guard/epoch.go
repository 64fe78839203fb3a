package guard

import (
	"slices"
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// record is what survives restarts: the present epoch, or the last one where Lapsed.
type record struct {
	Epoch int64     `json:"epoch"`
	Since time.Time `json:"since,omitzero"`
	// Lapsed says that a weakness was seen after Since: the next intact observation begins a new epoch.
	Lapsed   bool                      `json:"lapsed,omitempty"`
	Policies []v1alpha1.ObjectRevision `json:"policies,omitempty"`
}

// observation is what one look at the cluster has shown for certain.
type observation struct {
	// Weakness says what is wrong; empty if nothing.
	Weakness string
	Policies []v1alpha1.ObjectRevision
	// NewestCreation is when the last of Policies was made, by the API server's clock.
	NewestCreation time.Time
	// ServerTime is the API server's clock, in whole seconds, while Weakness was found to be empty.
	ServerTime time.Time
}

// timePrecision is that of creationTimestamps.
const timePrecision = time.Second

// next works out the record after an observation. known is nil at the very first start; used is the highest epoch that
// any change bears, which is above 0 without a record only if the record was lost.
func next(known *record, used int64, seen observation) record {
	switch {
	case known == nil && seen.Weakness != "":
		return record{Epoch: used + 1, Lapsed: true, Policies: seen.Policies}
	case known == nil && used == 0 && neverChanged(seen.Policies):
		// They have been as they are since they were made.
		return record{Epoch: 1, Since: seen.NewestCreation.UTC(), Policies: seen.Policies}
	case known == nil:
		return beginning(used+1, seen)
	case seen.Weakness != "":
		lapsed := *known
		lapsed.Lapsed = true
		return lapsed
	case known.Lapsed || !slices.Equal(known.Policies, seen.Policies):
		return beginning(max(known.Epoch, used)+1, seen)
	default:
		return *known
	}
}

// beginning starts an epoch at the first whole second that lies behind the observation: a creationTimestamp of the
// second in which it was made could be from before.
func beginning(epoch int64, seen observation) record {
	return record{Epoch: epoch, Since: seen.ServerTime.UTC().Truncate(timePrecision).Add(timePrecision), Policies: seen.Policies}
}

func neverChanged(policies []v1alpha1.ObjectRevision) bool {
	return !slices.ContainsFunc(policies, func(p v1alpha1.ObjectRevision) bool { return p.Generation != 1 })
}

// equal reports whether both records say the same.
func (r record) equal(other record) bool {
	return r.Epoch == other.Epoch && r.Since.Equal(other.Since) && r.Lapsed == other.Lapsed &&
		slices.Equal(r.Policies, other.Policies)
}
