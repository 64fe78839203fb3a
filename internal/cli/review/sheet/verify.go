package sheet

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/live"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// MismatchError says that what is staged is not what the change says it is.
type MismatchError struct{ what string }

func (e *MismatchError) Error() string {
	return e.what + ": do not approve it, and ask its proposer to propose it again"
}

func mismatch(format string, args ...any) error {
	return &MismatchError{fmt.Sprintf(format, args...)}
}

// checkARN refuses a staged secret that is not this change's by its name, its
// region and its account. Nothing is read from one that is not.
func checkARN(change *v1alpha1.SecretChange, t *factory.Target) error {
	staged, ok := secretstore.ParseARN(change.Spec.Staged.SecretARN)
	if !ok {
		return mismatch("the change does not name a staged secret by its full ARN")
	}
	status := t.Project.Status
	want := naming.StagedSecret(status.Prefix, t.Project.EffectiveProjectName(), change.Name)
	secret, _ := secretstore.ParseARN(t.Status.SecretARN)
	switch {
	case staged.Name != want:
		return mismatch("the staged secret is %q, and this change's would be %q", staged.Name, want)
	case staged.Region != status.Region:
		return mismatch("the staged secret is in region %s, not %s", staged.Region, status.Region)
	case secret.Account != "" && staged.Account != secret.Account:
		return mismatch("the staged secret is in AWS account %s, not %s", staged.Account, secret.Account)
	default:
		return nil
	}
}

// openStaged is OpenStaged for a change of a target.
func openStaged(change *v1alpha1.SecretChange, t *factory.Target, got secretstore.Version) (document.Patch, error) {
	return OpenStaged(change, document.Identity{
		Cluster: t.Project.Status.ClusterName, Namespace: change.Namespace, Project: t.Project.EffectiveProjectName(),
		Environment: change.Spec.Environment, Change: change.Name,
	}, got)
}

// OpenStaged returns the edit in a staged version, if it is the one that the
// change pins and belongs to it. It fails with a MismatchError where it is not.
// want without a Cluster lets it belong to any.
func OpenStaged(change *v1alpha1.SecretChange, want document.Identity, got secretstore.Version) (document.Patch, error) {
	pinned := change.Spec.Staged
	switch {
	case got.Binary:
		return document.Patch{}, mismatch("the staged secret holds binary data")
	case got.ARN != pinned.SecretARN || got.VersionID != string(pinned.VersionID):
		return document.Patch{}, mismatch("AWS answered with another secret or version than the change pins")
	case document.Digest(got.Value) != pinned.Digest:
		return document.Patch{}, mismatch("the staged values do not have the digest that the change pins, so they were swapped")
	}
	staged, err := document.ParseStaged(got.Value)
	if err != nil {
		return document.Patch{}, mismatch("the staged document cannot be read (%s)", err)
	}
	want.Cluster = cmp.Or(want.Cluster, staged.Identity.Cluster)
	if err := staged.Identity.Belongs(want); err != nil {
		return document.Patch{}, mismatch("%s", err)
	}
	return staged.Patch, nil
}

// checkRecorded compares the keys with what the controller recorded, which must
// agree as long as the version is live that the controller looked at.
func checkRecorded(change *v1alpha1.SecretChange, now live.Version, after document.Document) error {
	if change.Status.DiffCounts == nil || change.Status.BaseVersionID != now.ID {
		return nil
	}
	var keys []v1alpha1.KeyChange
	for _, c := range document.Diff(now.Values, after) {
		keys = append(keys, v1alpha1.KeyChange{Key: c.Key, Type: v1alpha1.ChangeType(c.Type)})
	}
	if !slices.Equal(keys, change.Status.Diff) {
		return mismatch("its values change other keys than the controller recorded")
	}
	return nil
}
