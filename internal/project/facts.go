// Package project works out, from what is observed, what a SecretProject's
// status is. It is pure. The controller shows it what it has, and Decide either
// asks for more to be read, or answers with the whole status.
//
// Asking AWS costs money, so it is done only where there is no record yet, where
// the record tells of a problem, and where a listing has shown something else.
// What a change has made live, and read back, is taken from the change.
package project

import (
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// DescribeLag is how old the answer of a describe is at most.
const DescribeLag = 30 * time.Second

// Settings are what a manager is started with.
type Settings struct {
	// Cluster, Prefix and Region identify what is ours in AWS.
	Cluster, Prefix, Region string
	// RequireOwnerTag serves a live secret only where its owner tag names this
	// cluster and the project's namespace.
	RequireOwnerTag bool
}

// Facts are what has been observed.
type Facts struct {
	Now     time.Time
	Project *v1alpha1.SecretProject
	Trust   Trust
	// Outage is why AWS could not be asked for a while, or nil.
	Outage *Failure
	// Environments are by name; one that is not in here has nothing observed.
	Environments map[string]Environment
}

// Trust is the state of the admission policies.
type Trust struct {
	// Known is false until they have been checked for the first time.
	Known  bool
	Intact bool
	// Reason says in one sentence what is wrong, if not Intact.
	Reason string
}

// Failure is an answer that AWS did not give.
type Failure struct {
	Kind secretstore.Kind
	// Message is one sentence.
	Message string
}

// Environment is what has been observed of one environment. What is nil has not
// been looked at.
type Environment struct {
	// Rivals are the other SecretProjects that claim the same live secret.
	Rivals []Rival
	// Applied are the environment's Applied changes, the newest first; the
	// newest MaxVersions are enough.
	Applied []Change
	// Suspected says that a listing has shown something else than the record.
	Suspected bool
	Secret    *Secret
	// Writers are the changes of this cluster, by UID, whose labels Secret bears.
	Writers map[string]Change
	Value   *Value
	// Failure is why the last read of Secret or Value failed.
	Failure *Failure
}

// Rival is another SecretProject.
type Rival struct{ Namespace, Name string }

// Secret is what AWS says of the live secret.
type Secret struct {
	Missing bool
	secretstore.Secret
	// Listed says that it comes from a listing, which tells nothing of replicas.
	Listed bool
}

// Value is what has been learned from a version's value.
type Value struct {
	VersionID string
	Keys      int
	// Problem says why the value is no document; empty if it is one.
	Problem string
}

// Change is what matters here of a SecretChange.
type Change struct {
	Namespace, Name, UID string
	Phase                v1alpha1.Phase
	// AppliedVersionID, PreviousVersionID, Keys and AppliedAt are what an Applied
	// change did; Keys is 0 where it does not say.
	AppliedVersionID, PreviousVersionID string
	Keys                                int32
	AppliedAt                           time.Time
	// Replaced says that something else was live when it was seen applied.
	Replaced bool
	// GoesBack says that it was a rollback or restore, Adopted that it wrote
	// nothing: it restored what was live.
	GoesBack, Adopted bool
}

// ChangeOf takes from a change what matters here.
func ChangeOf(c *v1alpha1.SecretChange) Change {
	out := Change{
		Namespace: c.Namespace, Name: c.Name, UID: string(c.UID), Phase: c.Status.Phase,
		AppliedVersionID: c.Status.AppliedVersionID, PreviousVersionID: c.Status.PreviousVersionID, Keys: c.Status.AppliedKeys,
		Replaced: c.Status.ReplacedByVersionID != "",
		GoesBack: c.Spec.Staged == nil,
		Adopted:  c.Adopted(),
	}
	if c.Status.AppliedAt != nil {
		out.AppliedAt = c.Status.AppliedAt.Time
	}
	return out
}

// ReadKind says what a Read is about.
type ReadKind string

// Kinds of Read.
const (
	// ReadSecret: Environment.Secret, and Writers for the labels that it bears.
	ReadSecret ReadKind = "Secret"
	// ReadValue: Environment.Value.
	ReadValue ReadKind = "Value"
)

// Read is something that Decide needs to see first. If it cannot be read,
// Environment.Failure is the answer.
type Read struct {
	Environment string
	Kind        ReadKind
	// SecretID is the live secret's name or, for a value, its ARN.
	SecretID string
	// VersionID is the version whose value is wanted.
	VersionID string
}

// Event is told to whoever watches the project. Its reason is constant.
type Event struct {
	Warning         bool
	Reason, Message string
}

// Action is what to do.
type Action struct {
	// Reads ask for more before anything can be decided; the rest is then empty.
	Reads []Read
	// Status is the whole status to be written, if it differs.
	Status v1alpha1.SecretProjectStatus
	Events []Event
	// Unsettled are the environments of which AWS has shown something that is
	// older than what is known. They remain suspected.
	Unsettled []string
	// After asks to be called after a while; 0 waits for something to change.
	After time.Duration
	// Failed says that something could not be read and is worth another try.
	Failed *Failure
}
