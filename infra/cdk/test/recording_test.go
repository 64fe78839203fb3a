package test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/infra/cdk/app"
	"github.com/secretreview/secretreview/infra/cdk/internal/cfn"
	"github.com/secretreview/secretreview/infra/cdk/secretreview"
	"github.com/secretreview/secretreview/internal/naming"
)

// asked is what the end-to-end tests recorded, by "make record-aws": a right that
// the manager or somebody with sr needed and had.
type asked struct {
	Roles                     []string
	Operation, Action         string
	Resource                  string
	SecretID                  bool
	KMSKeyID                  string `json:"kmsKeyId"`
	SecretARN                 string
	RequestTags, ResourceTags map[string]string
}

// recordedAt is where the emulator pretended to be.
var recordedAt = cfn.Place{Partition: "aws", Region: "us-east-1", Account: "123456789012", URLSuffix: "amazonaws.com"}

// The end-to-end tests call a key after its project; one of AWS's has a UUID.
const (
	keyOfBackend = "arn:aws:kms:us-east-1:123456789012:key/of-backend"
	recordedKey  = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
)

// recorded is the recording, and a stack with the names in it.
func recorded(t *testing.T) ([]asked, map[string]principal) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(module, "testdata", "asked.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []asked
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), keyOfBackend, recordedKey)), &all); err != nil {
		t.Fatal(err)
	}
	template := configured(t, app.Config{
		Props: secretreview.Props{
			KmsKeyArn: recordedKey,
			Clusters: []secretreview.Cluster{{Name: "e2e", IRSA: &secretreview.IRSA{
				OIDCProviderArn: "arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/0",
			}}},
			Projects: []secretreview.Project{{Name: "backend", Environments: []secretreview.Environment{{Name: "production", Namespace: "team"}}}},
		},
		People: []app.People{
			{Name: "proposer", Propose: []string{"backend"}},
			{Name: "approver", Review: []string{"backend"}},
			{Name: "rollbacker", Pull: []string{"backend"}},
			{Name: "auditor", Audit: []string{"backend"}},
		},
	}).template(t, app.DefaultStackName)
	d := deployment{main: template, place: recordedAt}
	who := map[string]principal{"manager": d.role(t, "ControllerRole")}
	for _, role := range []string{"proposer", "approver", "rollbacker", "auditor"} {
		who[role] = d.person(t, role)
	}
	return all, who
}

// context is what IAM knows of a right that was asked for.
func (a asked) context() context {
	all := join(resourceTags(a.ResourceTags))
	if len(a.RequestTags) > 0 {
		all = join(all, requestTags(a.RequestTags))
	}
	if a.SecretID {
		all = join(all, secretID(a.Resource))
	}
	if a.Action == create && a.KMSKeyID != "" {
		all["secretsmanager:KmsKeyArn"] = a.KMSKeyID
	}
	if a.SecretARN != "" {
		all = join(all, using(recordedAt.Region, a.SecretARN))
	}
	return all
}

func (a asked) request(who map[string]principal) request {
	r := request{Action: a.Action, Resource: a.Resource, Owner: recordedAt.Account, Context: a.context(), IdentityPolicies: []any{}}
	if strings.HasPrefix(a.Action, "kms:") {
		// The policy of a key that lets IAM decide.
		r.ResourcePolicy = map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
			"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": map[string]any{"AWS": "arn:aws:iam::" + recordedAt.Account + ":root"},
		}}}
	}
	for _, role := range a.Roles {
		r.Principal = who[role].arn
		r.IdentityPolicies = append(r.IdentityPolicies, who[role].policies...)
	}
	return r
}

func TestWhatWasRecordedIsAllowed(t *testing.T) {
	all, who := recorded(t)
	var requests []request
	for _, one := range all {
		requests = append(requests, one.request(who))
	}
	for i, got := range allowed(t, requests) {
		if !got {
			t.Errorf("%v made %s, and is not allowed %s on %s with %v", all[i].Roles, all[i].Operation, all[i].Action, all[i].Resource, requests[i].Context)
		}
	}
	seen := map[string]bool{}
	for _, one := range all {
		for _, role := range one.Roles {
			seen[role] = true
		}
	}
	if len(seen) != len(who) {
		t.Errorf("the recording has %v alone", seen)
	}
}

// TestNothingButWhatWasRecordedIsAllowed tries every action of both services on
// everything that there is, with every condition fulfilled that a caller could
// fulfil.
func TestNothingButWhatWasRecordedIsAllowed(t *testing.T) {
	all, who := recorded(t)
	input, err := json.Marshal(map[string]any{"actionsOf": []string{"secretsmanager", "kms"}})
	if err != nil {
		t.Fatal(err)
	}
	var actions map[string][]string
	if err := json.Unmarshal(node(t, input, "simulate.mjs"), &actions); err != nil {
		t.Fatal(err)
	}
	var requests []request
	var roles []string
	for _, role := range slices.Sorted(maps.Keys(who)) {
		for service, names := range actions {
			for _, name := range names {
				for _, one := range everythingOf(service + ":" + name) {
					one.Roles = []string{role}
					asking := one.request(who)
					asking.Lenient = true
					requests, roles = append(requests, asking), append(roles, role)
				}
			}
		}
	}
	got := map[string]map[string]bool{}
	for i, ok := range allowed(t, requests) {
		if ok {
			if got[roles[i]] == nil {
				got[roles[i]] = map[string]bool{}
			}
			got[roles[i]][requests[i].Action] = true
		}
	}
	for role := range who {
		want := map[string]bool{}
		for _, one := range all {
			if slices.Equal(one.Roles, []string{role}) {
				want[one.Action] = true
			}
		}
		if !maps.Equal(got[role], want) {
			t.Errorf("%s is allowed %v, and was seen to need %v", role, slices.Sorted(maps.Keys(got[role])), slices.Sorted(maps.Keys(want)))
		}
	}
	if len(requests) < 1000 {
		t.Errorf("only %d requests were tried", len(requests))
	}
}

// everythingOf are requests for an action on each kind of thing, by those who
// name a secret and those who make one.
func everythingOf(action string) []asked {
	const prefix = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"
	staged := naming.StagedTags{Cluster: "e2e", Namespace: "team", Project: "backend", Environment: "production", Change: "change"}.Map()
	var all []asked
	for resource, tags := range map[string]map[string]string{
		"*": nil,
		prefix + "secret-review/backend/production-AbCdEf":     {naming.TagOwner: "e2e/team"},
		prefix + "secret-review/pending/backend/change-AbCdEf": staged,
		prefix + "secret-review/other/production-AbCdEf":       {naming.TagOwner: "other/team"},
		prefix + "secret-review/pending/other/change-AbCdEf":   staged,
		prefix + "beyond-AbCdEf":                               {naming.TagOwner: "e2e/team"},
	} {
		for _, named := range []bool{true, false} {
			all = append(all, asked{Action: action, Resource: resource, SecretID: named, KMSKeyID: recordedKey, RequestTags: staged, ResourceTags: tags})
		}
	}
	for _, secret := range []string{"secret-review/backend/production-AbCdEf", "secret-review/pending/backend/change-AbCdEf"} {
		all = append(all, asked{Action: action, Resource: recordedKey, SecretARN: prefix + secret})
	}
	return all
}
