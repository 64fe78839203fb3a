package check

import (
	"context"
	"errors"
	"fmt"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/check/finding"
	"github.com/secretreview/secretreview/internal/cli/check/rules"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/live"
	"github.com/secretreview/secretreview/internal/cli/review/sheet"
	"github.com/secretreview/secretreview/internal/cli/terminal"
	"github.com/secretreview/secretreview/internal/cli/wording"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// diff is which keys a change touches, or why that is not known.
type diff struct {
	// NotMade says why there is none, "" if there is one.
	NotMade string
	Keys    []document.KeyChange
	// LiveVersionID is what it was made against, "" where nothing is live yet.
	LiveVersionID string
}

// reader makes diffs with this process's own credentials.
type reader struct {
	options *Options
	set     *rules.Set
	// gaveUp says for which regions, and why, nothing more is asked.
	gaveUp map[string]string
}

// general are the reasons that are the same for all changes of a region.
var general = map[secretstore.Kind]string{
	secretstore.KindCredentials: "there are no credentials for AWS, or they have expired",
	secretstore.KindUnavailable: "AWS does not answer",
}

// diff reads what a change has staged and what is live. What is not what the
// change pins becomes a finding. It fails only where the person gave up.
func (r *reader) diff(ctx context.Context, c *rules.Change) (diff, error) {
	switch {
	case r.options.Offline:
		return diff{NotMade: "--offline was given"}, nil
	case c.Spec.Staged == nil:
		return diff{NotMade: "a rollback or restore is worked out in the cluster"}, nil
	case !c.Own:
		return diff{NotMade: "what it pins is not its own"}, nil
	}
	at, _ := rules.Locate(&c.SecretChange)
	if why := r.gaveUp[at.Region]; why != "" {
		return diff{NotMade: why}, nil
	}
	made, err := r.read(ctx, c, at)
	var wrong *sheet.MismatchError
	switch {
	case ctx.Err() != nil:
		return diff{}, ctx.Err()
	case errors.As(err, &wrong):
		r.set.Reportf(c, finding.Error, finding.Staged, "spec.staged", "%s", wrong)
		return diff{NotMade: "what is staged is not what it pins"}, nil
	case err != nil:
		why, _ := exit.Sentence(err)
		if general := general[secretstore.KindOf(err)]; general != "" {
			_, _ = fmt.Fprintf(r.options.Factory.ErrOut, "Note: %s.\n", terminal.Escape(why))
			r.gaveUp[at.Region], why = general, general
		}
		return diff{NotMade: why}, nil
	}
	return made, nil
}

func (r *reader) read(ctx context.Context, c *rules.Change, at rules.Location) (diff, error) {
	store, err := r.options.Factory.Store(ctx, at.Region)
	if err != nil {
		return diff{}, err
	}
	got, err := r.pinned(ctx, store, c)
	if err != nil {
		return diff{}, err
	}
	patch, err := sheet.OpenStaged(&c.SecretChange, document.Identity{
		Cluster: r.options.ClusterName, Namespace: c.Namespace, Project: at.Project, Environment: c.Spec.Environment, Change: c.Name,
	}, got)
	if err != nil {
		return diff{}, err
	}
	now, err := live.Read(ctx, store, naming.LiveSecret(at.Prefix, at.Project, c.Spec.Environment), "")
	if err != nil && secretstore.KindOf(err) != secretstore.KindNotFound {
		return diff{}, fmt.Errorf("read what is live: %w", err)
	}
	// Where nothing is live yet, the secret is there and has no version.
	r.warnOfConflict(c, patch, now)
	return diff{Keys: document.Diff(now.Values, patch.Apply(now.Values)), LiveVersionID: now.ID}, nil
}

// pinned reads the version that a change pins. A secret that has it no longer
// has no other either: sr writes one version, and the manager deletes it whole.
func (r *reader) pinned(ctx context.Context, store secretstore.Store, c *rules.Change) (secretstore.Version, error) {
	pin := c.Spec.Staged
	got, err := store.Get(ctx, secretstore.GetInput{ID: pin.SecretARN, VersionID: string(pin.VersionID)})
	if err == nil {
		return got, nil
	}
	if secretstore.KindOf(err) != secretstore.KindNotFound {
		return secretstore.Version{}, fmt.Errorf("read the staged values: %w", err)
	}
	if _, other := store.Get(ctx, secretstore.GetInput{ID: pin.SecretARN}); other == nil {
		r.set.Reportf(c, finding.Error, finding.Staged, "spec.staged.versionID",
			"what is staged has another version: take what \"propose -o yaml\" printed as it is")
	}
	return secretstore.Version{}, exit.Errorf(exit.NotFound, "nothing is staged as it pins it: it has ended, or has to be proposed again")
}

// warnOfConflict tells that what is live is no longer what the change was
// proposed on.
func (r *reader) warnOfConflict(c *rules.Change, patch document.Patch, now live.Version) {
	if clashes := patch.Clashes(now.Values); len(clashes) > 0 {
		r.set.Reportf(c, finding.Warning, finding.Conflict, "spec.staged",
			"others have changed the same keys since it was proposed, so that it will end as Conflicted: %s; rebase it under a new name", wording.Keys(clashes))
		return
	}
	if base := string(c.Spec.BaseVersionID); base != "" && base != now.ID {
		r.set.Reportf(c, finding.Warning, finding.Conflict, "spec.baseVersionID",
			"it is no longer live, so that the change will end as Conflicted, unless the project's conflictPolicy is %s", v1alpha1.ConflictByKey)
	}
}
