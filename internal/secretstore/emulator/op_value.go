package emulator

import (
	"encoding/base64"
	"slices"
	"time"

	"github.com/secretreview/secretreview/internal/sensitive"
)

func decodedLength(b64 string) (int, bool) {
	b, err := base64.StdEncoding.DecodeString(b64)
	return len(b), err == nil
}

func (r *request) newVersion(id string, c content, kmsKey string) *version {
	v := &version{id: id, kmsKey: kmsKey, created: r.now}
	v.value, v.binary = c.value()
	return v
}

func (c content) value() (value sensitive.Value, binary bool) {
	switch {
	case c.SecretString != nil:
		return sensitive.New(*c.SecretString), false
	case c.SecretBinary != nil:
		return sensitive.New(*c.SecretBinary), true
	}
	return sensitive.Value{}, false
}

func (v *version) holds(c content) bool {
	value, binary := c.value()
	return v.binary == binary && v.value.Equal(value)
}

// versionFor returns the version that a token already made, if its content is
// the same; other content under a used token is refused.
func (s *secret) versionFor(token string, c content) (*version, error) {
	v := s.version(token)
	if v == nil || v.holds(c) {
		return v, nil
	}
	return nil, failure("ResourceExistsException", "You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.", token, s.arn)
}

type putSecretValueInput struct {
	SecretId, ClientRequestToken string
	content
	VersionStages []string
}

type putSecretValueOutput struct {
	ARN, Name, VersionId string
	VersionStages        []string
}

func putSecretValue(r *request, in *putSecretValueInput) (*putSecretValueOutput, error) {
	for _, err := range []error{checkSecretID(in.SecretId), checkToken(in.ClientRequestToken), in.check(), checkLabelNames(in.VersionStages)} {
		if err != nil {
			return nil, err
		}
	}
	if !in.given() {
		return nil, failure("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
	}
	s, err := r.writable(in.SecretId)
	if err != nil {
		return nil, err
	}
	labels := in.VersionStages
	if len(labels) == 0 {
		labels = []string{labelCurrent}
	}
	s, err = r.newContent(s, in.ClientRequestToken, in.content, labels)
	if err != nil {
		return nil, err
	}
	return &putSecretValueOutput{ARN: s.arn, Name: s.name, VersionId: in.ClientRequestToken, VersionStages: s.version(in.ClientRequestToken).labels}, nil
}

// newContent adds a version, or ignores the request if it made it before.
func (r *request) newContent(s *secret, token string, c content, labels []string) (*secret, error) {
	switch v, err := s.versionFor(token, c); {
	case err != nil:
		return nil, err
	case v != nil:
		return s, nil
	}
	return r.edit(s, func(s *secret) error {
		return s.addVersion(r.newVersion(token, c, s.kmsKey), labels)
	})
}

type updateSecretInput struct {
	SecretId, ClientRequestToken string
	Description, KmsKeyId        *string
	content
}

type updateSecretOutput struct {
	ARN, Name string
	VersionId string `json:",omitempty"`
}

func updateSecret(r *request, in *updateSecretInput) (*updateSecretOutput, error) {
	for _, err := range []error{checkSecretID(in.SecretId), checkToken(in.ClientRequestToken), in.check()} {
		if err != nil {
			return nil, err
		}
	}
	s, err := r.writable(in.SecretId)
	if err != nil {
		return nil, err
	}
	if in.given() {
		if _, err := s.versionFor(in.ClientRequestToken, in.content); err != nil {
			return nil, err
		}
	}
	s, err = r.edit(s, func(s *secret) error { return r.update(s, in) })
	if err != nil {
		return nil, err
	}
	out := &updateSecretOutput{ARN: s.arn, Name: s.name}
	if in.given() {
		out.VersionId = in.ClientRequestToken
	}
	return out, nil
}

func (r *request) update(s *secret, in *updateSecretInput) error {
	if in.Description != nil {
		s.description = *in.Description
	}
	if in.KmsKeyId != nil {
		s.reencrypt(*in.KmsKeyId)
	}
	if !in.given() || s.version(in.ClientRequestToken) != nil {
		return nil
	}
	return s.addVersion(r.newVersion(in.ClientRequestToken, in.content, s.kmsKey), []string{labelCurrent})
}

// reencrypt changes the key of the versions that the service's own labels are
// on; others keep the key that they were made with.
func (s *secret) reencrypt(kmsKey string) {
	s.kmsKey = kmsKey
	for _, v := range s.versions {
		if slices.ContainsFunc(v.labels, func(l string) bool {
			return l == labelCurrent || l == labelPrevious || l == labelPending
		}) {
			v.kmsKey = kmsKey
		}
	}
}

type getSecretValueInput struct {
	SecretId, VersionId, VersionStage string
}

type secretValue struct {
	ARN, Name, VersionId string
	SecretString         *string  `json:",omitempty"`
	SecretBinary         *string  `json:",omitempty"`
	VersionStages        []string `json:",omitempty"`
	CreatedDate          *timestamp
}

func getSecretValue(r *request, in *getSecretValueInput) (*secretValue, error) {
	if err := checkVersionID("versionId", in.VersionId); err != nil {
		return nil, err
	}
	s, err := r.live(in.SecretId)
	if err != nil {
		return nil, err
	}
	v, err := s.choose(in.VersionId, in.VersionStage)
	if err != nil {
		return nil, err
	}
	r.touch(s, v)
	out := &secretValue{ARN: s.arn, Name: s.name, VersionId: v.id, VersionStages: v.labels, CreatedDate: stamp(v.created)}
	if plain := v.value.Reveal(); v.binary {
		out.SecretBinary = &plain
	} else {
		out.SecretString = &plain
	}
	return out, nil
}

func (s *secret) choose(id, label string) (*version, error) {
	if id == "" {
		if label == "" {
			label = labelCurrent
		}
		if v := s.holder(label); v != nil {
			return v, nil
		}
		return nil, failure("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: %s", label)
	}
	v := s.version(id)
	if v == nil {
		return nil, failure("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for VersionId: %s", id)
	}
	if label != "" && !slices.Contains(v.labels, label) {
		return nil, errOtherStage
	}
	return v, nil
}

// touch records the day of the last reading, which is no change of the secret.
func (r *request) touch(s *secret, v *version) {
	day := r.now.Truncate(24 * time.Hour)
	if r.stale > 0 || s.accessed.Equal(day) && v.accessed.Equal(day) {
		return
	}
	c := s.clone()
	c.accessed = day
	c.version(v.id).accessed = day
	r.e.secrets[c.name] = c
}
