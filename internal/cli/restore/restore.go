// Package restore is the command that puts a whole environment back as it was.
package restore

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/revert"
	"github.com/secretreview/secretreview/internal/cli/selector"
)

const (
	long = `Put a whole environment back as it was, as git reset does.

With a change, it is as right after that change; with a version, as that version is. What
came since is gone. "versions" lists how far back it goes.

A restore is a change like any other. Who holds the verb rollback needs nobody else, to
what an applied change wrote, unless the project's policy wants a review. Restoring the
version that is live changes nothing and adopts it, which ends drift.`

	examples = `  # Back to how it was right after a change
  {{P}} restore --to backend-api-production-x7k2p -r "Start over from Monday's state"

  # Back to a version
  {{P}} restore --to 7f07b8e6-b368-4559-8d5a-3bf3bf625b46 -r "Before all of it"

  # See what that would change
  {{P}} restore --to backend-api-production-x7k2p -r "Look" --dry-run`
)

// Options are the command's flags.
type Options struct {
	revert.Options
	To string
}

// New returns the command.
func New(f *factory.Factory) *cobra.Command {
	o := &Options{Options: revert.Options{Factory: f}}
	command := &cobra.Command{
		Use:                   "restore --to CHANGE|VERSION -r REASON",
		DisableFlagsInUseLine: true,
		Short:                 "Put a whole environment back as it was",
		Long:                  long,
		Example:               strings.ReplaceAll(examples, "{{P}}", f.Program),
		Args:                  factory.NoArgs,
		RunE:                  func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	flags := command.Flags()
	flags.StringVar(&o.To, "to", "", "the change after which, or the version (or its beginning) at which, it was as wanted (required)")
	o.AddFlags(flags)
	if err := command.RegisterFlagCompletionFunc("to", completeTo(f)); err != nil {
		panic(err) // there is no such flag
	}
	return command
}

// completeTo offers the versions of the current environment, and the changes that
// were applied.
func completeTo(f *factory.Factory) cobra.CompletionFunc {
	changes := selector.CompleteApplied(f)
	return func(cmd *cobra.Command, args []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
		offers, directive := changes(cmd, args, prefix)
		if target, err := f.ResolveProject(cmd.Context()); err == nil && target.Status != nil {
			for _, v := range target.Status.Versions {
				if strings.HasPrefix(v.VersionID, prefix) {
					offers = append(offers, cobra.CompletionWithDesc(v.VersionID, "version of "+cmp.Or(v.Change, "nobody's change")))
				}
			}
		}
		return offers, directive
	}
}

func (o *Options) run(ctx context.Context) error {
	if o.To == "" {
		return exit.Errorf(exit.Usage, "nothing is named to go back to: give a change or a version with --to; \"%s versions\" lists them", o.Factory.Program)
	}
	if err := o.Validate(); err != nil {
		return err
	}
	target, unresolved := o.Factory.ResolveProject(ctx)
	if unresolved == nil {
		id, err := listed(target, o.To)
		if err != nil {
			return err
		}
		if id != "" {
			return o.toVersion(ctx, target, id)
		}
	}
	change, err := (&selector.Options{Applied: true, Whole: o.Yes}).Find(ctx, o.Factory, []string{o.To})
	if exit.CodeOf(err) == exit.NotFound && version.MatchString(o.To) {
		// One that the controller does not list: somebody else's, or the live one.
		if unresolved != nil {
			return unresolved
		}
		return o.toVersion(ctx, target, o.To)
	}
	if exit.CodeOf(err) == exit.NotFound {
		return exit.Errorf(exit.NotFound, "%w, and no version begins so: \"%s versions\" lists them", err, o.Factory.Program)
	}
	if err != nil {
		return err
	}
	return o.toChange(ctx, change)
}

// version is the form of a VersionId (ClientRequestToken, 32 to 64 characters).
var version = regexp.MustCompile(`^[a-zA-Z0-9-]{32,64}$`)

// minVersion is how much of a version names it.
const minVersion = 4

// listed completes a version from those that the controller lists; empty where
// none is meant.
func listed(target *factory.Target, name string) (string, error) {
	if target.Status == nil || len(name) < minVersion {
		return "", nil
	}
	var found []string
	for _, v := range target.Status.Versions {
		if len(v.VersionID) >= len(name) && strings.EqualFold(v.VersionID[:len(name)], name) {
			found = append(found, v.VersionID)
		}
	}
	if len(found) > 1 {
		return "", exit.Errorf(exit.Usage, "%d versions begin with %s: type more of it", len(found), name)
	}
	return strings.Join(found, ""), nil
}

func (o *Options) toVersion(ctx context.Context, target *factory.Target, id string) error {
	return o.Run(ctx, target, revert.Way{
		Source:   v1alpha1.SecretChangeSpec{Restore: &v1alpha1.RestoreSource{VersionID: v1alpha1.VersionID(id)}},
		Versions: v1alpha1.Revert{ToVersionID: id},
		What:     fmt.Sprintf("restore %s/%s to version %s", target.Project.Name, target.Environment.Name, id),
	})
}

func (o *Options) toChange(ctx context.Context, change *v1alpha1.SecretChange) error {
	if err := revert.Applied(change); err != nil {
		return err
	}
	target, err := revert.TargetOf(ctx, o.Factory, change)
	if err != nil {
		return err
	}
	return o.Run(ctx, target, revert.Way{
		Source:   v1alpha1.SecretChangeSpec{Restore: &v1alpha1.RestoreSource{Change: change.Name}},
		Versions: v1alpha1.Revert{ToVersionID: change.Status.AppliedVersionID},
		What:     fmt.Sprintf("restore %s/%s as it was after change %s", target.Project.Name, target.Environment.Name, change.Name),
	})
}
