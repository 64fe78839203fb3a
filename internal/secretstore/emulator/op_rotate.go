package emulator

import "time"

type rotateSecretInput struct {
	SecretId, ClientRequestToken, RotationLambdaARN string
}

type rotationOutput struct {
	reference
	VersionId string `json:",omitempty"`
}

// rotateSecret answers as the service does where no function can be invoked,
// since there are none here. SetState puts a secret into rotation.
func rotateSecret(r *request, in *rotateSecretInput) (*rotationOutput, error) {
	if err := checkSecretID(in.SecretId); err != nil {
		return nil, err
	}
	if in.ClientRequestToken == "" {
		return nil, failure("InvalidParameterException", "%s", errNoToken.message)
	}
	s, err := r.writable(in.SecretId)
	if err != nil {
		return nil, err
	}
	if in.RotationLambdaARN == "" && s.rotation.lambda == "" {
		return nil, failure("InvalidRequestException", "No Lambda rotation function ARN is associated with this secret.")
	}
	return nil, frontEndFailure("AccessDeniedException", "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.")
}

func cancelRotateSecret(r *request, in *secretIDInput) (*rotationOutput, error) {
	s, err := r.writable(in.SecretId)
	if err != nil {
		return nil, err
	}
	s, err = r.edit(s, func(s *secret) error {
		s.rotation.enabled, s.rotation.planned = false, time.Time{}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &rotationOutput{reference: s.reference()}
	if pending := s.holder(labelPending); pending != nil {
		out.VersionId = pending.id
	}
	return out, nil
}
