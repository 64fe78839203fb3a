// Package secretstore is the port to AWS Secrets Manager: the calls that the
// system makes, the facts that they return and the few kinds of error that a
// caller can do something about. Package aws adapts the real service, package
// emulator serves the same protocol in memory, and package storetest is the
// contract that both must keep.
package secretstore

import (
	"context"
	"time"

	"github.com/secretreview/secretreview/internal/sensitive"
)

// Limits of the service, from its quotas page
// (docs.aws.amazon.com/secretsmanager, "AWS Secrets Manager quotas").
const (
	// MaxValueBytes is the size of a secret value at most.
	MaxValueBytes = 65536
	// MaxLabels counts the labels over all versions of one secret, the
	// service's own three included.
	MaxLabels = 20
	// MinRecoveryDays and MaxRecoveryDays bound DeleteInput.RecoveryDays.
	MinRecoveryDays, MaxRecoveryDays = 7, 30
)

// Labels that the service moves itself.
const (
	LabelCurrent  = "AWSCURRENT"
	LabelPrevious = "AWSPREVIOUS"
	LabelPending  = "AWSPENDING"
)

// Store makes the calls. Each method is one request to the service (List: one
// for each page), and returns a *Error where it fails. Answers may be some
// seconds old, List's up to five minutes.
type Store interface {
	// Describe reads a secret's metadata, also of one scheduled for deletion.
	// id is an ARN or a name.
	Describe(ctx context.Context, id string) (Secret, error)
	// Get reads one version's value. A secret scheduled for deletion is
	// KindInvalidState; a missing secret or version KindNotFound.
	Get(ctx context.Context, in GetInput) (Version, error)
	// Create makes a secret with a first version, which becomes AWSCURRENT. A
	// name in use, or scheduled for deletion, is KindExists or KindInvalidState.
	Create(ctx context.Context, in CreateInput) (Version, error)
	// Put adds a version. Again with the same VersionID and content is a no-op;
	// with other content it is KindExists.
	Put(ctx context.Context, in PutInput) error
	// MoveLabel is UpdateSecretVersionStage, never retried by the adapter: an
	// answer may be lost after the move took effect, so on any error the caller
	// must look again.
	MoveLabel(ctx context.Context, in MoveLabelInput) error
	// Delete removes a secret, at once or after a recovery window. Deleting one
	// that is gone, by force, is no error; scheduling one that is scheduled is
	// KindInvalidState. One deleted at once may be seen for some seconds more, as
	// scheduled for deletion, and keeps its name taken for as long.
	Delete(ctx context.Context, in DeleteInput) error
	// Restore takes back a Delete within its recovery window.
	Restore(ctx context.Context, id string) error
	// List returns every secret whose name begins with prefix (case-sensitive),
	// those scheduled for deletion too, tags and version labels included.
	List(ctx context.Context, prefix string) ([]Secret, error)
}

// Secret is a secret's metadata.
type Secret struct {
	ARN, Name string
	// KMSKeyID is a key id, ARN or alias; empty means aws/secretsmanager.
	KMSKeyID string
	// OwningService names the AWS service that manages the secret, if one does.
	OwningService string
	// PrimaryRegion is where a replicated secret is written.
	PrimaryRegion string
	// RotationEnabled says that the service rotates it on a schedule.
	RotationEnabled bool
	// DeletedAt is set where it is scheduled for deletion. AWS's pages differ on
	// whether it is the moment of the request or the planned one: do not reckon
	// with it.
	DeletedAt *time.Time
	CreatedAt time.Time
	Tags      map[string]string
	// Versions maps each labelled VersionId to its labels, sorted.
	Versions map[string][]string
	Replicas []Replica
}

// Replica is a copy in another region.
type Replica struct {
	Region, KMSKeyID string
	// Status is InSync, InProgress or Failed.
	Status  string
	Message string
}

// GetInput names the version to read, by VersionID or by Label; with neither,
// Label defaults to AWSCURRENT. With both, the version must bear the label.
type GetInput struct {
	ID        string
	VersionID string
	Label     string
}

// Version is one version with its value.
type Version struct {
	ARN, Name, VersionID string
	// Labels are what the version bore when it was read, sorted; a version that
	// package cache remembers has none, because labels move.
	Labels []string
	// Value is the SecretString. Binary says that the version holds a
	// SecretBinary instead; then Value is empty.
	Value  sensitive.Value
	Binary bool
}

// CreateInput describes a new secret.
type CreateInput struct {
	Name string
	// VersionID is the ClientRequestToken: a UUID, 32 to 64 characters. Creating
	// again with the same VersionID and Value is a no-op.
	VersionID string
	// Value empty makes a secret without any version; the service has no empty
	// values.
	Value       sensitive.Value
	KMSKeyID    string
	Description string
	Tags        map[string]string
}

// PutInput describes a new version.
type PutInput struct {
	ID, VersionID string
	Value         sensitive.Value
	// Labels must not be empty, or the service would move AWSCURRENT. A secret
	// without any version makes its first one AWSCURRENT whatever they say.
	Labels []string
}

// MoveLabelInput moves one label between versions of a secret. The service
// refuses when the label stands on another version than From.
type MoveLabelInput struct {
	ID, Label string
	// From is the version that has the label, empty if none has.
	From string
	// To is the version that gets it; empty takes the label off.
	To string
}

// DeleteInput says how to delete.
type DeleteInput struct {
	ID string
	// RecoveryDays is how long Restore stays possible; 0 deletes at once.
	RecoveryDays int
}
