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

// StackReader reads what a CloudFormation stack says of itself, by
// DescribeStacks.
type StackReader interface {
	// StackOutputs returns the outputs of a stack, by their keys. A stack that is
	// not there is KindNotFound. It fails with a *Error.
	StackOutputs(ctx context.Context, stack string) (map[string]string, error)
}

// Account is what an AWS account tells beside its secrets, asked in one region.
type Account interface {
	Identifier
	StackReader
	// Region is the region that is asked.
	Region() string
}
