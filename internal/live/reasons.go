package live

import (
	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// Reasons words each kind of AWS's failures as the reason of a condition.
var Reasons = map[secretstore.Kind]string{
	secretstore.KindNotFound:     v1alpha1.ReasonSecretMissing,
	secretstore.KindExists:       v1alpha1.ReasonSecretUnusable,
	secretstore.KindInvalidState: v1alpha1.ReasonSecretUnusable,
	secretstore.KindInvalidInput: v1alpha1.ReasonSecretUnusable,
	secretstore.KindLimit:        v1alpha1.ReasonSecretUnusable,
	secretstore.KindDenied:       v1alpha1.ReasonAccessDenied,
	secretstore.KindCredentials:  v1alpha1.ReasonCredentials,
	secretstore.KindThrottled:    v1alpha1.ReasonThrottled,
	secretstore.KindUnavailable:  v1alpha1.ReasonUnavailable,
}
