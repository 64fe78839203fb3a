package change

import (
	"slices"
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
)

// deleting removes what a change has left in AWS and lets it go. A terminating
// namespace must not wait for anything else.
func (d *decider) deleting() *Action {
	if d.Change.DeletionTimestamp == nil {
		return nil
	}
	if a := d.unlabel(); a != nil {
		return a
	}
	if d.foreignOnRecord() {
		return d.release() // the sweep takes what is left, once it may
	}
	if a := d.cleanup(); a != nil {
		return a
	}
	return d.release()
}

// unlabel takes the label of a change that did not become live off what it has
// written: once the change is gone nobody would know the label, which holds an
// environment.
func (d *decider) unlabel() *Action {
	if d.status.Attempt == nil && !adopts(d.Change) || d.status.Phase == v1alpha1.PhaseApplied || !d.claimed() {
		return nil
	}
	if d.Live == nil {
		return read(ReadLive)
	}
	// Where AWS would refuse it, what else there is to do does not wait for that.
	if version := d.Live.Secret.VersionWith(d.label()); version != "" && d.writable() {
		return &Action{Effect: d.moveLabel(d.label(), version, ""), Again: true}
	}
	// A version may have been put once more until its attempt had settled. A terminating namespace must not wait for that.
	// Nor is there anything to wait for where the clock was ahead.
	a := d.status.Attempt
	if a == nil || a.SteppedAt == nil || d.Change.DeletionTimestamp != nil || a.SteppedAt.Sub(d.Now) > d.ConsistencyGrace {
		return nil
	}
	if last := a.SteppedAt.Add(d.ConsistencyGrace); !d.settled(last) {
		return d.settle(last)
	}
	return nil
}

// writable reports whether AWS lets labels of the live secret be moved by this
// cluster: its rights hang on whose the secret is.
func (d *decider) writable() bool {
	secret := d.Live.Secret
	return secret.DeletedAt == nil && (!d.RequireOwnerTag || secret.Tags[naming.TagOwner] == naming.Owner(d.Cluster, d.Change.Namespace))
}

// finished removes what a finished change has left in AWS, once nobody can need
// it any more.
func (d *decider) finished() *Action {
	if !d.status.Phase.Finished() {
		return nil
	}
	if a := d.unlabel(); a != nil {
		return a
	}
	if kept := d.Change.KeptUntil(); d.claimed() && d.Now.Before(kept) {
		return &Action{After: kept.Sub(d.Now) + time.Second}
	}
	if d.foreignOnRecord() && d.claimed() && d.spec.Staged != nil && !d.status.StagedDeleted {
		return &Action{After: foreignRetry}
	}
	if a := d.cleanup(); a != nil {
		return a
	}
	if d.labelled() {
		return &Action{After: labelRetry}
	}
	return d.release()
}

// labelled reports whether the label of a change that did not become live is still
// on the live secret.
func (d *decider) labelled() bool {
	return d.claimed() && d.status.Phase != v1alpha1.PhaseApplied && d.Live != nil && d.Live.Secret.VersionWith(d.label()) != ""
}

// labelRetry is how soon it is looked again whether a label may be taken off.
const labelRetry = 10 * time.Minute

// foreignRetry is how soon it is looked again whether a foreign label still
// holds deletions.
const foreignRetry = time.Minute

// foreignOnRecord reports whether a version bears the label of a change that
// this cluster does not know. Then another cluster of the same name, or one from
// before a backup was restored, may still need what is staged.
func (d *decider) foreignOnRecord() bool {
	if d.Project == nil {
		return false
	}
	environment := d.Project.Status.Environment(d.spec.Environment)
	return environment != nil && environment.Drift != nil && environment.Drift.ForeignChangeUID != ""
}

// claim puts the finalizer on a change before anything else is done for it.
func (d *decider) claim() *Action {
	if d.claimed() {
		return nil
	}
	return &Action{Effect: Effect{Kind: AddFinalizer}, Again: true}
}

func (d *decider) claimed() bool { return slices.Contains(d.Change.Finalizers, v1alpha1.Finalizer) }

func (d *decider) release() *Action {
	if !d.claimed() {
		return &Action{}
	}
	return &Action{Effect: Effect{Kind: RemoveFinalizer}}
}

// cleanup deletes the staged secret if it is this change's; nil if there is
// nothing to delete.
func (d *decider) cleanup() *Action {
	if d.spec.Staged == nil || d.status.StagedDeleted || !d.claimed() || d.stagedARNProblem() != "" {
		return nil
	}
	// What has been validated is known to be this change's. Of anything else, only
	// who knows the staged bytes may have them deleted; the sweep takes the rest.
	if d.status.DiffCounts == nil || !d.vouched() {
		if d.Project == nil {
			return nil
		}
		if d.Staged == nil {
			return read(ReadStaged)
		}
		if d.Staged.Missing || d.stagedTagsProblem() != "" {
			return nil
		}
		if d.StagedValue == nil {
			return read(ReadStagedValue)
		}
		if d.StagedValue.Missing || d.StagedValue.Digest != d.spec.Staged.Digest {
			return nil
		}
	}
	d.status.StagedDeleted = true
	return &Action{Effect: Effect{Kind: DeleteStaged, ARN: d.spec.Staged.SecretARN}}
}
