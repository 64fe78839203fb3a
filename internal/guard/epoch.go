package guard

import (
	"crypto/rand"
	"encoding/binary"
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

// EnforcementDelay is how long after a change of a policy some API server may still enforce what was before. Each
// compiles once a second what its watch has brought (policyRefreshInterval of k8s.io/apiserver); the rest is for the
// watch, and for compiling. No epoch begins before.
const EnforcementDelay = 5 * time.Second

// timePrecision is that of creationTimestamps.
const timePrecision = time.Second

// standing is since when the same objects have been there as shipped.
type standing struct {
	policies []v1alpha1.ObjectRevision
	since    time.Time
}

// after is how they stand once they were compared now.
func (s standing) after(seen observation, now time.Time) standing {
	if seen.Weakness == "" && slices.Equal(s.policies, seen.Policies) {
		return s
	}
	return standing{policies: seen.Policies, since: now}
}

// next works out the record after an observation. known is nil at the very first start, and where the record was lost:
// then some change bears an epoch. drawn is the number of an epoch that begins now. It must be one that nobody could
// foresee: who may write status while the policies are weakened could otherwise write onto a change that its forged
// reviews were checked in the epoch to come.
func next(known *record, lost bool, drawn int64, seen observation) record {
	switch {
	case seen.Weakness != "" && known == nil:
		return record{Epoch: drawn, Lapsed: true, Policies: seen.Policies}
	case seen.Weakness != "":
		lapsed := *known
		lapsed.Lapsed = true
		return lapsed
	case begins(known, lost, seen.Policies):
		return beginning(drawn, seen)
	case known == nil:
		// They have been as they are since they were made.
		return record{Epoch: firstEpoch, Since: seen.NewestCreation.UTC().Add(EnforcementDelay), Policies: seen.Policies}
	default:
		return *known
	}
}

// begins reports whether an epoch begins with these objects, once they are proven: what is known does not cover them.
func begins(known *record, lost bool, policies []v1alpha1.ObjectRevision) bool {
	if known == nil {
		return lost || !neverChanged(policies)
	}
	return known.Lapsed || !slices.Equal(known.Policies, policies)
}

const (
	// firstEpoch is the number of an epoch that began before any change was looked at.
	firstEpoch = 1
	// epochBits is how many bits of an epoch's number are drawn: JSON keeps 53 of them everywhere.
	epochBits = 52
)

// draw returns the number of a new epoch. That it comes twice, or is guessed, is as good as impossible.
func draw() int64 {
	var bits [8]byte
	_, _ = rand.Read(bits[:]) // never fails
	return int64(binary.BigEndian.Uint64(bits[:])>>(64-epochBits)) + firstEpoch + 1
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
