// Package v1alpha1 is the API of secretreview: SecretProject, the policy under
// which an environment's secrets may change, and SecretChange, one proposed
// change and its audit record. No field of either ever holds a secret value.
//
// +kubebuilder:object:generate=true
// +groupName=secretreview.dev
package v1alpha1
