package emulator

import (
	"time"

	"github.com/secretreview/secretreview/internal/secretstore"
)

type deleteSecretInput struct {
	SecretId                   string
	RecoveryWindowInDays       *int
	ForceDeleteWithoutRecovery bool
}

type deleteSecretOutput struct {
	ARN, Name    string
	DeletionDate *timestamp
}

func deleteSecret(r *request, in *deleteSecretInput) (*deleteSecretOutput, error) {
	if err := checkSecretID(in.SecretId); err != nil {
		return nil, err
	}
	days, err := in.recoveryDays()
	if err != nil {
		return nil, err
	}
	if in.ForceDeleteWithoutRecovery {
		return r.deleteByForce(in.SecretId)
	}
	s, err := r.writable(in.SecretId)
	if err != nil {
		return nil, err
	}
	if len(s.replicas) > 0 {
		return nil, failure("InvalidRequestException", "You can't delete secret %s that still has replica regions.", s.name)
	}
	end := r.now.AddDate(0, 0, days)
	c := s.clone()
	c.deleted, c.purge = r.now, end
	r.e.put(c.name, c)
	return &deleteSecretOutput{ARN: s.arn, Name: s.name, DeletionDate: stamp(end)}, nil
}

func (in *deleteSecretInput) recoveryDays() (int, error) {
	switch {
	case in.RecoveryWindowInDays == nil:
		return secretstore.MaxRecoveryDays, nil
	case in.ForceDeleteWithoutRecovery:
		return 0, failure("InvalidParameterException", "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	case *in.RecoveryWindowInDays < secretstore.MinRecoveryDays || *in.RecoveryWindowInDays > secretstore.MaxRecoveryDays:
		return 0, failure("InvalidParameterException", "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
	}
	return *in.RecoveryWindowInDays, nil
}

// deleteByForce answers for a secret that does not exist as if it had deleted
// it, which was recorded.
func (r *request) deleteByForce(id string) (*deleteSecretOutput, error) {
	s := r.e.find(r.e.secrets, id)
	if s == nil {
		name := r.e.nameOf(id)
		return &deleteSecretOutput{ARN: r.e.newARN(name), Name: name, DeletionDate: stamp(r.now)}, nil
	}
	if !s.inDeletion() {
		if _, err := r.writable(id); err != nil {
			return nil, err
		}
	}
	if r.e.forceDeleteDelay <= 0 {
		r.e.put(s.name, nil)
	} else if !s.forced {
		c := s.clone()
		c.deleted, c.purge, c.forced = r.now, r.now.Add(r.e.forceDeleteDelay), true
		r.e.put(c.name, c)
	}
	return &deleteSecretOutput{ARN: s.arn, Name: s.name, DeletionDate: stamp(r.now)}, nil
}

func restoreSecret(r *request, in *secretIDInput) (*reference, error) {
	s, err := r.any(in.SecretId)
	if err != nil {
		return nil, err
	}
	if s.forced {
		return nil, errNoSecret
	}
	c := s.clone()
	c.deleted, c.purge = time.Time{}, time.Time{}
	r.e.put(c.name, c)
	out := c.reference()
	return &out, nil
}
