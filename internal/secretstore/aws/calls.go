package aws

import (
	"context"
	"errors"
	"fmt"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/secretreview/secretreview/internal/secretstore"
)

// listPage is how many secrets one ListSecrets returns, at most 100.
const listPage = 100

// do makes one call and reports it.
func do[Out any](ctx context.Context, a *Adapter, op, id string, call func() (Out, error)) (Out, error) {
	start := a.now()
	out, err := call()
	err = classify(ctx, op, id, err)
	a.onCall(op, secretstore.KindOf(err), a.now().Sub(start))
	return out, err
}

// write makes one call that the service counts as writing, once its turn has
// come.
func write[Out any](ctx context.Context, a *Adapter, op, id string, call func() (Out, error)) (Out, error) {
	if err := a.writes.Wait(ctx); err != nil {
		var none Out
		if ctx.Err() != nil {
			return none, classify(ctx, op, id, ctx.Err())
		}
		return none, &secretstore.Error{Kind: secretstore.KindThrottled, Op: op, ID: id, Err: fmt.Errorf("too many writing calls are waiting on this side: %w", secretstore.ErrNotSent)}
	}
	return do(ctx, a, op, id, call)
}

// Describe implements secretstore.Store.
func (a *Adapter) Describe(ctx context.Context, id string) (secretstore.Secret, error) {
	const op = "DescribeSecret"
	out, err := do(ctx, a, op, id, func() (*secretsmanager.DescribeSecretOutput, error) {
		return a.secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &id})
	})
	if err != nil {
		return secretstore.Secret{}, err
	}
	return described(out), complete(op, id, out.ARN, out.Name)
}

// Get implements secretstore.Store.
func (a *Adapter) Get(ctx context.Context, in secretstore.GetInput) (secretstore.Version, error) {
	request := &secretsmanager.GetSecretValueInput{
		SecretId:     &in.ID,
		VersionId:    optional(in.VersionID),
		VersionStage: optional(in.Label),
	}
	if in.VersionID == "" && in.Label == "" {
		request.VersionStage = awssdk.String(secretstore.LabelCurrent)
	}
	const op = "GetSecretValue"
	out, err := do(ctx, a, op, in.ID, func() (*secretsmanager.GetSecretValueOutput, error) {
		return a.secrets.GetSecretValue(ctx, request)
	})
	if err != nil {
		return secretstore.Version{}, err
	}
	return gotten(out), complete(op, in.ID, out.ARN, out.Name, out.VersionId)
}

// Create implements secretstore.Store.
func (a *Adapter) Create(ctx context.Context, in secretstore.CreateInput) (secretstore.Version, error) {
	request := &secretsmanager.CreateSecretInput{
		Name:               &in.Name,
		ClientRequestToken: optional(in.VersionID),
		KmsKeyId:           optional(in.KMSKeyID),
		Description:        optional(in.Description),
		SecretString:       optional(in.Value.Reveal()),
		Tags:               tagList(in.Tags),
	}
	const op = "CreateSecret"
	out, err := write(ctx, a, op, in.Name, func() (*secretsmanager.CreateSecretOutput, error) {
		return a.secrets.CreateSecret(ctx, request)
	})
	if err != nil {
		return secretstore.Version{}, err
	}
	v := secretstore.Version{ARN: awssdk.ToString(out.ARN), Name: awssdk.ToString(out.Name), VersionID: awssdk.ToString(out.VersionId)}
	if v.VersionID != "" {
		v.Labels, v.Value = []string{secretstore.LabelCurrent}, in.Value
	}
	return v, complete(op, in.Name, out.ARN)
}

// Put implements secretstore.Store.
func (a *Adapter) Put(ctx context.Context, in secretstore.PutInput) error {
	const op = "PutSecretValue"
	if len(in.Labels) == 0 {
		return &secretstore.Error{Kind: secretstore.KindInvalidInput, Op: op, ID: in.ID, Err: errors.New("a version put without a label would become AWSCURRENT")}
	}
	_, err := write(ctx, a, op, in.ID, func() (*secretsmanager.PutSecretValueOutput, error) {
		return a.secrets.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
			SecretId:           &in.ID,
			ClientRequestToken: optional(in.VersionID),
			SecretString:       awssdk.String(in.Value.Reveal()),
			VersionStages:      in.Labels,
		})
	})
	return err
}

