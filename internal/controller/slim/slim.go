// Package slim keeps the cache small: there may be 100,000 finished changes, of
// which the controllers need to know little more than what they wrote and when.
package slim

import (
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
	c.Spec.Reason = ""
	c.Spec.Reviews = nil
	c.Status.Message, c.Status.Summary, c.Status.Approvals = "", "", ""
	c.Status.Conditions, c.Status.Diff, c.Status.DiffCounts = nil, nil, nil
	c.Status.Decision, c.Status.Attempt = nil, nil
	return c, nil
}

// Settled reports whether there is nothing left to do about a change.
func Settled(c *v1alpha1.SecretChange) bool {
	return c.Status.Phase.Finished() && len(c.Finalizers) == 0 && c.DeletionTimestamp == nil
}

// strip takes managedFields off any object.
var strip = cache.TransformStripManagedFields()

var _ toolscache.TransformFunc = Change
