package propose

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/secretreview/secretreview/internal/cli/draft"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/live"
	"github.com/secretreview/secretreview/internal/cli/wording"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/dotenv"
	"github.com/secretreview/secretreview/internal/policy"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// Run proposes what the options say.
func (o *Options) Run(ctx context.Context) error {
	f := o.Factory
	e, err := o.validate()
	if err != nil {
		return err
	}
	file, err := o.readFile(ctx)
	if err != nil {
		return err
	}
	target, err := f.ResolveProject(ctx)
	if err != nil {
		return err
	}
	if err := target.Served(); err != nil {
		return err
	}
	if err := checkHeader(o.File, file, target); err != nil {
		return err
	}
	values, err := e.values(ctx, f)
	if err != nil {
		return err
	}
	maps.Copy(values, o.Values)
	store, err := f.Store(ctx, target.Project.Status.Region)
	if err != nil {
		return err
	}
	now, err := live.ReadTarget(ctx, store, target)
	if err != nil {
		return err
	}
	in := inputs{Live: now.Values, Base: now.Values, Set: values, Unset: e.unset, Keep: o.Keep}
	if file != nil {
		in.File = file.Values
		if o.Base != nil {
			in.Base = o.Base.Values
		} else if in.Base, err = readBase(ctx, store, target, now, file.Header); err != nil {
			return err
		}
	}
	_, err = o.propose(ctx, store, target, now, in)
	return err
}

// Amend proposes to set and unset keys of what now holds. It returns the name of
// the change that it created, "" where it created none: where nothing would
// change, in a dry run, and for a Git repository.
func (o *Options) Amend(ctx context.Context, store secretstore.Store, target *factory.Target, now live.Version, patch document.Patch) (string, error) {
	if err := o.check(); err != nil {
		return "", err
	}
	return o.propose(ctx, store, target, now, inputs{Live: now.Values, Base: now.Values, Set: patch.Set, Unset: patch.Unset})
}

// propose goes on once everything is read, and returns the name of the change
// that it created, if it did.
func (o *Options) propose(ctx context.Context, store secretstore.Store, target *factory.Target, now live.Version, in inputs) (string, error) {
	wanted, err := wantedState(in)
	var clash *ClashError
	if errors.As(err, &clash) {
		clash.Live = now
	}
	if err != nil {
		return "", err
	}
	patch := document.NewPatch(in.Live, wanted.Wanted)
	o.tellNotes(wanted)
	if patch.Empty() {
		o.tellNoChanges(target)
		return "", nil
	}
	if err := patch.Validate(); err != nil {
		return "", exit.Errorf(exit.Refused, "the change cannot be proposed: %w", err)
	}
	if err := o.confirmRemoval(ctx, wanted.Lacking); err != nil {
		return "", err
	}
	p, err := o.prepare(ctx, target, now, patch)
	if err != nil {
		return "", err
	}
	created, err := o.send(ctx, store, p)
	if !created {
		return "", err
	}
	return p.change, err
}

// prepare names, dates and encodes the proposal.
func (o *Options) prepare(ctx context.Context, target *factory.Target, now live.Version, patch document.Patch) (*proposal, error) {
	f := o.Factory
	user, err := f.User(ctx)
	if err != nil {
		return nil, err
	}
	name, err := draft.Name(target.Project.Name, target.Environment.Name, f.Rand)
	if err != nil {
		return nil, err
	}
	effective, _ := policy.For(target.Project, target.Environment.Name)
	keep := effective.ChangeTTL + keepSlack
	if o.ForGit() {
		keep = max(keep, keepForGit)
	}
	p := &proposal{
		target: target, change: name, user: user, reason: draft.Reason(o.Reason, o.DryRun), base: now.ID, patch: patch, rebaseOf: o.RebaseOf,
		keepUntil: f.Clock.Now().Add(keep),
	}
	return p, p.encode(f, now.Values)
}

// ForGit reports whether the change is printed, and not created.
func (o *Options) ForGit() bool { return o.Output == outputYAML || o.Output == outputJSON }

// send stages and creates, or prints what a dry run or Git needs instead.
func (o *Options) send(ctx context.Context, store secretstore.Store, p *proposal) (created bool, err error) {
	kube, err := o.Factory.Kube()
	if err != nil {
		return false, err
	}
	if !o.ForGit() {
		if err := p.preflight(ctx, kube); err != nil {
			return false, err
		}
	}
	if o.DryRun {
		return false, o.tellDryRun(p)
	}
	arn, err := p.stage(ctx, store)
	if err != nil {
		return false, err
	}
	if o.ForGit() {
		if err := o.printManifest(p, arn); err != nil {
			return false, p.unstage(ctx, store, arn, atOnce, err)
		}
		return false, nil
	}
	if err := p.create(ctx, kube, store, arn); err != nil {
		return false, err
	}
	return true, o.tellProposed(p)
}

// confirmRemoval asks, or requires --prune, before keys go that only the
// file's silence removes.
func (o *Options) confirmRemoval(ctx context.Context, lacking []string) error {
	if len(lacking) == 0 || o.Prune {
		return nil
	}
	if !o.Factory.Terminal.CanAsk() {
		return exit.Errorf(exit.Refused, "%s lacks %s: remove with --prune, or add to the file: %s",
			o.File, wording.Count(len(lacking), "live key"), wording.Keys(lacking))
	}
	yes, err := o.Factory.Prompter.Confirm(ctx, fmt.Sprintf("%s lacks %s: %s. Remove?",
		o.File, wording.Count(len(lacking), "live key"), wording.Keys(lacking)))
	if err != nil {
		return err
	}
	if !yes {
		return exit.Errorf(exit.Cancelled, "nothing is proposed: add the keys to %s, or change single ones with --set", o.File)
	}
	return nil
}

// readBase reads what the file was a copy of, which without a header is what
// is live.
func readBase(ctx context.Context, store secretstore.Store, t *factory.Target, now live.Version, header dotenv.Header) (document.Document, error) {
	if header.IsZero() || header.VersionID == now.ID {
		return now.Values, nil
	}
	base, err := live.Read(ctx, store, t.Status.SecretName, header.VersionID)
	if secretstore.KindOf(err) == secretstore.KindNotFound {
		return nil, exit.Errorf(exit.Conflict,
			"the file was pulled from version %s, which AWS no longer has, so it cannot be told what you changed: pull into another file, bring your edit over, and propose that",
			header.VersionID)
	}
	if err != nil {
		return nil, fmt.Errorf("read the version that the file was pulled from: %w", err)
	}
	return base.Values, nil
}

// checkHeader refuses a file that was pulled from another environment.
func checkHeader(path string, file *dotenv.File, t *factory.Target) error {
	if file == nil || file.Header.IsZero() {
		return nil
	}
	project := t.Project.EffectiveProjectName()
	if file.Header.Project == project && file.Header.Environment == t.Environment.Name {
		return nil
	}
	return exit.Errorf(exit.Refused,
		"%s was pulled from %s/%s, and not from %s/%s: choose that with -p and -e, or delete the file's first line if it is meant",
		path, file.Header.Project, file.Header.Environment, project, t.Environment.Name)
}
