// Package audit ties the finished changes of an environment into chains, so that
// a record which is altered, taken out or slipped in afterwards is found. It is
// pure.
//
// There are two chains, because trimming takes the oldest of each: of what became
// live, and of all else that ended. A record's digest covers the digest of the
// one before. What goes into AWS is covered twice: the id of a version that a
// change writes is worked out from the change, its approvers and both chains as
// they were (VersionID). AWS never changes a version's id, so whoever rewrites
// records in the cluster would have to rewrite versions in AWS, too.
package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/cyberphone/json-canonicalization/go/src/webpki.org/jsoncanonicalizer"
	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// Chain is one of the two chains of an environment.
type Chain string

// Chains.
const (
	// Live is of changes that wrote a version which became live.
	Live Chain = "Live"
	// Other is of all others: rejected, withdrawn, expired, conflicted, invalid,
	// and those that adopted what was live.
	Other Chain = "Other"
)

// ChainOf returns the chain that a finished change belongs to.
func ChainOf(c *v1alpha1.SecretChange) Chain {
	if c.Status.Phase == v1alpha1.PhaseApplied && !c.Adopted() {
		return Live
	}
	return Other
}

// Record is what a finished change's digest is of. Its JSON must stay as it is: a
// field that is added to the API must be left out where it is empty, and have no
// default.
type Record struct {
	APIVersion string                      `json:"apiVersion"`
	Kind       string                      `json:"kind"`
	Namespace  string                      `json:"namespace"`
	Name       string                      `json:"name"`
	UID        types.UID                   `json:"uid"`
	CreatedAt  metav1.Time                 `json:"createdAt"`
	Chain      Chain                       `json:"chain"`
	Sequence   int64                       `json:"sequence"`
	Previous   string                      `json:"previous,omitempty"`
	Spec       v1alpha1.SecretChangeSpec   `json:"spec"`
	Status     v1alpha1.SecretChangeStatus `json:"status"`
}

const (
	apiVersion = "secretreview.dev/v1alpha1"
	recordKind = "SecretChangeRecord"
)

// RecordOf returns a finished change's record, in the place that its seal gives.
func RecordOf(c *v1alpha1.SecretChange) Record {
	var place v1alpha1.AuditSeal
	if c.Status.Audit != nil {
		place = *c.Status.Audit
	}
	return Record{
		APIVersion: apiVersion, Kind: recordKind,
		Namespace: c.Namespace, Name: c.Name, UID: place.UID, CreatedAt: place.CreatedAt,
		Chain: ChainOf(c), Sequence: place.Sequence, Previous: place.Previous,
		Spec: *c.Spec.DeepCopy(), Status: facts(c.Status),
	}
}

// facts are the part of a status that never changes once the change has ended,
// without what is worked out from it.
func facts(status v1alpha1.SecretChangeStatus) v1alpha1.SecretChangeStatus {
	kept := *status.DeepCopy()
	kept.ObservedGeneration = 0
	kept.Conditions, kept.Summary, kept.Approvals = nil, "", ""
	kept.StagedDeleted = false
	kept.Audit = nil
	return kept
}

// Digest returns the SHA-256 of the record as RFC 8785 writes it, as
// "sha256:" and hexadecimal digits.
func (r Record) Digest() string {
	sum := sha256.Sum256(canonical(r))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// canonical writes v as RFC 8785 has it.
func canonical(v any) []byte {
	text, err := json.Marshal(v)
	if err == nil {
		text, err = jsoncanonicalizer.Transform(text)
	}
	if err != nil {
		panic(fmt.Sprintf("a record cannot be written as JSON: %v", err)) // it consists of strings, whole numbers and times
	}
	return text
}

// commitment is what a version's id is worked out from.
type commitment struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	Namespace  string    `json:"namespace"`
	Name       string    `json:"name"`
	UID        types.UID `json:"uid"`
	// Spec is without the reviews, of which there may come more.
	Spec              v1alpha1.SecretChangeSpec `json:"spec"`
	Revert            *v1alpha1.Revert          `json:"revert,omitempty"`
	SecretARN         string                    `json:"secretARN,omitempty"`
	CurrentVersionID  string                    `json:"currentVersionID,omitempty"`
	PreviousVersionID string                    `json:"previousVersionID,omitempty"`
	v1alpha1.Commitment
}

const commitmentKind = "SecretChangeCommitment"

// VersionID returns the VersionId under which an attempt of the change with this
// UID is written: a UUID of version 8 from the SHA-256 of what the attempt
// commits to, as in RFC 9562, appendix B.2. It is empty where that is nothing.
func VersionID(uid types.UID, c *v1alpha1.SecretChange, attempt *v1alpha1.Attempt, revert *v1alpha1.Revert) string {
	if attempt == nil || attempt.Commitment == nil {
		return ""
	}
	spec := *c.Spec.DeepCopy()
	spec.Reviews = nil
	text := canonical(commitment{
		APIVersion: apiVersion, Kind: commitmentKind, Namespace: c.Namespace, Name: c.Name, UID: uid, Spec: spec, Revert: revert,
		SecretARN: attempt.SecretARN, CurrentVersionID: attempt.CurrentVersionID, PreviousVersionID: attempt.PreviousVersionID,
		Commitment: *attempt.Commitment,
	})
	const custom = 8
	return uuid.NewHash(sha256.New(), uuid.NameSpaceURL, text, custom).String()
}

// Committed reports whether a version's id is one that VersionID may have made.
func Committed(versionID string) bool {
	id, err := uuid.Parse(versionID)
	return err == nil && id.Version() == 8
}
