package test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/infra/cdk/internal/cfn"
)

// request is what IAM is asked, and every policy that it looks at.
type request struct {
	Principal        string         `json:"principal"`
	Action           string         `json:"action"`
	Resource         string         `json:"resource"`
	Owner            string         `json:"owner"`
	Context          map[string]any `json:"context"`
	IdentityPolicies []any          `json:"identityPolicies"`
	ResourcePolicy   any            `json:"resourcePolicy,omitempty"`
	EndpointPolicy   any            `json:"endpointPolicy,omitempty"`
	// Lenient leaves out what does not fit the action, instead of refusing.
	Lenient bool `json:"lenient,omitempty"`
}

// allowed puts requests before the simulator.
func allowed(t *testing.T, requests []request) []bool {
	t.Helper()
	input, err := json.Marshal(map[string]any{"requests": requests})
	if err != nil {
		t.Fatal(err)
	}
	var answers []struct{ Result, Error string }
	if err := json.Unmarshal(node(t, input, "simulate.mjs"), &answers); err != nil {
		t.Fatal(err)
	}
	if len(answers) != len(requests) {
		t.Fatalf("%d requests got %d answers", len(requests), len(answers))
	}
	results := make([]bool, len(answers))
	for i, answer := range answers {
		if answer.Error != "" {
			t.Fatalf("the simulator refuses %s on %s: %s", requests[i].Action, requests[i].Resource, answer.Error)
		}
		results[i] = answer.Result == "Allowed"
	}
	return results
}

// deployment is the full example as AWS will know it.
type deployment struct {
	main, replica *cfn.Template
	place         cfn.Place
	there         cfn.Place // the replica's region
}

func deploy(t *testing.T) deployment {
	t.Helper()
	all, there := full(t), home
	there.Region = "eu-west-1"
	return deployment{main: all.template(t, "secretreview"), replica: all.template(t, "secretreview-replica-eu-west-1"), place: home, there: there}
}

// id is the logical ID of the one resource of a type whose own ID holds a word.
func id(t testing.TB, template *cfn.Template, kind, word string) string {
	t.Helper()
	var found []string
	for _, id := range slices.Sorted(maps.Keys(template.Resources)) {
		if template.Resources[id].Type == kind && strings.Contains(id, word) {
			found = append(found, id)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%q of type %s is %q", word, kind, found)
	}
	return found[0]
}

func (d deployment) arn(t testing.TB, kind, word string) string {
	t.Helper()
	key := id(t, d.main, kind, word)
	return d.place.ID(key, d.main.Resources[key])
}

func (d deployment) key(t testing.TB) string { return d.arn(t, "AWS::KMS::Key", "") }

func (d deployment) replicaKey(t testing.TB) string {
	key := id(t, d.replica, "AWS::KMS::Key", "")
	return d.there.ID(key, d.replica.Resources[key])
}

// principal is somebody with policies.
type principal struct {
	arn      string
	policies []any
}

// role is one that the stack makes.
func (d deployment) role(t testing.TB, word string) principal {
	t.Helper()
	key := id(t, d.main, "AWS::IAM::Role", word)
	made := d.main.Resources[key]
	p := principal{arn: d.place.ID(key, made)}
	inline, _ := d.main.Resolve(d.place, made.Properties["Policies"]).([]any)
	for _, one := range inline {
		p.policies = append(p.policies, one.(map[string]any)["PolicyDocument"])
	}
	for _, other := range d.main.Resources {
		if other.Type != "AWS::IAM::Policy" {
			continue
		}
		attached, _ := json.Marshal(other.Properties["Roles"])
		if strings.Contains(string(attached), `"`+key+`"`) {
			p.policies = append(p.policies, d.main.Resolve(d.place, other.Properties["PolicyDocument"]))
		}
	}
	if len(p.policies) == 0 {
		t.Fatalf("role %s has no policies", word)
	}
	return p
}

// person has the managed policies of entries of People.
func (d deployment) person(t testing.TB, entries ...string) principal {
	t.Helper()
	p := principal{arn: "arn:aws:iam::" + d.place.Account + ":role/" + strings.Join(entries, "-")}
	for _, entry := range entries {
		key := id(t, d.main, "AWS::IAM::ManagedPolicy", strings.ReplaceAll(entry, "-", ""))
		p.policies = append(p.policies, d.main.Resolve(d.place, d.main.Resources[key].Properties["PolicyDocument"]))
	}
	return p
}

// stranger is a role of an account without rights.
func stranger(account string) principal {
	return principal{arn: "arn:aws:iam::" + account + ":role/somebody", policies: []any{}}
}

// consumer is a role of another account with the policy that the documents give
// it.
func (d deployment) consumer(t testing.TB, account string) principal {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(module, "examples", "consumer-policy.json"))
	if err != nil {
		t.Fatal(err)
	}
	key := d.key(t)
	var policy any
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), "KEY-ID", key[strings.LastIndex(key, "/")+1:])), &policy); err != nil {
		t.Fatal(err)
	}
	return principal{arn: "arn:aws:iam::" + account + ":role/reader", policies: []any{policy}}
}

// resourcePolicy is that of a key, of a secret, or of a role.
func (d deployment) resourcePolicy(t testing.TB, arn string) any {
	t.Helper()
	switch {
	case d.replica == nil:
		return nil
	case arn == d.key(t):
		return d.main.Resolve(d.place, d.main.Resources[id(t, d.main, "AWS::KMS::Key", "")].Properties["KeyPolicy"])
	case arn == d.replicaKey(t):
		return d.replica.Resolve(d.there, d.replica.Resources[id(t, d.replica, "AWS::KMS::Key", "")].Properties["KeyPolicy"])
	case strings.Contains(arn, ":kms:"):
		return leftToIAM(d.place.Account)
	}
	for key, r := range d.main.Resources {
		switch {
		case r.Type == "AWS::SecretsManager::ResourcePolicy" && d.main.Resolve(d.place, r.Properties["SecretId"]) == arn:
			return d.main.Resolve(d.place, r.Properties["ResourcePolicy"])
		case r.Type == "AWS::IAM::Role" && d.place.ID(key, r) == arn:
			return d.main.Resolve(d.place, r.Properties["AssumeRolePolicyDocument"])
		}
	}
	return nil
}

// leftToIAM is the policy of a key that does not come with the stack.
func leftToIAM(account string) any {
	return map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": map[string]any{"AWS": "arn:aws:iam::" + account + ":root"},
	}}}
}

func (d deployment) endpointPolicy(t testing.TB, word string) any {
	t.Helper()
	made := d.main.Resources[id(t, d.main, "AWS::EC2::VPCEndpoint", word)]
	return d.main.Resolve(d.place, made.Properties["PolicyDocument"])
}

// ask makes the request of a principal, with the policies of the stack.
func (d deployment) ask(t testing.TB, by principal, action, resource string, context map[string]any) request {
	t.Helper()
	owner := d.place.Account
	if parts := strings.Split(resource, ":"); len(parts) > 4 {
		owner = parts[4]
	}
	if context == nil {
		context = map[string]any{}
	}
	return request{
		Principal: by.arn, Action: action, Resource: resource, Owner: owner, Context: context,
		IdentityPolicies: by.policies, ResourcePolicy: d.resourcePolicy(t, resource),
	}
}
