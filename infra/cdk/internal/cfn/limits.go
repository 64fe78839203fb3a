package cfn

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Limits of CloudFormation (its quotas page) and of IAM (its quotas page, which
// counts characters without white space).
const (
	MaxResources     = 500
	MaxOutputs       = 200
	MaxBytes         = 1_000_000
	MaxManagedPolicy = 6_144
	MaxInlinePolicy  = 10_240
)

// CheckLimits returns what AWS would refuse of a stack's template, and what to do
// about it.
func CheckLimits(stack string, text []byte) error {
	t, err := Parse(text)
	if err != nil {
		return err
	}
	var found []error
	over := func(what string, has, limit int, instead string) {
		if has > limit {
			found = append(found, fmt.Errorf("stack %s has %d %s, and AWS takes %d: %s", stack, has, what, limit, instead))
		}
	}
	const split = "put some projects into stacks of their own, by projectStacks"
	over("resources", len(t.Resources), MaxResources, split)
	over("outputs", len(t.Outputs), MaxOutputs, split)
	over("bytes", len(text), MaxBytes, split)
	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		r := t.Resources[id]
		switch r.Type {
		case "AWS::IAM::ManagedPolicy":
			over("characters in policy "+id, t.policySize(r.Properties["PolicyDocument"]), MaxManagedPolicy, "divide its projects among several people entries")
		case "AWS::IAM::Policy":
			over("characters in policy "+id, t.policySize(r.Properties["PolicyDocument"]), MaxInlinePolicy, "grant fewer projects to one principal")
		case "AWS::IAM::Role":
			over("characters in the policies of role "+id, t.policySize(r.Properties["Policies"]), MaxInlinePolicy, "shorten the names in it")
		}
	}
	return errors.Join(found...)
}

// policySize is how long a policy can be at most once it is filled in.
func (t *Template) policySize(policy any) int {
	text, _ := json.Marshal(t.Resolve(Somewhere, policy)) // it came from JSON
	return len(text)
}
