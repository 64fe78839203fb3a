package v1alpha1

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SecretChange is one proposed change to an environment's secrets: a pull
// request, and afterwards its audit record.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=schg,categories=secretreview
// +kubebuilder:selectablefield:JSONPath=`.spec.project`
// +kubebuilder:selectablefield:JSONPath=`.spec.environment`
// +kubebuilder:selectablefield:JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Project",type=string,JSONPath=`.spec.project`
// +kubebuilder:printcolumn:name="Environment",type=string,JSONPath=`.spec.environment`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Keys",type=string,JSONPath=`.status.summary`
// +kubebuilder:printcolumn:name="Approvals",type=string,JSONPath=`.status.approvals`
// +kubebuilder:printcolumn:name="Proposed-By",type=string,JSONPath=`.spec.proposedBy`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.spec.reason`
// +kubebuilder:printcolumn:name="Expires",type=string,format=date-time,priority=1,JSONPath=`.status.expiresAt`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.message`
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !has(oldSelf.status.phase) || !(oldSelf.status.phase in ['Applied','Rejected','Conflicted','Expired','Invalid']) || (has(self.status) && has(self.status.phase) && self.status.phase == oldSelf.status.phase)",message="a finished phase never changes"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !has(oldSelf.status.phase) || !(oldSelf.status.phase in ['Applied','Rejected','Conflicted','Expired','Invalid']) || self.spec == oldSelf.spec",message="a finished change takes no more reviews"
type SecretChange struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what is proposed, and its reviews.
	//
	// +required
	Spec SecretChangeSpec `json:"spec"`
	// Status is how far the change came, and why.
	//
	// +optional
	// +kubebuilder:default={}
	Status SecretChangeStatus `json:"status,omitempty"`
}

// Adopted reports whether the change was applied by restoring the version that
// was live: it wrote nothing.
func (c *SecretChange) Adopted() bool {
	return c.Spec.Restore != nil && c.Status.Phase == PhaseApplied && c.Status.AppliedVersionID == string(c.Spec.BaseVersionID)
}

// KeptUntil returns until when the staged values of a change that ended as
// Conflicted are kept, so that they can be proposed anew on what is live: until
// it would have expired. It is zero where nothing is kept: for any other change,
// and where it may have been live for a moment, so that a cluster restored from
// an older backup cannot apply it once more.
func (c *SecretChange) KeptUntil() time.Time {
	status := c.Status
	maybeLive := status.Attempt != nil && status.Attempt.Moved && !status.Attempt.Refused
	if status.Phase != PhaseConflicted || c.Spec.Staged == nil || status.StagedDeleted || status.ExpiresAt == nil || maybeLive {
		return time.Time{}
	}
	return status.ExpiresAt.Time
}

// SecretChangeList is a list of SecretChange.
//
// +kubebuilder:object:root=true
type SecretChangeList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []SecretChange `json:"items"`
}

// SecretChangeSpec says what is proposed, by whom and why. Everything but
// reviews is immutable.
//
// +kubebuilder:validation:ExactlyOneOf=staged;rollback;restore
// +kubebuilder:validation:XValidation:rule="self.project == oldSelf.project",message="project is immutable"
// +kubebuilder:validation:XValidation:rule="self.environment == oldSelf.environment",message="environment is immutable"
// +kubebuilder:validation:XValidation:rule="self.reason == oldSelf.reason",message="reason is immutable"
// +kubebuilder:validation:XValidation:rule="self.proposedBy == oldSelf.proposedBy",message="proposedBy is immutable"
// +kubebuilder:validation:XValidation:rule="(has(self.staged) ? has(oldSelf.staged) && self.staged == oldSelf.staged : !has(oldSelf.staged)) && (has(self.rollback) ? has(oldSelf.rollback) && self.rollback == oldSelf.rollback : !has(oldSelf.rollback)) && (has(self.restore) ? has(oldSelf.restore) && self.restore == oldSelf.restore : !has(oldSelf.restore))",message="the source (staged, rollback or restore) is immutable"
// +kubebuilder:validation:XValidation:rule="has(self.baseVersionID) ? has(oldSelf.baseVersionID) && self.baseVersionID == oldSelf.baseVersionID : !has(oldSelf.baseVersionID)",message="baseVersionID is immutable"
// +kubebuilder:validation:XValidation:rule="has(self.staged) || has(self.baseVersionID)",message="rollback and restore require baseVersionID, the live version they start from"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.reviews) || oldSelf.reviews.all(o, has(self.reviews) && self.reviews.exists(r, r.reviewer == o.reviewer && (r == o || (o.verdict == 'Approved' && r.verdict == 'Rejected'))))",message="reviews only grow; one's own Approved may only turn into Rejected"
type SecretChangeSpec struct {
	// Project is the Kubernetes name of the SecretProject in this namespace.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`
	Project string `json:"project"`

	// Environment is one of the project's environments.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9_-]+$`
	// +kubebuilder:validation:XValidation:rule="!(self in ['status','scale','finalizers'])",message="status, scale and finalizers are reserved"
	Environment string `json:"environment"`

	// Reason says why, like a commit message: 1 to 2,048 bytes, not blank.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="size(bytes(self)) <= 2048",message="reason is over 2048 bytes"
	// +kubebuilder:validation:XValidation:rule="self.matches('\\\\S')",message="reason is blank"
	Reason string `json:"reason"`

	// ProposedBy is the Kubernetes user name of the proposer. Admission holds
	// that it is the one who creates the change; where the cluster serves
	// MutatingAdmissionPolicy v1 it may be left out.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=340
	// +kubebuilder:validation:XValidation:rule="size(bytes(self)) <= 1024",message="proposedBy is over 1024 bytes"
	ProposedBy string `json:"proposedBy"`

	// Staged is a proposed edit whose values wait in a staged secret in AWS.
	//
	// +optional
	Staged *StagedSource `json:"staged,omitempty"`

	// Rollback undoes one applied change and keeps what came after it.
	//
	// +optional
	Rollback *RollbackSource `json:"rollback,omitempty"`

	// Restore puts the whole environment back as it was.
	//
	// +optional
	Restore *RestoreSource `json:"restore,omitempty"`

	// BaseVersionID is the live VersionId that the proposer started from.
	// Required for rollback and restore.
	//
	// +optional
	BaseVersionID VersionID `json:"baseVersionID,omitempty"`

	// Reviews are added one by one, each by its reviewer; at most 16.
	//
	// +optional
	// +listType=map
	// +listMapKey=reviewer
	// +kubebuilder:default={}
	// +kubebuilder:validation:MaxItems=16
	Reviews []Review `json:"reviews,omitempty"`
}

