package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// ChainLink names one record of a chain of finished changes.
type ChainLink struct {
	// Sequence counts the records of the chain, from 1.
	//
	// +required
	// +kubebuilder:validation:Minimum=1
	Sequence int64 `json:"sequence"`

	// Digest is the SHA-256 of the record, as RFC 8785 writes it.
	//
	// +required
	// +kubebuilder:validation:MaxLength=71
	// +kubebuilder:validation:Pattern=`^sha256:[0-9a-f]{64}$`
	Digest string `json:"digest"`
}

// AuditSeal is set as the change ends. An environment has two chains of records:
// of changes that wrote a version which became live, and of all others.
type AuditSeal struct {
	ChainLink `json:",inline"`

	// Previous is the digest of the record before, which this one's covers; empty
	// for the first of all.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=71
	Previous string `json:"previous,omitempty"`

	// UID is the change's own when it ended. A backup brings it back under another.
	//
	// +required
	UID types.UID `json:"uid"`

	// CreatedAt is when it was created, which a backup does not bring back either.
	//
	// +required
	CreatedAt metav1.Time `json:"createdAt"`
}

// Commitment is what an attempt's VersionID is the digest of, beside what is
// proposed: so that AWS, which never changes a version's id, bears witness to
// it.
type Commitment struct {
	// Nonce is random, so that no two attempts are alike, nor can be foreseen.
	//
	// +required
	// +kubebuilder:validation:MaxLength=64
	Nonce string `json:"nonce"`

	// Approvers are the reviewers whose approvals were counted when the version
	// was about to be written.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Approvers []string `json:"approvers,omitempty"`

	// Sequence is the place in the chain of what became live that the change takes
	// if it does.
	//
	// +required
	Sequence int64 `json:"sequence"`

	// Previous is the digest of the record before in that chain; empty if there is
	// none.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=71
	Previous string `json:"previous,omitempty"`

	// Ended is the newest record that was known of the other chain.
	//
	// +optional
	Ended *ChainLink `json:"ended,omitempty"`
}
