package emulator

type createSecretInput struct {
	Name, ClientRequestToken, Description, KmsKeyId string
	content
	Tags              []tag
	AddReplicaRegions []replica
}

type createSecretOutput struct {
	ARN, Name         string
	VersionId         string    `json:",omitempty"`
	ReplicationStatus []replica `json:",omitempty"`
}

func createSecret(r *request, in *createSecretInput) (*createSecretOutput, error) {
	if err := checkCreate(in); err != nil {
		return nil, err
	}
	if existing := r.e.secrets[in.Name]; existing != nil {
		return createAgain(existing, in)
	}
	r.e.created++
	s := &secret{
		arn: r.e.newARN(in.Name), name: in.Name, description: in.Description, kmsKey: in.KmsKeyId,
		serial: r.e.created, created: r.now, changed: r.now,
	}
	s.setTags(in.Tags)
	if in.given() {
		if err := s.addVersion(r.newVersion(in.ClientRequestToken, in.content, s.kmsKey), nil); err != nil {
			return nil, err
		}
	}
	for _, region := range in.AddReplicaRegions {
		s.replicate(r.e.region, region)
	}
	r.e.put(s.name, s)
	return s.createOutput(in), nil
}

func checkCreate(in *createSecretInput) error {
	for _, err := range []error{checkName(in.Name), checkToken(in.ClientRequestToken), in.check(), checkTags(in.Tags)} {
		if err != nil {
			return err
		}
	}
	if len(in.Tags) > maxTags {
		return failure("LimitExceededException", "A secret can have %d tags at most.", maxTags)
	}
	return nil
}

// createAgain answers for a name that is taken: a repetition of the call that
// made it is ignored.
func createAgain(s *secret, in *createSecretInput) (*createSecretOutput, error) {
	if s.inDeletion() {
		return nil, errScheduled
	}
	if v := s.version(in.ClientRequestToken); v != nil && v.holds(in.content) {
		return s.createOutput(in), nil
	}
	return nil, failure("ResourceExistsException", "The operation failed because the secret %s already exists.", s.name)
}

func (s *secret) createOutput(in *createSecretInput) *createSecretOutput {
	out := &createSecretOutput{ARN: s.arn, Name: s.name, ReplicationStatus: s.replicas}
	if in.given() {
		out.VersionId = in.ClientRequestToken
	}
	return out
}
