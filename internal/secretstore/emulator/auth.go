package emulator

import (
	"net/http"
	"strings"
)

// signature is what the Authorization header of a signed request says.
type signature struct{ accessKey, region, service string }

const signaturePrefix = "AWS4-HMAC-SHA256 Credential="

// readSignature reads the credential scope, <key>/<date>/<region>/<service>/aws4_request.
func readSignature(r *http.Request) (signature, bool) {
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), signaturePrefix)
	if !ok {
		return signature{}, false
	}
	scope, rest, _ := strings.Cut(rest, ",")
	fields := strings.Split(scope, "/")
	if len(fields) != 5 || !strings.Contains(rest, "Signature=") {
		return signature{}, false
	}
	return signature{accessKey: fields[0], region: fields[2], service: fields[3]}, true
}

// authenticate tells who signed a request. The signature itself is not checked.
func (e *Emulator) authenticate(r *http.Request) (*Principal, error) {
	s, ok := readSignature(r)
	if !ok {
		return nil, frontEndFailure("MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	p := e.principal(s.accessKey)
	switch {
	case p == nil:
		return nil, frontEndFailure("UnrecognizedClientException", "The security token included in the request is invalid.")
	case p.Expired:
		return p, frontEndFailure("ExpiredTokenException", "The security token included in the request is expired")
	case s.service == "secretsmanager" && s.region != e.region:
		return p, frontEndFailure("InvalidSignatureException", "Credential should be scoped to a valid region.")
	}
	return p, nil
}

// authorizeCall checks every right that a call needs, which may be more than
// the action that it is named after.
func (e *Emulator) authorizeCall(p *Principal, name string, op operation, c *summary) error {
	asked := e.rightsOf(name, op, c)
	for i := range asked {
		one := &asked[i]
		one.AccessKeyID, one.Operation = p.AccessKeyID, name
		if err := e.authorize(p, *one); err != nil {
			if one.SecretARN != "" {
				return frontEndFailure("AccessDeniedException", "Access to KMS is not allowed")
			}
			return err
		}
	}
	e.remember(asked)
	return nil
}

// rightsOf lists the rights that a call needs.
func (e *Emulator) rightsOf(name string, op operation, c *summary) []Asked {
	if op.account {
		return []Asked{{Action: service + name, Resource: "*", name: "*"}}
	}
	resource := e.nameOf(c.id())
	about := Asked{Resource: e.secretARN(resource), SecretID: c.SecretId != "", RequestTags: c.requestTags(), name: resource}
	if !about.SecretID {
		// IAM counts the tags that a request creates a resource with among the resource's own
		// (IAM's global condition keys, aws:ResourceTag, "Availability").
		about.KMSKeyID, about.ResourceTags = c.KmsKeyId, about.RequestTags
	}
	key := c.KmsKeyId
	if s := e.secrets[resource]; s != nil {
		about.Resource, about.ResourceTags = s.arn, s.tagMap()
		if key == "" {
			key = s.keyFor(name, c)
		}
	}
	actions := []string{name}
	if name == "CreateSecret" && len(c.Tags) > 0 {
		actions = append(actions, "TagResource")
	}
	if name == "CreateSecret" && len(c.AddReplicaRegions) > 0 {
		actions = append(actions, "ReplicateSecretToRegions")
	}
	var asked []Asked
	for _, action := range actions {
		one := about
		one.Action = service + action
		asked = append(asked, one)
	}
	if key == "" {
		return asked
	}
	for _, action := range keyActions[name] {
		asked = append(asked, Asked{Action: action, Resource: key, SecretARN: about.Resource, name: key})
	}
	return asked
}

// service begins the names of Secrets Manager's own actions.
const service = "secretsmanager:"

// keyActions are the rights on a customer's KMS key that calls need.
var keyActions = map[string][]string{
	"CreateSecret":   {"kms:GenerateDataKey", "kms:Decrypt"},
	"PutSecretValue": {"kms:GenerateDataKey", "kms:Decrypt"},
	"UpdateSecret":   {"kms:GenerateDataKey", "kms:Decrypt"},
	"GetSecretValue": {"kms:Decrypt"},
}

// keyFor is the key that a call on s needs: to read a version, the one that it
// was encrypted with, which may be older than the secret's, and none where there
// is no such version: nothing is decrypted then.
func (s *secret) keyFor(name string, c *summary) string {
	if name == "GetSecretValue" {
		if v, err := s.choose(c.VersionId, c.VersionStage); err == nil {
			return v.kmsKey
		}
		return ""
	}
	return s.kmsKey
}

// secretARN is the ARN of a secret that does not exist.
func (e *Emulator) secretARN(name string) string {
	return "arn:aws:secretsmanager:" + e.region + ":" + e.account + ":secret:" + name
}
