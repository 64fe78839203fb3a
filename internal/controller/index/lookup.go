package index

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// ChangeByUID returns the change with this UID, of whatever namespace, or nil.
// It is the cache's own copy: read only.
func ChangeByUID(ctx context.Context, cache client.Reader, uid string) (*v1alpha1.SecretChange, error) {
	var found v1alpha1.SecretChangeList
	err := cache.List(ctx, &found, client.MatchingFields{changesByUID: beginning(uid)}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return nil, fmt.Errorf("look up the change of UID %q: %w", uid, err)
	}
	for i := range found.Items {
		if string(found.Items[i].UID) == uid {
			return &found.Items[i], nil
		}
	}
	return nil, nil //nolint:nilnil // absence is a fact here, not a failure
}
