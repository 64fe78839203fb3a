package emulator

import (
	"fmt"
	"slices"
	"strings"
)

// Principal is somebody who may call, known by an access key id. Its Allow and
// Deny rules work as IAM's do: what no rule allows is denied, and a Deny wins.
type Principal struct {
	AccessKeyID string `json:"accessKeyId"`
	// ARN is what GetCallerIdentity and the call log show; empty means a user
	// named as the access key.
	ARN string `json:"arn,omitempty"`
	// WebIdentity lets tokens whose subject has this pattern take the principal on,
	// as a role of that ARN, by AssumeRoleWithWebIdentity. The subject of a
	// Kubernetes ServiceAccount is "system:serviceaccount:<namespace>:<name>".
	WebIdentity string `json:"webIdentity,omitempty"`
	// Expired makes every call fail with ExpiredTokenException.
	Expired bool   `json:"expired,omitempty"`
	Allow   []Rule `json:"allow,omitempty"`
	Deny    []Rule `json:"deny,omitempty"`
}

// Rule matches actions on resources. In each pattern * stands for any
// characters, / among them, and ? for one.
type Rule struct {
	// Actions are such as "secretsmanager:Get*" or "kms:Decrypt"; a pattern
	// without a service means Secrets Manager's.
	Actions []string `json:"actions"`
	// Resources are names of secrets, or whole ARNs, or for kms actions the key
	// as the secret names it. Calls that are about no one secret, such as
	// ListSecrets, are allowed by "*" alone.
	Resources []string `json:"resources"`
	// RequestTags must be among the tags that CreateSecret and TagResource
	// carry, ResourceTags among those that the secret has. Values are patterns.
	RequestTags  map[string]string `json:"requestTags,omitempty"`
	ResourceTags map[string]string `json:"resourceTags,omitempty"`
	// SecretID narrows the rule to calls that name a secret by SecretId, as
	// TagResource does and CreateSecret does not. IAM's condition on
	// secretsmanager:SecretId does the same.
	SecretID bool `json:"secretId,omitempty"`
}

// SetPrincipals replaces who may call; none means everybody.
func (e *Emulator) SetPrincipals(principals []Principal) {
	byKey := map[string]*Principal{}
	for _, p := range principals {
		if p.ARN == "" {
			p.ARN = e.userARN(p.AccessKeyID)
		}
		byKey[p.AccessKeyID] = &p
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.principals = byKey
}

func (e *Emulator) userARN(name string) string {
	return fmt.Sprintf("arn:aws:iam::%s:user/%s", e.account, name)
}

var everything = []Rule{{Actions: []string{"*:*"}, Resources: []string{"*"}}}

// principal returns who has an access key.
func (e *Emulator) principal(accessKey string) *Principal {
	if len(e.principals) == 0 {
		return &Principal{AccessKeyID: accessKey, ARN: e.userARN(accessKey), Allow: everything}
	}
	return e.principals[accessKey]
}

func (r Rule) matches(asked Asked) bool {
	return slices.ContainsFunc(r.Actions, func(pattern string) bool {
		if !strings.Contains(pattern, ":") {
			pattern = service + pattern
		}
		return glob(pattern, asked.Action)
	}) && slices.ContainsFunc(r.Resources, func(pattern string) bool {
		if strings.HasPrefix(pattern, "arn:") {
			return glob(pattern, asked.Resource)
		}
		return glob(pattern, asked.name)
	}) && tagsMatch(r.RequestTags, asked.RequestTags) && tagsMatch(r.ResourceTags, asked.ResourceTags) &&
		(!r.SecretID || asked.SecretID)
}

func tagsMatch(wanted, tags map[string]string) bool {
	for key, pattern := range wanted {
		value, ok := tags[key]
		if !ok || !glob(pattern, value) {
			return false
		}
	}
	return true
}

func (e *Emulator) authorize(p *Principal, asked Asked) error {
	match := func(r Rule) bool { return r.matches(asked) }
	switch {
	case slices.ContainsFunc(p.Deny, match):
		return frontEndFailure("AccessDeniedException", "User: %s is not authorized to perform: %s on resource: %s with an explicit deny in an identity-based policy", p.ARN, asked.Action, asked.Resource)
	case !slices.ContainsFunc(p.Allow, match):
		return frontEndFailure("AccessDeniedException", "User: %s is not authorized to perform: %s on resource: %s because no identity-based policy allows the %s action", p.ARN, asked.Action, asked.Resource, asked.Action)
	}
	return nil
}

// glob matches text against a pattern of *, ? and characters for themselves.
func glob(pattern, text string) bool {
	for i := range len(pattern) {
		switch {
		case pattern[i] == '*':
			for skipped := 0; skipped <= len(text); skipped++ {
				if glob(pattern[i+1:], text[skipped:]) {
					return true
				}
			}
			return false
		case text == "" || pattern[i] != '?' && pattern[i] != text[0]:
			return false
		}
		text = text[1:]
	}
	return text == ""
}