// VersionID is a version's id in AWS Secrets Manager (a ClientRequestToken, 32
// to 64 characters).
//
// +kubebuilder:validation:MinLength=32
// +kubebuilder:validation:MaxLength=64
// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9-]+$`
type VersionID string

// StagedSource pins a staged secret's bytes.
type StagedSource struct {
	// SecretARN is the full ARN of the staged secret, whose name must be
	// <prefix>pending/<project>/<this change's name>.
	//
	// +required
	// +kubebuilder:validation:MaxLength=800
	// +kubebuilder:validation:Pattern=`^arn:[a-z0-9-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[a-zA-Z0-9/_+=.@-]+$`
	SecretARN string `json:"secretARN"`

	// VersionID is the staged version.
	//
	// +required
	VersionID VersionID `json:"versionID"`

	// Digest is the SHA-256 of the staged bytes. They hold a 256-bit nonce, so
	// that it tells nothing about the values.
	//
	// +required
	// +kubebuilder:validation:MaxLength=71
	// +kubebuilder:validation:Pattern=`^sha256:[0-9a-f]{64}$`
	Digest string `json:"digest"`

	// RebaseOf is the name of the change that this one was made anew from, on
	// what was live by then. It is the proposer's word, and for people to read:
	// nothing is decided by it.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	RebaseOf string `json:"rebaseOf,omitempty"`
}

// RollbackSource names the change to undo.
type RollbackSource struct {
	// Change is the name of an Applied SecretChange of the same environment.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Change string `json:"change"`
}

// RestoreSource names the state to go back to.
//
// +kubebuilder:validation:ExactlyOneOf=change;versionID
type RestoreSource struct {
	// Change is the name of an Applied SecretChange: the state right after it.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Change string `json:"change,omitempty"`

	// VersionID is a version of the live secret. The live version itself
	// changes nothing and adopts it, which ends drift.
	//
	// +optional
	VersionID VersionID `json:"versionID,omitempty"`
}

// Verdict is what a reviewer says.
//
// +kubebuilder:validation:Enum=Approved;Rejected
type Verdict string

// Verdicts.
const (
	// VerdictApproved: it may become live.
	VerdictApproved Verdict = "Approved"
	// VerdictRejected: it ends, whoever else approves; by its proposer, it is
	// withdrawn.
	VerdictRejected Verdict = "Rejected"
)

// Review is one person's verdict.
type Review struct {
	// Reviewer is the Kubernetes user name of who reviews. Admission holds that
	// it is the one who adds the review.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=340
	// +kubebuilder:validation:XValidation:rule="size(bytes(self)) <= 1024",message="reviewer is over 1024 bytes"
	Reviewer string `json:"reviewer"`

	// Verdict is theirs. Only one's own Approved may turn into Rejected.
	//
	// +required
	Verdict Verdict `json:"verdict"`

	// Comment is what the reviewer says to it: at most 2,048 bytes.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="size(bytes(self)) <= 2048",message="comment is over 2048 bytes"
	Comment string `json:"comment,omitempty"`
}
