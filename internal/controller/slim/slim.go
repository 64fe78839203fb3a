// Package slim keeps the cache small: there may be 100,000 finished changes, of
// which the controllers need to know little more than what they wrote and when.
package slim

import (
	"unique"

	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// lastApplied is kubectl's copy of the whole object.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// Change is a transform for the cache of SecretChanges. It takes managedFields
// off all of them, and the bulk off those about which there is nothing left to
// do. Such a cached object must never be written back: it would lose what was
// taken off. Deleting it is fine.
func Change(object any) (any, error) {
	object, err := strip(object)
	if err != nil {
		return nil, err
	}
	c, ok := object.(*v1alpha1.SecretChange)
	if !ok || !Settled(c) {
		return object, nil
	}
	delete(c.Annotations, lastApplied)
	trimSpec(&c.Spec)
	trimStatus(&c.Status)
	// Most changes share these with others, and each has come with a copy of its own.
	for _, s := range []*string{&c.Kind, &c.APIVersion, &c.Namespace, &c.Spec.Project, &c.Spec.Environment, &c.Spec.ProposedBy} {
		*s = unique.Make(*s).Value()
	}
	c.Status.Phase = unique.Make(c.Status.Phase).Value()
	return c, nil
}

func trimSpec(s *v1alpha1.SecretChangeSpec) {
	s.Reason, s.Reviews = "", nil
	if s.Staged != nil {
		// Which secret it was staged in is all that the sweep asks, and a base is only asked for of what goes back.
		s.Staged.VersionID, s.Staged.Digest, s.BaseVersionID = "", "", ""
	}
}

func trimStatus(s *v1alpha1.SecretChangeStatus) {
	s.Message, s.Summary, s.Approvals, s.BaseVersionID = "", "", "", ""
	s.Conditions, s.Diff, s.DiffCounts = nil, nil, nil
	if s.Phase != v1alpha1.PhaseApplied {
		s.DecidedAt = nil // of those that are live it tells that they are newer than a base
	}
	s.Decision, s.Attempt, s.Admission = nil, nil, nil
	if s.Audit != nil {
		s.Audit = &v1alpha1.AuditSeal{ChainLink: s.Audit.ChainLink} // the next record follows it
	}
	if s.Phase != v1alpha1.PhaseConflicted {
		s.ExpiresAt = nil // until then what was staged for a conflict is kept
	}
}

// Settled reports whether there is nothing left to do about a change.
func Settled(c *v1alpha1.SecretChange) bool {
	return c.Status.Phase.Finished() && len(c.Finalizers) == 0 && c.DeletionTimestamp == nil
}

// strip takes managedFields off any object.
var strip = cache.TransformStripManagedFields()

var _ toolscache.TransformFunc = Change
