package aws

import (
	"slices"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// optional leaves an empty field out of a request.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func described(out *secretsmanager.DescribeSecretOutput) secretstore.Secret {
	s := secretstore.Secret{
		ARN:             awssdk.ToString(out.ARN),
		Name:            awssdk.ToString(out.Name),
		KMSKeyID:        awssdk.ToString(out.KmsKeyId),
		OwningService:   awssdk.ToString(out.OwningService),
		PrimaryRegion:   awssdk.ToString(out.PrimaryRegion),
		RotationEnabled: awssdk.ToBool(out.RotationEnabled),
		DeletedAt:       out.DeletedDate,
		CreatedAt:       awssdk.ToTime(out.CreatedDate),
		Tags:            tagMap(out.Tags),
		Versions:        sortedLabels(out.VersionIdsToStages),
	}
	for _, r := range out.ReplicationStatus {
		s.Replicas = append(s.Replicas, secretstore.Replica{
			Region:   awssdk.ToString(r.Region),
			KMSKeyID: awssdk.ToString(r.KmsKeyId),
			Status:   string(r.Status),
			Message:  awssdk.ToString(r.StatusMessage),
		})
	}
	return s
}

// listed is described for an entry of a listing, which has no replicas.
func listed(entry *types.SecretListEntry) secretstore.Secret {
	return secretstore.Secret{
		ARN:             awssdk.ToString(entry.ARN),
		Name:            awssdk.ToString(entry.Name),
		KMSKeyID:        awssdk.ToString(entry.KmsKeyId),
		OwningService:   awssdk.ToString(entry.OwningService),
		PrimaryRegion:   awssdk.ToString(entry.PrimaryRegion),
		RotationEnabled: awssdk.ToBool(entry.RotationEnabled),
		DeletedAt:       entry.DeletedDate,
		CreatedAt:       awssdk.ToTime(entry.CreatedDate),
		Tags:            tagMap(entry.Tags),
		Versions:        sortedLabels(entry.SecretVersionsToStages),
	}
}

func gotten(out *secretsmanager.GetSecretValueOutput) secretstore.Version {
	v := secretstore.Version{
		ARN:       awssdk.ToString(out.ARN),
		Name:      awssdk.ToString(out.Name),
		VersionID: awssdk.ToString(out.VersionId),
		Labels:    slices.Sorted(slices.Values(out.VersionStages)),
		Binary:    out.SecretString == nil && out.SecretBinary != nil,
	}
	if out.SecretString != nil {
		v.Value = sensitive.New(*out.SecretString)
	}
	return v
}

// sortedLabels leaves out what has no label, which AWS does not show anyway.
func sortedLabels(versions map[string][]string) map[string][]string {
	sorted := make(map[string][]string, len(versions))
	for id, labels := range versions {
		if len(labels) == 0 {
			continue
		}
		sorted[id] = slices.Sorted(slices.Values(labels))
	}
	return sorted
}

func tagMap(tags []types.Tag) map[string]string {
	m := make(map[string]string, len(tags))
	for _, t := range tags {
		m[awssdk.ToString(t.Key)] = awssdk.ToString(t.Value)
	}
	return m
}

func tagList(tags map[string]string) []types.Tag {
	var list []types.Tag
	for key, value := range tags {
		list = append(list, types.Tag{Key: &key, Value: &value})
	}
	return list
}
