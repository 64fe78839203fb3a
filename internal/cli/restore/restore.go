// Package restore is the command that puts a whole environment back as it was.
package restore

import (
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
	if err := command.RegisterFlagCompletionFunc("to", selector.CompleteApplied(f)); err != nil {
		panic(err) // there is no such flag
	}
	return command
}

func (o *Options) run(ctx context.Context) error {
	if o.To == "" {
		return exit.Errorf(exit.Usage, "nothing is named to go back to: give a change or a version with --to; \"%s versions\" lists them", o.Factory.Program)
	}
	if err := o.Validate(); err != nil {
		return err
	}
	if versionLike.MatchString(o.To) {
		return o.toVersion(ctx)
	}
	change, err := (&selector.Options{Applied: true}).Find(ctx, o.Factory, []string{o.To})
	if err != nil {
		return err
	}
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
		Question: fmt.Sprintf("Restore %s/%s as it was after change %s?", target.Project.Name, target.Environment.Name, change.Name),
	})
}

// versionLike is the form of the VersionIds that AWS and this project draw, or the
// beginning of one. A change's name is not of this form: it has the environment
// in the middle.
var versionLike = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{0,4}){0,3}(-[0-9a-fA-F]{0,12})?$`)

// versionLength is how long a whole VersionId is.
const versionLength = 36

func (o *Options) toVersion(ctx context.Context) error {
	target, err := o.Factory.ResolveProject(ctx)
	if err != nil {
		return err
	}
	id, err := o.version(target)
	if err != nil {
		return err
	}
	return o.Run(ctx, target, revert.Way{
		Source:   v1alpha1.SecretChangeSpec{Restore: &v1alpha1.RestoreSource{VersionID: v1alpha1.VersionID(id)}},
		Versions: v1alpha1.Revert{ToVersionID: id},
		Question: fmt.Sprintf("Restore %s/%s to version %s?", target.Project.Name, target.Environment.Name, id),
	})
}

// version completes a version from those that the controller lists.
func (o *Options) version(target *factory.Target) (string, error) {
	if len(o.To) == versionLength || target.Status == nil {
		return o.To, nil
	}
	var found []string
	for _, v := range target.Status.Versions {
		if strings.HasPrefix(v.VersionID, strings.ToLower(o.To)) {
			found = append(found, v.VersionID)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", exit.Errorf(exit.NotFound, "%s has no version that begins with %s: \"%s versions\" lists them", target, o.To, o.Factory.Program)
	default:
		return "", exit.Errorf(exit.Usage, "%d versions begin with %s: type more of it", len(found), o.To)
	}
}
