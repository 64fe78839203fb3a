// Package config holds the manifests of an installation. The manager compares the cluster's admission policies and
// CRDs with the ones in here; tests and the local cluster apply them all.
package config

import "embed"

// Manifests are the files that an installation consists of. Beside them lie kustomization.yaml files, which are no
// Kubernetes objects. A file may hold several documents.
//
//go:embed admission crd/bases rbac manager
var Manifests embed.FS

// Folders of Manifests. Policies go before CRDs: it leaves no moment in
// which a change could be stored that they have not seen.
const (
	AdmissionDir = "admission"
	CRDDir       = "crd/bases"
	RBACDir      = "rbac"
	ManagerDir   = "manager"
	// ProposerDir needs MutatingAdmissionPolicy in admissionregistration.k8s.io/v1, which Kubernetes serves from 1.36 on.
	ProposerDir = "admission/proposer"
)
