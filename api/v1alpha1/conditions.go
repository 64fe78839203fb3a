package v1alpha1

// Condition types. Ready, Reconciling and Stalled follow kstatus
// (sigs.k8s.io/cli-utils/pkg/kstatus); the others say how far a change came.
const (
	// ConditionReady is True for a change that is live, and for a project of
	// which every environment can be served.
	ConditionReady = "Ready"
	// ConditionReconciling is True while the controller still has work to do or
	// waits for somebody.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True when nothing more will happen without a person.
	ConditionStalled = "Stalled"
	// ConditionValidated says whether a change's source was checked against AWS.
	ConditionValidated = "Validated"
	// ConditionApproved says whether the policy's quorum is reached.
	ConditionApproved = "Approved"
	// ConditionApplied says whether a change is live, and what hinders it.
	ConditionApplied = "Applied"
	// ConditionPoliciesInForce says, on a project, whether the admission
	// policies that guard identities are intact; nothing is applied while not.
	ConditionPoliciesInForce = "PoliciesInForce"
	// ConditionInSync is False on a project of which an environment has drifted.
	ConditionInSync = "InSync"
)

// Reasons of conditions and events. They are constant: alerts may match them.
const (
	ReasonProgressing      = "Progressing"
	ReasonAwaitingReview   = "AwaitingReview"
	ReasonApproved         = "Approved"
	ReasonRejected         = "Rejected"
	ReasonWithdrawn        = "Withdrawn"
	ReasonApplied          = "Applied"
	ReasonAdopted          = "Adopted"
	ReasonConflicted       = "Conflicted"
	ReasonOutcomeUnknown   = "OutcomeUnknown"
	ReasonExpired          = "Expired"
	ReasonInvalid          = "Invalid"
	ReasonValidated        = "Validated"
	ReasonFrozen           = "Frozen"
	ReasonWaitingForTurn   = "WaitingForTurn"
	ReasonProjectNotReady  = "ProjectNotReady"
	ReasonPoliciesWeakened = "PoliciesWeakened"
	ReasonPoliciesInForce  = "PoliciesInForce"
	ReasonReviewAnew       = "ReviewAnew"
	ReasonForeignVersion   = "ForeignVersion"
	ReasonDrifted          = "Drifted"
	ReasonInSync           = "InSync"
	ReasonReady            = "Ready"
	ReasonNameClaimed      = "NameClaimed"
	ReasonNotOwner         = "NotOwner"
	ReasonSecretMissing    = "SecretMissing"
	ReasonSecretUnusable   = "SecretUnusable"
	ReasonTooManyPending   = "TooManyPending"
	ReasonAccessDenied     = "AccessDenied"
	ReasonCredentials      = "CredentialsInvalid"
	ReasonThrottled        = "Throttled"
	ReasonUnavailable      = "StoreUnavailable"
	ReasonCleanupFailed    = "CleanupFailed"
	ReasonTrimmed          = "Trimmed"
)
