// Package change is the state machine of a SecretChange: from what is observed
// it works out what to do next. It is pure. The controller shows it what it has,
// and Decide either asks for one more thing to be read, or answers with at most
// one effect and the status to be written.
package change

import (
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/audit"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/policy"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// Settings are what a manager is started with.
type Settings struct {
	// Cluster, Prefix and Region identify what is ours in AWS.
	Cluster, Prefix, Region string
	// Account is the AWS account of the controller; empty if not known.
	Account string
	// Identities tells people apart.
	Identities policy.Identities
	// RequireOwnerTag serves a live secret only where its owner tag names this
	// cluster and namespace.
	RequireOwnerTag bool
	// ConsistencyGrace is how old an answer of AWS may be, which is eventually
	// consistent: for so long what it does not show yet does not count.
	ConsistencyGrace time.Duration
	// DecisionHolds is how old a decision may be when it makes something live: no
	// longer than a leader may be sure to lead. 0 sets no limit of its own.
	DecisionHolds time.Duration
	// ProjectGrace is how long a change waits for a project or environment that
	// is not there: Git may bring both at once, in any order.
	ProjectGrace time.Duration
	// NewNonce makes a text of at least 128 random bits, 64 bytes at most.
	NewNonce func() string
}

// Trust is the state of the admission policies; see guard.State.
type Trust struct {
	Intact   bool
	Epoch    int64
	Since    time.Time
	Reason   string
	Policies []v1alpha1.ObjectRevision
}

// Facts are what has been observed. What is nil has not been looked at.
type Facts struct {
	Now    time.Time
	Change *v1alpha1.SecretChange
	// Project is nil if there is none of that name.
	Project *v1alpha1.SecretProject
	Trust   Trust
	Queue   Queue
	// Heads are the newest records of the environment's audit chains.
	Heads *audit.Heads
	// Fresh says that Change and Project were read from the API server itself,
	// not from a cache.
	Fresh       bool
	Staged      *Staged
	StagedValue *StagedValue
	Live        *Live
	LiveValue   *LiveValue
	// Versions are others of the live secret, by id.
	Versions map[string]LiveValue
}

// Renew takes over what the API server itself tells now: Now, Change, Project,
// Trust, and of Queue what is Ahead. What was seen of the live secret is forgotten
// if another attempt is on record since, or if it is old: a process may stand still
// for any time between two reads, and what is older than an attempt tells nothing of
// it, and little of whose the secret is.
func (f *Facts) Renew(fresh Facts) {
	if since(f.Now, fresh.Now) > shortestGrace || !equality.Semantic.DeepEqual(f.Change.Status.Attempt, fresh.Change.Status.Attempt) {
		f.Live, f.LiveValue = nil, nil
	}
	f.Now, f.Change, f.Project, f.Trust, f.Fresh = fresh.Now, fresh.Change, fresh.Project, fresh.Trust, true
	f.Queue.Ahead = fresh.Queue.Ahead
}

// since is how much time has passed by either clock: the one that only goes forward
// stops while a machine is suspended.
func since(then, now time.Time) time.Duration {
	return max(now.Sub(then), now.Round(0).Sub(then.Round(0)))
}

// Staged is a staged secret's metadata.
type Staged struct {
	Missing bool
	Secret  secretstore.Secret
}

// StagedValue is the staged version that the change pins.
type StagedValue struct {
	Missing bool
	// Digest is of its bytes.
	Digest   string
	Document document.Staged
	// Err is why the bytes are no staged document.
	Err error
}

// StagedValueOf reads the bytes of a staged version.
func StagedValueOf(value sensitive.Value) StagedValue {
	staged, err := document.ParseStaged(value)
	return StagedValue{Digest: document.Digest(value), Document: staged, Err: err}
}

// Live is the live secret's metadata.
type Live struct {
	Missing bool
	Secret  secretstore.Secret
	// Labels are our labels on versions that changes wrote, Kept those on
	// versions that changes have replaced.
	Labels, Kept []Label
}

// Label is one of our labels on a version of the live secret.
type Label struct {
	VersionID string
	ChangeUID string
	// Known says that this cluster has, or is on record to have had, the change.
	Known bool
	// Unfinished says that the change may still need the version, Applying that it
	// may be being made live by it.
	Unfinished, Applying bool
	// Record is the change's own in the chain of what became live; zero if it has
	// none.
	Record v1alpha1.ChainLink
	// AppliedAt is when that change became live; zero if it never did, or if the
	// change itself is gone and no record tells.
	AppliedAt time.Time
	// DecidedAt is when it was approved last, which was before it became live; zero
	// if that is not on record.
	DecidedAt time.Time
}

// LiveValue is a version of the live secret.
type LiveValue struct {
	// Missing says that the secret has no such version, or none at all.
	Missing   bool
	VersionID string
	Document  document.Document
	// Err is why the value is not a document.
	Err error
}

// Read is something that Decide needs to see first.
type Read string

// Reads.
const (
	// ReadNothing: the action is complete.
	ReadNothing Read = ""
	// ReadFresh: Change, Project and Queue again, past every cache.
	ReadFresh Read = "Fresh"
	// ReadStaged: the staged secret's metadata.
	ReadStaged Read = "Staged"
	// ReadStagedValue: the pinned staged version.
	ReadStagedValue Read = "StagedValue"
	// ReadLive: the live secret's metadata.
	ReadLive Read = "Live"
	// ReadLiveValue: Action.ReadVersion of the live secret, AWSCURRENT if empty.
	ReadLiveValue Read = "LiveValue"
	// ReadOldValue: Action.ReadVersion of the live secret, into Versions: one that is
	// not live, older or yet to be.
	ReadOldValue Read = "OldValue"
	// ReadHeads: the newest records of the environment's audit chains.
	ReadHeads Read = "Heads"
)

// EffectKind names the one outside effect of a reconcile.
type EffectKind string

// Effects.
const (
	NoEffect        EffectKind = ""
	AddFinalizer    EffectKind = "AddFinalizer"
	RemoveFinalizer EffectKind = "RemoveFinalizer"
	// RestoreStaged takes the staged secret back from its recovery window.
	RestoreStaged EffectKind = "RestoreStaged"
	// DeleteStaged deletes the staged secret at once.
	DeleteStaged EffectKind = "DeleteStaged"
	// Put writes a version of the live secret.
	Put EffectKind = "Put"
	// MoveLabel moves a label of the live secret.
	MoveLabel EffectKind = "MoveLabel"
)

// Effect is one call that changes something outside.
type Effect struct {
	Kind EffectKind
	// ARN is the secret that it is done to.
	ARN string
	// Put and Move are set for the effects of their names.
	Put  secretstore.PutInput
	Move secretstore.MoveLabelInput
}

// MakesLive reports whether the effect moves AWSCURRENT.
func (e Effect) MakesLive() bool {
	return e.Kind == MoveLabel && e.Move.Label == secretstore.LabelCurrent
}

// Event is told to whoever watches the change. Its reason is constant.
type Event struct {
	Warning         bool
	Reason, Message string
}

// Action is what to do.
type Action struct {
	// Read asks for more before anything can be decided; the rest is then empty.
	Read        Read
	ReadVersion string

	Effect Effect
	// StatusFirst says that Status must be on record before the effect.
	StatusFirst bool
	// Status is the whole status to be written, if it differs.
	Status v1alpha1.SecretChangeStatus
	Events []Event
	// Again asks to be called at once after the writes.
	Again bool
	// After asks to be called after a while; 0 waits for something to change.
	After time.Duration
}

// ProjectName returns the project's name in AWS: the SecretProject's, or, where
// that is gone, the change's own word for it.
func (f Facts) ProjectName() string {
	if f.Project == nil {
		return f.Change.Spec.Project
	}
	return f.Project.EffectiveProjectName()
}
