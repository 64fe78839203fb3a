package emulator

import (
	"encoding/json"
	"time"
)

// request is one authenticated call while it is carried out, with mu held.
type request struct {
	e         *Emulator
	principal *Principal
	now       time.Time
	// stale is how many changes ago the answer is to be from.
	stale int
}

// operation is one action of the service.
type operation struct {
	run func(r *request, body []byte) (any, error)
	// account says that IAM allows the action on "*" only, not on a secret.
	account bool
}

func handle[In, Out any](f func(*request, *In) (*Out, error)) operation {
	return operation{run: func(r *request, body []byte) (any, error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, frontEndFailure("SerializationException", "The request is not JSON of the expected form")
		}
		return f(r, &in)
	}}
}

func accountWide(o operation) operation {
	o.account = true
	return o
}

var operations = map[string]operation{
	"BatchGetSecretValue":          accountWide(handle(batchGetSecretValue)),
	"CancelRotateSecret":           handle(cancelRotateSecret),
	"CreateSecret":                 handle(createSecret),
	"DeleteResourcePolicy":         handle(deleteResourcePolicy),
	"DeleteSecret":                 handle(deleteSecret),
	"DescribeSecret":               handle(describeSecret),
	"GetRandomPassword":            accountWide(handle(getRandomPassword)),
	"GetResourcePolicy":            handle(getResourcePolicy),
	"GetSecretValue":               handle(getSecretValue),
	"ListSecretVersionIds":         handle(listSecretVersionIds),
	"ListSecrets":                  accountWide(handle(listSecrets)),
	"PutResourcePolicy":            handle(putResourcePolicy),
	"PutSecretValue":               handle(putSecretValue),
	"RemoveRegionsFromReplication": handle(removeRegionsFromReplication),
	"ReplicateSecretToRegions":     handle(replicateSecretToRegions),
	"RestoreSecret":                handle(restoreSecret),
	"RotateSecret":                 handle(rotateSecret),
	"StopReplicationToReplica":     handle(stopReplicationToReplica),
	"TagResource":                  handle(tagResource),
	"UntagResource":                handle(untagResource),
	"UpdateSecret":                 handle(updateSecret),
	"UpdateSecretVersionStage":     handle(updateSecretVersionStage),
	"ValidateResourcePolicy":       handle(validateResourcePolicy),
}

// reference is the answer of the calls that return no more than which secret
// they were about.
type reference struct {
	ARN, Name string
}

func (s *secret) reference() reference { return reference{ARN: s.arn, Name: s.name} }

// any finds a secret, also one scheduled for deletion.
func (r *request) any(id string) (*secret, error) {
	if err := checkSecretID(id); err != nil {
		return nil, err
	}
	s := r.e.find(r.e.view(r.stale), id)
	if s == nil {
		return nil, errNoSecret
	}
	return s, nil
}

// live finds a secret that is not scheduled for deletion.
func (r *request) live(id string) (*secret, error) {
	s, err := r.any(id)
	if err == nil && s.inDeletion() {
		return nil, errMarked
	}
	return s, err
}

// writable finds a secret that its own users may change in this region.
func (r *request) writable(id string) (*secret, error) {
	s, err := r.live(id)
	switch {
	case err != nil:
		return nil, err
	case s.primaryRegion != "" && s.primaryRegion != r.e.region:
		return nil, failure("InvalidRequestException", "Operation not permitted on a replica secret. Call must be made in primary secret's region.")
	case s.owningService != "":
		return nil, failure("InvalidRequestException", "You can't perform this operation on the secret because it is managed by %s.", s.owningService)
	}
	return s, nil
}

// edit changes a copy of s and, where f succeeds, keeps it.
func (r *request) edit(s *secret, f func(*secret) error) (*secret, error) {
	c := s.clone()
	if err := f(c); err != nil {
		return nil, err
	}
	c.changed = r.now
	r.e.put(c.name, c)
	return c, nil
}
