package emulator

type updateSecretVersionStageInput struct {
	SecretId, VersionStage, MoveToVersionId, RemoveFromVersionId string
}

func updateSecretVersionStage(r *request, in *updateSecretVersionStageInput) (*reference, error) {
	for _, err := range []error{
		checkSecretID(in.SecretId), checkLabelNames([]string{in.VersionStage}),
		checkVersionID("moveToVersionId", in.MoveToVersionId), checkVersionID("removeFromVersionId", in.RemoveFromVersionId),
	} {
		if err != nil {
			return nil, err
		}
	}
	s, err := r.writable(in.SecretId)
	if err != nil {
		return nil, err
	}
	s, err = r.edit(s, func(s *secret) error {
		return s.move(in.VersionStage, in.RemoveFromVersionId, in.MoveToVersionId)
	})
	if err != nil {
		return nil, err
	}
	out := s.reference()
	return &out, nil
}
