package emulator

import "slices"

type replicateInput struct {
	SecretId          string
	AddReplicaRegions []replica
}

type removeRegionsInput struct {
	SecretId             string
	RemoveReplicaRegions []string
}

type replicationOutput struct {
	ARN               string
	ReplicationStatus []replica
}

// replicate records a replica, which is in sync at once. What a replica's own
// region would answer is not emulated; SetState makes a secret look like one.
func (s *secret) replicate(primary string, to replica) {
	s.primaryRegion = primary
	to.Status = "InSync"
	i := slices.IndexFunc(s.replicas, func(old replica) bool { return old.Region == to.Region })
	if i >= 0 {
		s.replicas[i] = to
		return
	}
	s.replicas = append(s.replicas, to)
}

func replicateSecretToRegions(r *request, in *replicateInput) (*replicationOutput, error) {
	return r.editReplicas(in.SecretId, func(s *secret) error {
		for _, to := range in.AddReplicaRegions {
			if to.Region == r.e.region {
				return failure("InvalidParameterException", "Invalid replica region: the secret's own region.")
			}
			s.replicate(r.e.region, to)
		}
		return nil
	})
}

func removeRegionsFromReplication(r *request, in *removeRegionsInput) (*replicationOutput, error) {
	return r.editReplicas(in.SecretId, func(s *secret) error {
		s.replicas = slices.DeleteFunc(s.replicas, func(old replica) bool {
			return slices.Contains(in.RemoveReplicaRegions, old.Region)
		})
		if len(s.replicas) == 0 {
			s.primaryRegion = ""
		}
		return nil
	})
}

func (r *request) editReplicas(id string, f func(*secret) error) (*replicationOutput, error) {
	s, err := r.writable(id)
	if err != nil {
		return nil, err
	}
	if s, err = r.edit(s, f); err != nil {
		return nil, err
	}
	return &replicationOutput{ARN: s.arn, ReplicationStatus: s.replicas}, nil
}

type arnOutput struct{ ARN string }

func stopReplicationToReplica(r *request, in *secretIDInput) (*arnOutput, error) {
	s, err := r.live(in.SecretId)
	if err != nil {
		return nil, err
	}
	if s.primaryRegion == "" || s.primaryRegion == r.e.region {
		return nil, failure("InvalidRequestException", "The secret is not a replica.")
	}
	s, err = r.edit(s, func(s *secret) error {
		s.primaryRegion = ""
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &arnOutput{ARN: s.arn}, nil
}
