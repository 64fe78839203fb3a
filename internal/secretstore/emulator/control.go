package emulator

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/secretreview/secretreview/internal/sensitive"
)

// State is what AWS, not a caller, does to a secret; nil leaves it as it is.
type State struct {
	// OwningService makes the secret one that a service manages.
	OwningService *string `json:"owningService,omitempty"`
	// PrimaryRegion other than the Emulator's makes the secret a replica.
	PrimaryRegion *string `json:"primaryRegion,omitempty"`
	// RotationEnabled says whether it is rotated on a schedule.
	RotationEnabled *bool `json:"rotationEnabled,omitempty"`
	// Rotating begins a rotation, which adds a version labelled AWSPENDING
	// that holds what the current one does, or ends it.
	Rotating *bool `json:"rotating,omitempty"`
	// Replicas sets what the replication status says.
	Replicas []ReplicaState `json:"replicas,omitempty"`
}

// ReplicaState is the status of one replica.
type ReplicaState struct {
	Region   string `json:"region"`
	KMSKeyID string `json:"kmsKeyId,omitempty"`
	// Status is InSync, InProgress or Failed.
	Status  string `json:"status"`
	Message string `json:"message,omitempty"`
}

// SetState changes what a secret is to AWS; id is a name or an ARN.
func (e *Emulator) SetState(id string, to State) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.find(e.secrets, id)
	if s == nil {
		return fmt.Errorf("secret %q does not exist", id)
	}
	r := &request{e: e, now: e.now()}
	_, err := r.edit(s, func(s *secret) error { return r.apply(s, to) })
	return err
}

func (r *request) apply(s *secret, to State) error {
	if to.OwningService != nil {
		s.owningService = *to.OwningService
	}
	if to.PrimaryRegion != nil {
		s.primaryRegion = *to.PrimaryRegion
	}
	if to.RotationEnabled != nil {
		s.rotation.enabled = *to.RotationEnabled
	}
	if to.Replicas != nil {
		s.primaryRegion, s.replicas = "", nil
		for _, one := range to.Replicas {
			s.primaryRegion = r.e.region
			s.replicas = append(s.replicas, replica{Region: one.Region, KmsKeyId: one.KMSKeyID, Status: one.Status, StatusMessage: one.Message})
		}
	}
	if to.Rotating == nil {
		return nil
	}
	pending := s.holder(labelPending)
	if !*to.Rotating {
		if pending != nil {
			pending.remove(labelPending)
		}
		return nil
	}
	current := s.holder(labelCurrent)
	if current == nil {
		return fmt.Errorf("secret %q has no current version to rotate", s.name)
	}
	next := *current
	next.id, next.labels, next.created = r.e.newUUID(), nil, r.now
	return s.addVersion(&next, []string{labelPending})
}

// SecretState is a secret as the Emulator holds it, for tests to compare.
type SecretState struct {
	ARN           string            `json:"arn"`
	Name          string            `json:"name"`
	Description   string            `json:"description,omitempty"`
	KMSKeyID      string            `json:"kmsKeyId,omitempty"`
	OwningService string            `json:"owningService,omitempty"`
	PrimaryRegion string            `json:"primaryRegion,omitempty"`
	Tags          map[string]string `json:"tags,omitempty"`
	// DeletedAt is when it was scheduled for deletion, or zero.
	DeletedAt time.Time      `json:"deletedAt,omitzero"`
	Versions  []VersionState `json:"versions"`
	// Currents are the ids of the versions that AWSCURRENT was on, in that
	// order: the last one is live.
	Currents []string `json:"currents,omitempty"`
}

// VersionState is a version of a SecretState, also one without labels.
type VersionState struct {
	ID     string   `json:"id"`
	Labels []string `json:"labels,omitempty"`
	// Value is the SecretString, or base64 for a SecretBinary.
	Value  sensitive.Value `json:"-"`
	Binary bool            `json:"binary,omitempty"`
}

// Secrets returns every secret, in order of name.
func (e *Emulator) Secrets() []SecretState {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.purgeDue()
	states := []SecretState{}
	for _, s := range e.secrets {
		state := SecretState{
			ARN: s.arn, Name: s.name, Description: s.description, KMSKeyID: s.kmsKey,
			OwningService: s.owningService, PrimaryRegion: s.primaryRegion,
			Tags: s.tagMap(), DeletedAt: s.deleted, Currents: slices.Clone(s.currents),
		}
		for _, v := range s.versions {
			state.Versions = append(state.Versions, VersionState{ID: v.id, Labels: slices.Clone(v.labels), Value: v.value, Binary: v.binary})
		}
		states = append(states, state)
	}
	slices.SortFunc(states, func(a, b SecretState) int { return strings.Compare(a.Name, b.Name) })
	return states
}
