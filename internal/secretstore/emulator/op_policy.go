package emulator

import "encoding/json"

// A resource policy is kept and given back; it grants and denies nothing here.
// Rights come from Principals.
type resourcePolicyInput struct {
	SecretId, ResourcePolicy string
}

type resourcePolicyOutput struct {
	reference
	ResourcePolicy string `json:",omitempty"`
}

func checkPolicy(policy string) error {
	var document struct{ Statement json.RawMessage }
	if json.Unmarshal([]byte(policy), &document) != nil || document.Statement == nil {
		return failure("MalformedPolicyDocumentException", "This resource policy contains invalid Json")
	}
	return nil
}

func (r *request) setPolicy(id, policy string) (*reference, error) {
	s, err := r.live(id)
	if err != nil {
		return nil, err
	}
	s, err = r.edit(s, func(s *secret) error {
		s.policy = policy
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := s.reference()
	return &out, nil
}

func putResourcePolicy(r *request, in *resourcePolicyInput) (*reference, error) {
	if err := checkPolicy(in.ResourcePolicy); err != nil {
		return nil, err
	}
	return r.setPolicy(in.SecretId, in.ResourcePolicy)
}

func deleteResourcePolicy(r *request, in *secretIDInput) (*reference, error) {
	return r.setPolicy(in.SecretId, "")
}

func getResourcePolicy(r *request, in *secretIDInput) (*resourcePolicyOutput, error) {
	s, err := r.live(in.SecretId)
	if err != nil {
		return nil, err
	}
	return &resourcePolicyOutput{reference: s.reference(), ResourcePolicy: s.policy}, nil
}

type validateResourcePolicyOutput struct {
	PolicyValidationPassed bool
	ValidationErrors       []struct{ CheckName, ErrorMessage string }
}

func validateResourcePolicy(_ *request, in *resourcePolicyInput) (*validateResourcePolicyOutput, error) {
	if in.SecretId != "" {
		if err := checkSecretID(in.SecretId); err != nil {
			return nil, err
		}
	}
	if err := checkPolicy(in.ResourcePolicy); err != nil {
		return nil, err
	}
	return &validateResourcePolicyOutput{PolicyValidationPassed: true, ValidationErrors: []struct{ CheckName, ErrorMessage string }{}}, nil
}
