package audit

import "github.com/secretreview/secretreview/api/v1alpha1"

// Heads are the newest records of an environment's two chains. One that is zero
// has no record yet.
type Heads struct {
	Live, Other v1alpha1.ChainLink
}

// HeadsOf finds the heads among an environment's changes, in any order.
func HeadsOf(changes []v1alpha1.SecretChange) Heads {
	var h Heads
	for i := range changes {
		h = h.With(&changes[i])
	}
	return h
}

// With returns the heads after a change whose record may be newer.
func (h Heads) With(c *v1alpha1.SecretChange) Heads {
	seal := c.Status.Audit
	if seal == nil {
		return h
	}
	if ChainOf(c) == Live {
		h.Live = Newer(h.Live, seal.ChainLink)
	} else {
		h.Other = Newer(h.Other, seal.ChainLink)
	}
	return h
}

// Newer returns the later of two records of a chain.
func Newer(a, b v1alpha1.ChainLink) v1alpha1.ChainLink {
	if b.Sequence > a.Sequence {
		return b
	}
	return a
}

// Commit returns what an attempt commits to that is begun now.
func (h Heads) Commit(nonce string, approvers []string) *v1alpha1.Commitment {
	c := &v1alpha1.Commitment{Nonce: nonce, Approvers: approvers, Sequence: h.Live.Sequence + 1, Previous: h.Live.Digest}
	if h.Other.Sequence > 0 {
		other := h.Other
		c.Ended = &other
	}
	return c
}

// Seal returns the seal of a change that has just ended. What became live takes
// the place that its version commits to; all others come next.
func (h Heads) Seal(c *v1alpha1.SecretChange) *v1alpha1.AuditSeal {
	sealed := *c.DeepCopy()
	seal := &v1alpha1.AuditSeal{UID: c.UID, CreatedAt: c.CreationTimestamp}
	switch place := committed(c); {
	case place != nil:
		seal.Sequence, seal.Previous = place.Sequence, place.Previous
	case ChainOf(c) == Live:
		seal.Sequence, seal.Previous = h.Live.Sequence+1, h.Live.Digest
	default:
		seal.Sequence, seal.Previous = h.Other.Sequence+1, h.Other.Digest
	}
	sealed.Status.Audit = seal
	seal.Digest = RecordOf(&sealed).Digest()
	return seal
}

// committed returns what the version that a change made live commits to, or nil
// where nothing on record tells.
func committed(c *v1alpha1.SecretChange) *v1alpha1.Commitment {
	attempt := c.Status.Attempt
	if ChainOf(c) != Live || attempt == nil || attempt.VersionID != c.Status.AppliedVersionID {
		return nil
	}
	return attempt.Commitment
}
