package secretstore

import "context"

// Identity is who AWS takes the caller for.
type Identity struct {
	Account string
	// ARN is such as arn:aws:sts::<account>:assumed-role/<role>/<session>.
	ARN string
	// UserID is AWS's own id, which outlives a rename.
	UserID string
}

// Identifier tells who the caller is, by STS's GetCallerIdentity, which needs
// no right. It fails with a *Error.
type Identifier interface {
	CallerIdentity(ctx context.Context) (Identity, error)
}
