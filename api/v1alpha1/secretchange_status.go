package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Phase is how far a change came.
//
// +kubebuilder:validation:Enum=Pending;Approved;Applied;Rejected;Conflicted;Expired;Invalid
type Phase string

// Phases. A change that the controller has not seen yet has none.
const (
	// PhasePending: checked, waiting for reviews.
	PhasePending Phase = "Pending"
	// PhaseApproved: decided; being made live, and retried until it is.
	PhaseApproved Phase = "Approved"
	// PhaseApplied: live, and read back from AWS.
	PhaseApplied Phase = "Applied"
	// PhaseRejected: by a reviewer, or withdrawn by its proposer.
	PhaseRejected Phase = "Rejected"
	// PhaseConflicted: the base moved, or what happened cannot be known.
	PhaseConflicted Phase = "Conflicted"
	// PhaseExpired: not live within changeTTL.
	PhaseExpired Phase = "Expired"
	// PhaseInvalid: bad input.
	PhaseInvalid Phase = "Invalid"
)

// Finished reports whether the phase is an end: it never changes again.
func (p Phase) Finished() bool {
	switch p {
	case PhaseApplied, PhaseRejected, PhaseConflicted, PhaseExpired, PhaseInvalid:
		return true
	default:
		return false
	}
}

// SecretChangeStatus is written by the controller alone. Facts are stored;
// conditions, summary and tally are worked out from them.
type SecretChangeStatus struct {
	// ObservedGeneration is the generation that the rest of the status speaks
	// of; -1 until the controller has seen the change, so that kstatus counts
	// it as in progress.
	//
	// +optional
	// +kubebuilder:default=-1
	ObservedGeneration int64 `json:"observedGeneration"`

	// Phase is how far the change came; empty until it is checked.
	//
	// +optional
	Phase Phase `json:"phase,omitempty"`

	// Message says in one sentence where the change stands and what to do next.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	Message string `json:"message,omitempty"`

	// Conditions are Ready, with Reconciling or Stalled while it is not True, and
	// Validated, Approved and Applied.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// Diff lists the keys that the change touches. Never a value.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20000
	Diff []KeyChange `json:"diff,omitempty"`

	// DiffCounts are how many keys Diff has of each type. They are set once the
	// change is checked.
	//
	// +optional
	DiffCounts *DiffCounts `json:"diffCounts,omitempty"`

	// Summary shows the first few keys of Diff for a printer column.
	//
	// +optional
	Summary string `json:"summary,omitempty"`

	// Approvals is the tally of counted approvals, such as "1/2".
	//
	// +optional
	Approvals string `json:"approvals,omitempty"`

	// Revert says between which versions a rollback or restore goes back. It is
	// not set where a restore adopts what is live.
	//
	// +optional
	Revert *Revert `json:"revert,omitempty"`

	// BaseVersionID is the live version against which Diff was worked out.
	//
	// +optional
	BaseVersionID string `json:"baseVersionID,omitempty"`

	// Admission says under which state of the admission policies the change's
	// identities were checked.
	//
	// +optional
	Admission *AdmissionRecord `json:"admission,omitempty"`

	// Decision is who was counted, and under which policy.
	//
	// +optional
	Decision *Decision `json:"decision,omitempty"`

	// Attempt is what is about to be written.
	//
	// +optional
	Attempt *Attempt `json:"attempt,omitempty"`

	// AppliedVersionID is the version that the change made live.
	//
	// +optional
	AppliedVersionID string `json:"appliedVersionID,omitempty"`

	// PreviousVersionID is the version that was live before.
	//
	// +optional
	PreviousVersionID string `json:"previousVersionID,omitempty"`

	// ReplacedByVersionID is what was live when the change was seen applied, if
	// somebody had replaced its version by then.
	//
	// +optional
	ReplacedByVersionID string `json:"replacedByVersionID,omitempty"`

	// AppliedKeys is how many keys the environment had once the change was live.
	//
	// +optional
	AppliedKeys int32 `json:"appliedKeys,omitempty"`

	// ExpiresAt is when the change ends unless it is live by then.
	//
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`

	// DecidedAt is when the quorum was reached or the change was refused.
	//
	// +optional
	DecidedAt *metav1.MicroTime `json:"decidedAt,omitempty"`

	// AppliedAt is when the change was seen live in AWS.
	//
	// +optional
	AppliedAt *metav1.MicroTime `json:"appliedAt,omitempty"`

	// FinishedAt is when the phase became final.
	//
	// +optional
	FinishedAt *metav1.MicroTime `json:"finishedAt,omitempty"`

	// StagedDeleted says that the staged secret is gone from AWS.
	//
	// +optional
	StagedDeleted bool `json:"stagedDeleted,omitempty"`

	// Audit gives a finished change its place in the environment's history.
	//
	// +optional
	Audit *AuditSeal `json:"audit,omitempty"`
}

// ChangeType says what happens to a key.
//
// +kubebuilder:validation:Enum=Added;Modified;Removed
type ChangeType string

// Change types.
const (
	// KeyAdded: it is not live.
	KeyAdded ChangeType = "Added"
	// KeyModified: it is live with another value.
	KeyModified ChangeType = "Modified"
	// KeyRemoved: it is live, and would no longer be.
	KeyRemoved ChangeType = "Removed"
)

// KeyChange is one line of a key-level diff.
type KeyChange struct {
	// Key is the key's name.
	//
	// +required
	Key string `json:"key"`
	// Type is what happens to it.
	//
	// +required
	Type ChangeType `json:"type"`
}

// DiffCounts counts Diff by type.
type DiffCounts struct {
	// Added is how many keys are new.
	//
	// +optional
	Added int32 `json:"added"`
	// Modified is how many keys get another value.
	//
	// +optional
	Modified int32 `json:"modified"`
	// Removed is how many keys go.
	//
	// +optional
	Removed int32 `json:"removed"`
}

// AdmissionRecord ties a change to an epoch: a span of time during which the
// controller saw the admission policies intact and unchanged.
type AdmissionRecord struct {
	// Epoch is the number of the span in which the reviews that count were
	// added.
	//
	// +required
	Epoch int64 `json:"epoch"`

	// Discounted are the reviewers whose approvals do not count, because they
	// may have been added while the policies were not in force.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	Discounted []string `json:"discounted,omitempty"`
}

// Decision records on what grounds a change was approved or rejected.
type Decision struct {
	// Approvers are the reviewers whose approvals were counted.
	//
	// +optional
	// +listType=set
	Approvers []string `json:"approvers,omitempty"`

	// RejectedBy is the reviewer who ended the change.
	//
	// +optional
	RejectedBy string `json:"rejectedBy,omitempty"`

	// RequiredApprovals is the quorum that was asked for.
	//
	// +optional
	RequiredApprovals int32 `json:"requiredApprovals"`

	// ProjectUID is that of the SecretProject whose policy was applied.
	//
	// +optional
	ProjectUID types.UID `json:"projectUID,omitempty"`
	// ProjectGeneration is the SecretProject's generation then.
	//
	// +optional
	ProjectGeneration int64 `json:"projectGeneration,omitempty"`

	// Policies are the admission objects that vouched for the identities.
	//
	// +optional
	// +listType=atomic
	Policies []ObjectRevision `json:"policies,omitempty"`
}

// ObjectRevision identifies one state of a cluster-scoped object.
type ObjectRevision struct {
	// Kind is the object's kind.
	//
	// +required
	Kind string `json:"kind"`
	// Name is the object's name.
	//
	// +required
	Name string `json:"name"`
	// UID tells it from another of its name.
	//
	// +required
	UID types.UID `json:"uid"`
	// Generation counts the changes to its spec.
	//
	// +required
	Generation int64 `json:"generation"`
}

// Revert pins the versions that a rollback or restore is worked out from, so
// that what is applied is what was reviewed.
type Revert struct {
	// FromVersionID is the version that the change to be undone wrote; empty for
	// a restore, which does not look at what came since.
	//
	// +optional
	FromVersionID string `json:"fromVersionID,omitempty"`

	// ToVersionID is the version to go back to; empty where the secret had none
	// before.
	//
	// +optional
	ToVersionID string `json:"toVersionID,omitempty"`
}

// Attempt is recorded before anything is written to the live secret, so that
// whatever happens next can be told apart afterwards.
type Attempt struct {
	// VersionID is the id of the version to be written: a UUID of version 8, which
	// is the digest of what Commitment says.
	//
	// +required
	VersionID string `json:"versionID"`

	// CurrentVersionID is where AWSCURRENT stood; empty if nowhere.
	//
	// +optional
	CurrentVersionID string `json:"currentVersionID,omitempty"`
	// PreviousVersionID is where AWSPREVIOUS stood; empty if nowhere.
	//
	// +optional
	PreviousVersionID string `json:"previousVersionID,omitempty"`

	// SecretARN is the live secret that it is about, whatever the project says
	// later.
	//
	// +optional
	SecretARN string `json:"secretARN,omitempty"`

	// SteppedAt is when the last step was about to be taken. What AWS shows may
	// be older for a while.
	//
	// +optional
	SteppedAt *metav1.MicroTime `json:"steppedAt,omitempty"`

	// Moved says that the last step was to make the version live.
	//
	// +optional
	Moved bool `json:"moved,omitempty"`

	// Refused says that AWS answered that step with a refusal, so that it has
	// not made the version live.
	//
	// +optional
	Refused bool `json:"refused,omitempty"`

	// Keys is how many keys the document has that is being written.
	//
	// +optional
	Keys int32 `json:"keys,omitempty"`

	// Commitment is what VersionID was worked out from.
	//
	// +optional
	Commitment *Commitment `json:"commitment,omitempty"`
}
