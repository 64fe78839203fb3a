package emulator

import (
	"encoding/base64"
	"slices"
	"strconv"
)

type secretIDInput struct{ SecretId string }

// metadata is what DescribeSecret and ListSecrets say alike.
type metadata struct {
	ARN, Name         string
	Description       string `json:",omitempty"`
	KmsKeyId          string `json:",omitempty"`
	OwningService     string `json:",omitempty"`
	PrimaryRegion     string `json:",omitempty"`
	RotationEnabled   bool   `json:",omitempty"`
	RotationLambdaARN string `json:",omitempty"`
	RotationRules     *struct {
		AutomaticallyAfterDays int64
	} `json:",omitempty"`
	CreatedDate      *timestamp
	LastChangedDate  *timestamp
	LastAccessedDate *timestamp `json:",omitempty"`
	DeletedDate      *timestamp `json:",omitempty"`
	LastRotatedDate  *timestamp `json:",omitempty"`
	NextRotationDate *timestamp `json:",omitempty"`
	Tags             *[]tag     `json:",omitempty"`
}

func (s *secret) metadata() metadata {
	m := metadata{
		ARN: s.arn, Name: s.name, Description: s.description, KmsKeyId: s.kmsKey,
		OwningService: s.owningService, PrimaryRegion: s.primaryRegion,
		CreatedDate: stamp(s.created), LastChangedDate: stamp(s.changed),
		LastAccessedDate: stamp(s.accessed), DeletedDate: stamp(s.deleted),
		RotationEnabled: s.rotation.enabled, RotationLambdaARN: s.rotation.lambda,
		LastRotatedDate: stamp(s.rotation.last), NextRotationDate: stamp(s.rotation.planned),
	}
	if s.rotation.days > 0 {
		m.RotationRules = &struct{ AutomaticallyAfterDays int64 }{s.rotation.days}
	}
	if s.tags != nil {
		m.Tags = &s.tags
	}
	return m
}

type describeSecretOutput struct {
	metadata
	VersionIdsToStages map[string][]string `json:",omitempty"`
	ReplicationStatus  []replica           `json:",omitempty"`
}

func describeSecret(r *request, in *secretIDInput) (*describeSecretOutput, error) {
	s, err := r.any(in.SecretId)
	if err != nil {
		return nil, err
	}
	return &describeSecretOutput{metadata: s.metadata(), VersionIdsToStages: s.labels(), ReplicationStatus: s.replicas}, nil
}

type listSecretVersionIdsInput struct {
	SecretId, NextToken string
	IncludeDeprecated   bool
	MaxResults          int
}

type versionEntry struct {
	VersionId        string
	KmsKeyIds        []string
	VersionStages    []string `json:",omitempty"`
	CreatedDate      *timestamp
	LastAccessedDate *timestamp `json:",omitempty"`
}

type listSecretVersionIdsOutput struct {
	reference
	NextToken string `json:",omitempty"`
	Versions  []versionEntry
}

func listSecretVersionIds(r *request, in *listSecretVersionIdsInput) (*listSecretVersionIdsOutput, error) {
	s, err := r.any(in.SecretId)
	if err != nil {
		return nil, err
	}
	shown := slices.DeleteFunc(slices.Clone(s.versions), func(v *version) bool {
		return len(v.labels) == 0 && !in.IncludeDeprecated
	})
	size, err := pageSize(in.MaxResults)
	if err != nil {
		return nil, err
	}
	start, err := offsetOf(in.NextToken, len(shown))
	if err != nil {
		return nil, err
	}
	end := min(start+size, len(shown))
	out := &listSecretVersionIdsOutput{reference: s.reference()}
	if end < len(shown) {
		out.NextToken = tokenFor(end)
	}
	for _, v := range shown[start:end] {
		key := v.kmsKey
		if key == "" {
			key = "DefaultEncryptionKey"
		}
		out.Versions = append(out.Versions, versionEntry{
			VersionId: v.id, KmsKeyIds: []string{key}, VersionStages: v.labels,
			CreatedDate: stamp(v.created), LastAccessedDate: stamp(v.accessed),
		})
	}
	return out, nil
}

// maxPage is the greatest MaxResults, and what a call without one gets.
const maxPage = 100

func pageSize(asked int) (int, error) {
	switch {
	case asked == 0:
		return maxPage, nil
	case asked < 0 || asked > maxPage:
		return 0, constraint("maxResults", "Member must have value between 1 and 100, inclusive")
	}
	return asked, nil
}

var errNextToken = failure("InvalidNextTokenException", "The NextToken value is invalid.")

func tokenFor(n int) string {
	return base64.URLEncoding.EncodeToString([]byte(strconv.Itoa(n)))
}

func fromToken(token string) (int, error) {
	text, err := base64.URLEncoding.DecodeString(token)
	if err != nil {
		return 0, errNextToken
	}
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 0 {
		return 0, errNextToken
	}
	return n, nil
}

func offsetOf(token string, length int) (int, error) {
	if token == "" {
		return 0, nil
	}
	n, err := fromToken(token)
	if err != nil || n > length {
		return 0, errNextToken
	}
	return n, nil
}
