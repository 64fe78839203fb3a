package propose

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// proposal is everything about a change that is known before it is staged.
type proposal struct {
	target *factory.Target
	change string
	user   string
	reason string
	// base is the live version that the patch was worked out against.
	base  string
	patch document.Patch
	// rebaseOf is the change that this one is made anew from, if it is.
	rebaseOf string
	// keepUntil is when the sweep may take the staged secret if no change names
	// it.
	keepUntil time.Time

	versionID string
	value     sensitive.Value
}

// encode fills in what is to be stored. It fails with a *document.TooLargeError
// where the staged document, or the live one that it leads to, does not fit.
func (p *proposal) encode(f *factory.Factory, live document.Document) error {
	if _, err := p.patch.Apply(live).Encode(); err != nil {
		return err
	}
	nonce, err := document.NewNonce(f.Rand)
	if err != nil {
		return err
	}
	id, err := uuid.NewRandomFromReader(f.Rand)
	if err != nil {
		return fmt.Errorf("draw an id: %w", err)
	}
	p.versionID = id.String()
	p.value, err = document.Staged{
		Version:  document.StagedVersion,
		Identity: document.IdentityOf(p.tags()),
		Nonce:    nonce,
		Patch:    p.patch,
	}.Encode()
	return err
}

func (p *proposal) tags() naming.StagedTags {
	return naming.StagedTags{
		Cluster: p.target.Project.Status.ClusterName, Namespace: p.target.Namespace,
		Project: p.target.Project.EffectiveProjectName(), Environment: p.target.Environment.Name,
		Change: p.change, KeepUntil: p.keepUntil,
	}
}

func (p *proposal) secretName() string {
	return naming.StagedSecret(p.target.Project.Status.Prefix, p.target.Project.EffectiveProjectName(), p.change)
}

// object returns the change that names the staged secret with this ARN.
func (p *proposal) object(arn string) *v1alpha1.SecretChange {
	return newChange(p.target, p.change, p.reason, p.user, p.base, v1alpha1.StagedSource{
		SecretARN: arn, VersionID: v1alpha1.VersionID(p.versionID), Digest: document.Digest(p.value), RebaseOf: p.rebaseOf,
	})
}

// expectedARN is like the ARN that the staged secret will have, of which AWS
// draws the last six characters.
func (p *proposal) expectedARN() string {
	parts, ok := secretstore.ParseARN(p.target.Status.SecretARN)
	if !ok {
		parts = secretstore.ARNParts{Partition: "aws", Account: "000000000000"}
	}
	return fmt.Sprintf("arn:%s:secretsmanager:%s:%s:secret:%s-AAAAAA",
		parts.Partition, p.target.Project.Status.Region, parts.Account, p.secretName())
}

// defaultKeyAlias is the key that AWS uses where none is named.
const defaultKeyAlias = "alias/aws/secretsmanager"

// kmsKey returns the live secret's key as CreateSecret takes it; naming the
// default key would need rights on it that using it does not.
func (p *proposal) kmsKey() string {
	key := p.target.Status.KMSKeyID
	if key == defaultKeyAlias || strings.HasSuffix(key, ":"+defaultKeyAlias) {
		return ""
	}
	return key
}

// stage creates the staged secret in one call, tags and all, and returns its
// ARN. Where it fails it leaves nothing, or says what may be left.
func (p *proposal) stage(ctx context.Context, store secretstore.Store) (arn string, err error) {
	created, err := store.Create(ctx, secretstore.CreateInput{
		Name: p.secretName(), VersionID: p.versionID, Value: p.value, KMSKeyID: p.kmsKey(),
		Description: fmt.Sprintf("Proposed values of SecretChange %s/%s, until it is live or refused", p.target.Namespace, p.change),
		Tags:        p.tags().Map(),
	})
	if err == nil {
		return created.ARN, nil
	}
	err = fmt.Errorf("stage the values: %w", err)
	if secretstore.KindOf(err) != secretstore.KindUnavailable {
		return "", err
	}
	return "", p.unstageUnsure(ctx, store, err)
}

// unstageUnsure cleans up after a CreateSecret whose outcome is not known.
func (p *proposal) unstageUnsure(ctx context.Context, store secretstore.Store, cause error) error {
	cleanup, cancel := cleanupContext(ctx)
	defer cancel()
	found, err := store.Describe(cleanup, p.secretName())
	switch {
	case secretstore.KindOf(err) == secretstore.KindNotFound:
		return cause
	case err != nil:
		return exit.Errorf(exit.CodeOf(cause), "%w; it may have been staged all the same: %s", cause, p.howToDelete(p.secretName()))
	case found.Versions[p.versionID] == nil:
		return cause
	default:
		return p.unstage(ctx, store, found.ARN, atOnce, cause)
	}
}

const (
	atOnce = 0
	// recoverable lets the controller take the deletion back, should a change
	// turn up that names the secret.
	recoverable = secretstore.MinRecoveryDays
)

// unstage deletes what this run staged, by its own ARN, and returns cause with
// what became of it.
func (p *proposal) unstage(ctx context.Context, store secretstore.Store, arn string, recoveryDays int, cause error) error {
	cleanup, cancel := cleanupContext(ctx)
	defer cancel()
	err := store.Delete(cleanup, secretstore.DeleteInput{ID: arn, RecoveryDays: recoveryDays})
	if err != nil {
		return exit.Errorf(exit.CodeOf(cause), "%w; the values stay staged, because deleting them failed too (%w): %s", cause, err, p.howToDelete(arn))
	}
	return exit.Errorf(exit.CodeOf(cause), "%w; what was staged is deleted again", cause)
}

func (p *proposal) howToDelete(id string) string {
	return fmt.Sprintf("delete them with \"aws secretsmanager delete-secret --region %s --secret-id %s\", or leave it to the controller, after %s",
		p.target.Project.Status.Region, id, naming.KeepUntil(p.keepUntil))
}

// cleanupTimeout bounds what still happens after a failure or Ctrl-C.
const cleanupTimeout = 20 * time.Second

func cleanupContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
}
