package v1alpha1

const (
	// Finalizer keeps a SecretChange until its staged secret is gone from AWS.
	Finalizer = GroupName + "/staged-secret"
	// FieldManager is under which the CLI adds reviews. It must not begin with
	// "kubectl": Flux takes over, and deletes, what such managers own.
	FieldManager = "sr"
	// MaxReviews is how many people can review one change.
	MaxReviews = 16
)

// Verbs on secretprojects, or on the virtual subresource
// secretprojects/<environment>, that the admission policies ask RBAC for in the
// change's namespace.
const (
	VerbPropose  = "propose"
	VerbApprove  = "approve"
	VerbRollback = "rollback"
)

// Verbs that are asked for without a namespace, under the name
// <namespace>/<project>, so that only a ClusterRoleBinding grants them.
const (
	VerbVouch      = "vouch"
	VerbAdminister = "administer"
	VerbPurge      = "purge"
)