// MoveLabel implements secretstore.Store.
func (a *Adapter) MoveLabel(ctx context.Context, in secretstore.MoveLabelInput) error {
	_, err := write(ctx, a, labelMoved, in.ID, func() (*secretsmanager.UpdateSecretVersionStageOutput, error) {
		return a.secrets.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
			SecretId:            &in.ID,
			VersionStage:        &in.Label,
			RemoveFromVersionId: optional(in.From),
			MoveToVersionId:     optional(in.To),
		}, func(o *secretsmanager.Options) { o.Retryer = awssdk.NopRetryer{} })
	})
	return err
}

// Delete implements secretstore.Store.
func (a *Adapter) Delete(ctx context.Context, in secretstore.DeleteInput) error {
	request := &secretsmanager.DeleteSecretInput{SecretId: &in.ID}
	if in.RecoveryDays == 0 {
		request.ForceDeleteWithoutRecovery = awssdk.Bool(true)
	} else {
		request.RecoveryWindowInDays = awssdk.Int64(int64(in.RecoveryDays))
	}
	_, err := write(ctx, a, "DeleteSecret", in.ID, func() (*secretsmanager.DeleteSecretOutput, error) {
		return a.secrets.DeleteSecret(ctx, request)
	})
	return err
}

// Restore implements secretstore.Store.
func (a *Adapter) Restore(ctx context.Context, id string) error {
	_, err := write(ctx, a, "RestoreSecret", id, func() (*secretsmanager.RestoreSecretOutput, error) {
		return a.secrets.RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: &id})
	})
	return err
}

// List implements secretstore.Store. AWS's filter matches the beginning of a
// name, case and all; each name is compared again here, because who acts on a
// listing deletes by it.
func (a *Adapter) List(ctx context.Context, prefix string) ([]secretstore.Secret, error) {
	request := &secretsmanager.ListSecretsInput{
		IncludePlannedDeletion: awssdk.Bool(true),
		MaxResults:             awssdk.Int32(listPage),
	}
	if prefix != "" {
		request.Filters = []types.Filter{{Key: types.FilterNameStringTypeName, Values: []string{prefix}}}
	}
	var found []secretstore.Secret
	pages := secretsmanager.NewListSecretsPaginator(a.secrets, request, func(o *secretsmanager.ListSecretsPaginatorOptions) {
		o.StopOnDuplicateToken = true
	})
	for pages.HasMorePages() {
		page, err := do(ctx, a, "ListSecrets", prefix, func() (*secretsmanager.ListSecretsOutput, error) {
			return pages.NextPage(ctx)
		})
		if err != nil {
			return nil, err
		}
		for i := range page.SecretList {
			if s := listed(&page.SecretList[i]); strings.HasPrefix(s.Name, prefix) {
				found = append(found, s)
			}
		}
	}
	return found, nil
}

// CallerIdentity implements secretstore.Identifier.
func (a *Adapter) CallerIdentity(ctx context.Context) (secretstore.Identity, error) {
	out, err := do(ctx, a, "GetCallerIdentity", "", func() (*sts.GetCallerIdentityOutput, error) {
		return a.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	})
	if err != nil {
		return secretstore.Identity{}, err
	}
	return secretstore.Identity{
		Account: awssdk.ToString(out.Account),
		ARN:     awssdk.ToString(out.Arn),
		UserID:  awssdk.ToString(out.UserId),
	}, nil
}

// StackOutputs implements secretstore.StackReader.
func (a *Adapter) StackOutputs(ctx context.Context, stack string) (map[string]string, error) {
	out, err := do(ctx, a, stackDescribed, "", func() (*cloudformation.DescribeStacksOutput, error) {
		return a.stacks(ctx, &cloudformation.DescribeStacksInput{StackName: &stack})
	})
	if err != nil {
		return nil, err
	}
	outputs := map[string]string{}
	for i := range out.Stacks {
		for _, o := range out.Stacks[i].Outputs {
			outputs[awssdk.ToString(o.OutputKey)] = awssdk.ToString(o.OutputValue)
		}
	}
	return outputs, nil
}
