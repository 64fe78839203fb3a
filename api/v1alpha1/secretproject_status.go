package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SecretProjectStatus is written by the controller alone.
type SecretProjectStatus struct {
	// ObservedGeneration is the generation that the rest of the status speaks
	// of; -1 until the controller has seen the project.
	//
	// +optional
	// +kubebuilder:default=-1
	ObservedGeneration int64 `json:"observedGeneration"`

	// Conditions are Ready, with Reconciling or Stalled while it is not True,
	// PoliciesInForce and InSync.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// Region is the AWS region of the secrets. With Prefix and ClusterName it is
	// what a client needs to stage a change.
	//
	// +optional
	Region string `json:"region,omitempty"`
	// Prefix is what the names of all secrets in AWS begin with.
	//
	// +optional
	Prefix string `json:"prefix,omitempty"`
	// ClusterName is what this cluster is called in the tags of its secrets.
	//
	// +optional
	ClusterName string `json:"clusterName,omitempty"`

	// EnvironmentNames lists all environments, for a printer column.
	//
	// +optional
	EnvironmentNames string `json:"environmentNames,omitempty"`
	// DriftedNames lists those that have drifted, for a printer column.
	//
	// +optional
	DriftedNames string `json:"driftedNames,omitempty"`

	// Environments are what is known of each live secret.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Environments []EnvironmentStatus `json:"environments,omitempty"`
}

// EnvironmentStatus is what is known of an environment's live secret.
type EnvironmentStatus struct {
	// Name is the environment's name.
	//
	// +required
	Name string `json:"name"`

	// SecretName is the live secret's name in AWS.
	//
	// +optional
	SecretName string `json:"secretName,omitempty"`
	// SecretARN is its ARN; empty while AWS has not shown it.
	//
	// +optional
	SecretARN string `json:"secretARN,omitempty"`

	// KMSKeyID is the live secret's key; empty means aws/secretsmanager.
	//
	// +optional
	KMSKeyID string `json:"kmsKeyID,omitempty"`

	// LiveVersionID is the version with AWSCURRENT; empty if there is none.
	//
	// +optional
	LiveVersionID string `json:"liveVersionID,omitempty"`

	// Keys is how many keys the live version has.
	//
	// +optional
	Keys int32 `json:"keys,omitempty"`

	// BaselineVersionID is what was live when the environment was first seen:
	// the reference for drift until a change is applied.
	//
	// +optional
	BaselineVersionID string `json:"baselineVersionID,omitempty"`

	// LastAppliedChange is the name of the newest Applied change.
	//
	// +optional
	LastAppliedChange string `json:"lastAppliedChange,omitempty"`
	// LastAppliedVersionID is the version that it made live.
	//
	// +optional
	LastAppliedVersionID string `json:"lastAppliedVersionID,omitempty"`
	// LastAppliedTime is when it was seen live.
	//
	// +optional
	LastAppliedTime *metav1.MicroTime `json:"lastAppliedTime,omitempty"`

	// Versions can be restored, the newest first.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	Versions []RestorableVersion `json:"versions,omitempty"`

	// Replication is the state in each other region.
	//
	// +optional
	// +listType=map
	// +listMapKey=region
	// +kubebuilder:validation:MaxItems=40
	Replication []ReplicationStatus `json:"replication,omitempty"`

	// Drift is set while the live version is not what the last Applied change
	// wrote.
	//
	// +optional
	Drift *Drift `json:"drift,omitempty"`

	// Problem is set while the environment cannot be served.
	//
	// +optional
	Problem *Problem `json:"problem,omitempty"`
}

// RestorableVersion is a version that a change wrote or replaced, and that AWS
// still has.
type RestorableVersion struct {
	// VersionID is the version's id.
	//
	// +required
	VersionID string `json:"versionID"`
	// Change wrote it; empty where it is not known, and where no change did.
	//
	// +optional
	Change string `json:"change,omitempty"`
	// ReplacedBy is the change that replaced it, of a version that no change
	// wrote.
	//
	// +optional
	ReplacedBy string `json:"replacedBy,omitempty"`
	// Time is when it was made live or, if no change wrote it, replaced.
	//
	// +optional
	Time *metav1.MicroTime `json:"time,omitempty"`
}

// ReplicationStatus is the state of a replica, as AWS words it.
type ReplicationStatus struct {
	// Region is the replica's region.
	//
	// +required
	Region string `json:"region"`
	// Status is InSync, InProgress or Failed.
	//
	// +optional
	Status string `json:"status,omitempty"`
	// Message is why it failed.
	//
	// +optional
	Message string `json:"message,omitempty"`
}

// Drift tells of a live version that no known change wrote.
type Drift struct {
	// ExpectedVersionID is what should be live.
	//
	// +optional
	ExpectedVersionID string `json:"expectedVersionID,omitempty"`

	// LiveVersionID is what is live.
	//
	// +optional
	LiveVersionID string `json:"liveVersionID,omitempty"`

	// ForeignChangeUID is set where a version bears the label of a change that
	// this cluster does not know. It holds all applying and deleting there
	// until the live version is adopted.
	//
	// +optional
	ForeignChangeUID string `json:"foreignChangeUID,omitempty"`

	// ObservedAt is when the controller first saw it.
	//
	// +optional
	ObservedAt *metav1.MicroTime `json:"observedAt,omitempty"`
}

// Problem says why an environment cannot be served.
type Problem struct {
	// Reason is constant: a condition's reason.
	//
	// +required
	Reason string `json:"reason"`
	// Message says what to do next.
	//
	// +required
	Message string `json:"message"`
}

// Environment returns the status of the named environment, or nil.
func (s *SecretProjectStatus) Environment(name string) *EnvironmentStatus {
	for i := range s.Environments {
		if s.Environments[i].Name == name {
			return &s.Environments[i]
		}
	}
	return nil
}
