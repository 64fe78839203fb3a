package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SecretProject is the policy for a group of environments, each of which is
// one secret in AWS. An administrator owns it.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=sproj,categories=secretreview
// +kubebuilder:selectablefield:JSONPath=`.spec.projectName`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Environments",type=string,JSONPath=`.status.environmentNames`
// +kubebuilder:printcolumn:name="Drifted",type=string,JSONPath=`.status.driftedNames`
// +kubebuilder:printcolumn:name="Suspended",type=boolean,JSONPath=`.spec.suspend`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:validation:XValidation:rule="has(self.spec.projectName) || self.metadata.name.matches('^[a-zA-Z0-9_-]{1,63}$')",message="this name cannot be used in AWS: set spec.projectName (letters, digits, _ and -, at most 63)"
// +kubebuilder:validation:XValidation:rule="has(self.spec.projectName) || self.metadata.name != 'pending'",message="the project name pending is reserved for staged secrets"
type SecretProject struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is the policy.
	//
	// +required
	Spec SecretProjectSpec `json:"spec"`
	// Status is what is known of the environments.
	//
	// +optional
	// +kubebuilder:default={}
	Status SecretProjectStatus `json:"status,omitempty"`
}

// SecretProjectList is a list of SecretProject.
//
// +kubebuilder:object:root=true
type SecretProjectList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []SecretProject `json:"items"`
}

// SecretProjectSpec is the policy. Each of an environment's own fields, where
// set, goes before the project's.
//
// +kubebuilder:validation:XValidation:rule="has(self.projectName) ? has(oldSelf.projectName) && self.projectName == oldSelf.projectName : !has(oldSelf.projectName)",message="projectName is immutable"
type SecretProjectSpec struct {
	// ProjectName is the project's name in AWS; it defaults to the Kubernetes
	// name and is immutable.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9_-]+$`
	// +kubebuilder:validation:XValidation:rule="self != 'pending'",message="the project name pending is reserved for staged secrets"
	ProjectName string `json:"projectName,omitempty"`

	// Environments are the project's environments, 1 to 64.
	//
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Environments []Environment `json:"environments"`

	// PreventSelfApproval keeps a proposer's own approval from counting.
	//
	// +optional
	// +kubebuilder:default=true
	PreventSelfApproval *bool `json:"preventSelfApproval,omitempty"`

	// ChangeTTL is how long a change may take from its creation until it is
	// live; 1m to 8760h.
	//
	// +optional
	// +kubebuilder:default="168h"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m') && duration(self) <= duration('8760h')",message="changeTTL must lie between 1m and 8760h"
	ChangeTTL *metav1.Duration `json:"changeTTL,omitempty"`

	// ConflictPolicy says when a change still applies to a live secret that
	// moved on since it was proposed.
	//
	// +optional
	// +kubebuilder:default=Strict
	ConflictPolicy ConflictPolicy `json:"conflictPolicy,omitempty"`

	// Rollback says who may go back without a second person.
	//
	// +optional
	Rollback *RollbackPolicy `json:"rollback,omitempty"`

	// VersionHistory is how many versions stay restorable. AWS allows 20 labels
	// on a secret, of which three are its own.
	//
	// +optional
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=15
	VersionHistory *int32 `json:"versionHistory,omitempty"`

	// HistoryLimit is how many finished changes of an environment are kept: so
	// many that wrote a version that became live, and so many others. What Git
	// owns does not count.
	//
	// +optional
	// +kubebuilder:default=500
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	HistoryLimit *int32 `json:"historyLimit,omitempty"`

	// PendingLimit is how many unfinished changes of an environment one
	// proposer may have.
	//
	// +optional
	// +kubebuilder:default=20
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	PendingLimit *int32 `json:"pendingLimit,omitempty"`

	// Suspend is a change freeze: nothing is applied, everything else works.
	//
	// +optional
	Suspend *bool `json:"suspend,omitempty"`
}

// ConflictPolicy says when a change still applies.
//
// +kubebuilder:validation:Enum=Strict;ByKey
type ConflictPolicy string

// Conflict policies.
const (
	// ConflictStrict: the version it was proposed on must still be live.
	ConflictStrict ConflictPolicy = "Strict"
	// ConflictByKey: every key that it touches must still have the value that
	// the proposer saw.
	ConflictByKey ConflictPolicy = "ByKey"
)

// RollbackPolicy governs rollback and restore.
type RollbackPolicy struct {
	// RequireReview asks for the quorum also where the proposer holds the verb
	// rollback.
	//
	// +optional
	RequireReview *bool `json:"requireReview,omitempty"`
}

// Environment is one secret, and its exceptions from the project's policy.
type Environment struct {
	// Name is the environment's name, in AWS and in RBAC.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9_-]+$`
	// +kubebuilder:validation:XValidation:rule="!(self in ['status','scale','finalizers'])",message="status, scale and finalizers are reserved"
	Name string `json:"name"`

	// RequiredApprovals is the quorum; 0 applies at once.
	//
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=16
	RequiredApprovals *int32 `json:"requiredApprovals,omitempty"`

	// PreventSelfApproval goes before the project's.
	//
	// +optional
	PreventSelfApproval *bool `json:"preventSelfApproval,omitempty"`
	// ChangeTTL goes before the project's.
	//
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m') && duration(self) <= duration('8760h')",message="changeTTL must lie between 1m and 8760h"
	ChangeTTL *metav1.Duration `json:"changeTTL,omitempty"`
	// ConflictPolicy goes before the project's.
	//
	// +optional
	ConflictPolicy ConflictPolicy `json:"conflictPolicy,omitempty"`
	// Rollback goes before the project's.
	//
	// +optional
	Rollback *RollbackPolicy `json:"rollback,omitempty"`
	// VersionHistory goes before the project's.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=15
	VersionHistory *int32 `json:"versionHistory,omitempty"`
	// HistoryLimit goes before the project's.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	HistoryLimit *int32 `json:"historyLimit,omitempty"`
	// PendingLimit goes before the project's.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	PendingLimit *int32 `json:"pendingLimit,omitempty"`
	// Suspend goes before the project's.
	//
	// +optional
	Suspend *bool `json:"suspend,omitempty"`
}

// EffectiveProjectName returns the project's name in AWS.
func (p *SecretProject) EffectiveProjectName() string {
	if p.Spec.ProjectName != "" {
		return p.Spec.ProjectName
	}
	return p.Name
}
