package change

import (
	"fmt"
	"strings"

	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// stagedARNProblem says why the staged secret's ARN cannot be this change's, or
// "". Nothing is read or deleted by an ARN that has one.
func (d *decider) stagedARNProblem() string {
	arn, ok := secretstore.ParseARN(d.spec.Staged.SecretARN)
	if !ok {
		return "spec.staged.secretARN is not the full ARN of a secret"
	}
	if arn.Region != d.Region {
		return fmt.Sprintf("the staged secret is in region %s, not %s", arn.Region, d.Region)
	}
	if d.Account != "" && arn.Account != d.Account {
		return fmt.Sprintf("the staged secret is in account %s, not %s", arn.Account, d.Account)
	}
	if d.Project != nil {
		want := naming.StagedSecret(d.Prefix, d.Project.EffectiveProjectName(), d.Change.Name)
		if arn.Name != want {
			return fmt.Sprintf("the staged secret is not named %s", want)
		}
		return ""
	}
	if !strings.HasPrefix(arn.Name, naming.StagingPrefix(d.Prefix)) || !strings.HasSuffix(arn.Name, "/"+d.Change.Name) {
		return "it is not the staged secret of a change of this name"
	}
	return ""
}

// stagedTagsProblem says why the tags of the staged secret do not name this
// change, or "". Where the project is gone, its name is taken from the tags,
// and the secret's name must agree with them.
func (d *decider) stagedTagsProblem() string {
	tags, err := naming.ParseStagedTags(d.Staged.Secret.Tags)
	if err != nil {
		return fmt.Sprintf("the staged secret's %s", err)
	}
	if err := document.IdentityOf(tags).Belongs(d.identity(tags.Project)); err != nil {
		return err.Error()
	}
	if d.Staged.Secret.Name != naming.StagedSecret(d.Prefix, tags.Project, d.Change.Name) {
		return "the staged secret's name and tags disagree"
	}
	return ""
}

// identity is what tags and staged document must say. tagged is the project's
// name in AWS where the SecretProject itself is gone.
func (d *decider) identity(tagged string) document.Identity {
	project := tagged
	if d.Project != nil {
		project = d.Project.EffectiveProjectName()
	}
	return document.Identity{
		Cluster: d.Cluster, Namespace: d.Change.Namespace, Project: project,
		Environment: d.spec.Environment, Change: d.Change.Name,
	}
}

// stagedPatch reads the pinned bytes: what was reviewed, or the reason why they
// are something else.
func (d *decider) stagedPatch() (document.Patch, string) {
	if d.StagedValue.Missing {
		return document.Patch{}, "the staged version is gone"
	}
	if d.StagedValue.Digest != d.spec.Staged.Digest {
		return document.Patch{}, "the staged bytes do not have the digest that the change pins"
	}
	if err := d.StagedValue.Err; err != nil {
		return document.Patch{}, fmt.Sprintf("the staged document cannot be read: %s", err)
	}
	staged := d.StagedValue.Document
	if err := staged.Identity.Belongs(d.identity(staged.Identity.Project)); err != nil {
		return document.Patch{}, err.Error()
	}
	if staged.Patch.Empty() {
		return document.Patch{}, "the change touches no key"
	}
	return staged.Patch, ""
}
