package emulator_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

func TestRights(t *testing.T) {
	everything := emulator.Rule{Actions: []string{"*:*"}, Resources: []string{"*"}}
	live := "secret-review/app/dev"
	for name, c := range map[string]struct {
		allow, deny []emulator.Rule
		operation   string
		body        fields
		allowed     bool
	}{
		"nothing is allowed by default":                   {nil, nil, "DescribeSecret", fields{"SecretId": live}, false},
		"an action on a name":                             {[]emulator.Rule{{Actions: []string{"DescribeSecret"}, Resources: []string{live}}}, nil, "DescribeSecret", fields{"SecretId": live}, true},
		"another action":                                  {[]emulator.Rule{{Actions: []string{"DescribeSecret"}, Resources: []string{live}}}, nil, "GetSecretValue", fields{"SecretId": live}, false},
		"a pattern of actions and names":                  {[]emulator.Rule{{Actions: []string{"secretsmanager:Describe*"}, Resources: []string{"secret-review/*/dev"}}}, nil, "DescribeSecret", fields{"SecretId": live}, true},
		"a pattern of another team":                       {[]emulator.Rule{{Actions: []string{"*"}, Resources: []string{"secret-review/other/*"}}}, nil, "DescribeSecret", fields{"SecretId": live}, false},
		"a pattern of ARNs":                               {[]emulator.Rule{{Actions: []string{"*"}, Resources: []string{"arn:aws:secretsmanager:*:*:secret:secret-review/app/dev-??????"}}}, nil, "DescribeSecret", fields{"SecretId": live}, true},
		"a secret that does not exist is not told":        {[]emulator.Rule{{Actions: []string{"*"}, Resources: []string{live}}}, nil, "DescribeSecret", fields{"SecretId": "secret-review/app/none"}, false},
		"a denial wins":                                   {[]emulator.Rule{everything}, []emulator.Rule{{Actions: []string{"DescribeSecret"}, Resources: []string{"*"}}}, "DescribeSecret", fields{"SecretId": live}, false},
		"a listing is of everything":                      {[]emulator.Rule{{Actions: []string{"ListSecrets"}, Resources: []string{"*"}}}, nil, "ListSecrets", fields{}, true},
		"a listing is not of some names":                  {[]emulator.Rule{{Actions: []string{"ListSecrets"}, Resources: []string{"secret-review/*"}}}, nil, "ListSecrets", fields{}, false},
		"creating with tags needs the right to tag":       {[]emulator.Rule{{Actions: []string{"CreateSecret"}, Resources: []string{"*"}}}, nil, "CreateSecret", fields{"Name": "n", "Tags": tags("a", "b")}, false},
		"creating without tags does not":                  {[]emulator.Rule{{Actions: []string{"CreateSecret"}, Resources: []string{"*"}}}, nil, "CreateSecret", fields{"Name": "n"}, true},
		"creating with the tag that is required":          {[]emulator.Rule{{Actions: []string{"CreateSecret", "TagResource"}, Resources: []string{"*"}, RequestTags: map[string]string{"staging": "tr*"}}}, nil, "CreateSecret", fields{"Name": "n", "Tags": tags("staging", "true", "x", "y")}, true},
		"creating with another value of it":               {[]emulator.Rule{{Actions: []string{"CreateSecret", "TagResource"}, Resources: []string{"*"}, RequestTags: map[string]string{"staging": "tr*"}}}, nil, "CreateSecret", fields{"Name": "n", "Tags": tags("staging", "no")}, false},
		"creating without it":                             {[]emulator.Rule{{Actions: []string{"CreateSecret", "TagResource"}, Resources: []string{"*"}, RequestTags: map[string]string{"staging": "tr*"}}}, nil, "CreateSecret", fields{"Name": "n"}, false},
		"creating with replicas needs the right to those": {[]emulator.Rule{{Actions: []string{"CreateSecret"}, Resources: []string{"*"}}}, nil, "CreateSecret", fields{"Name": "n", "AddReplicaRegions": []fields{{"Region": "eu-west-1"}}}, false},
		"creating counts its tags as the secret's":        {[]emulator.Rule{everything}, []emulator.Rule{{Actions: []string{"TagResource"}, Resources: []string{"*"}, ResourceTags: map[string]string{"staging": "*"}}}, "CreateSecret", fields{"Name": "n", "Tags": tags("staging", "true")}, false},
		"creating with tags names no SecretId":            {[]emulator.Rule{everything}, []emulator.Rule{{Actions: []string{"TagResource"}, Resources: []string{"*"}, SecretID: true}}, "CreateSecret", fields{"Name": "n", "Tags": tags("staging", "true")}, true},
		"tagging what is there names one":                 {[]emulator.Rule{everything}, []emulator.Rule{{Actions: []string{"TagResource"}, Resources: []string{"*"}, SecretID: true}}, "TagResource", fields{"SecretId": live, "Tags": tags("staging", "true")}, false},
		"a tag that the secret has":                       {[]emulator.Rule{{Actions: []string{"DescribeSecret"}, Resources: []string{"*"}, ResourceTags: map[string]string{"team": "blue"}}}, nil, "DescribeSecret", fields{"SecretId": live}, true},
		"a tag that it has not":                           {[]emulator.Rule{{Actions: []string{"DescribeSecret"}, Resources: []string{"*"}, ResourceTags: map[string]string{"team": "red"}}}, nil, "DescribeSecret", fields{"SecretId": live}, false},
		"reading needs the key":                           {[]emulator.Rule{{Actions: []string{"GetSecretValue"}, Resources: []string{"*"}}}, nil, "GetSecretValue", fields{"SecretId": live}, false},
		"reading with the key":                            {[]emulator.Rule{{Actions: []string{"GetSecretValue"}, Resources: []string{"*"}}, {Actions: []string{"kms:Decrypt"}, Resources: []string{"alias/app"}}}, nil, "GetSecretValue", fields{"SecretId": live}, true},
		"encrypting needs the key":                        {[]emulator.Rule{{Actions: []string{"CreateSecret"}, Resources: []string{"*"}}, {Actions: []string{"kms:Decrypt"}, Resources: []string{"*"}}}, nil, "CreateSecret", fields{"Name": "n", "KmsKeyId": "alias/app"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, emulator.Options{})
			client.must("CreateSecret", fields{"Name": live, "SecretString": "v", "Tags": tags("team", "blue"), "KmsKeyId": "alias/app"})
			client.emulator.SetPrincipals([]emulator.Principal{{AccessKeyID: "tester", Allow: c.allow, Deny: c.deny}})
			code := client.code(c.operation, c.body)
			if want := map[bool]string{true: "", false: "AccessDeniedException"}[c.allowed]; code != want {
				t.Errorf("answered %q, want %q", code, want)
			}
		})
	}
}

func TestRightsThatWereNeededAreRemembered(t *testing.T) {
	client := newClient(t, emulator.Options{})
	client.must("CreateSecret", fields{"Name": "n", "SecretString": "v", "Tags": tags("team", "blue"), "KmsKeyId": "alias/app"})
	client.must("GetSecretValue", fields{"SecretId": "n"})
	client.must("GetSecretValue", fields{"SecretId": "n"})
	client.emulator.SetPrincipals([]emulator.Principal{{AccessKeyID: "nobody"}})
	client.code("PutSecretValue", fields{"SecretId": "n", "SecretString": "w"})

	blue := map[string]string{"team": "blue"}
	arn := client.emulator.Secrets()[0].ARN
	named := strings.TrimSuffix(arn, arn[len(arn)-7:])
	want := map[string]emulator.Asked{
		"creating":   {Operation: "CreateSecret", Action: "secretsmanager:CreateSecret", Resource: named, KMSKeyID: "alias/app", RequestTags: blue, ResourceTags: blue},
		"tagging":    {Operation: "CreateSecret", Action: "secretsmanager:TagResource", Resource: named, KMSKeyID: "alias/app", RequestTags: blue, ResourceTags: blue},
		"encrypting": {Operation: "CreateSecret", Action: "kms:GenerateDataKey", Resource: "alias/app", SecretARN: named},
		"validating": {Operation: "CreateSecret", Action: "kms:Decrypt", Resource: "alias/app", SecretARN: named},
		"reading":    {Operation: "GetSecretValue", Action: "secretsmanager:GetSecretValue", Resource: arn, SecretID: true, RequestTags: map[string]string{}, ResourceTags: blue},
		"decrypting": {Operation: "GetSecretValue", Action: "kms:Decrypt", Resource: "alias/app", SecretARN: arn},
	}
	asked := client.emulator.Asked()
	if len(asked) != len(want) {
		t.Errorf("%d rights are remembered, want %d", len(asked), len(want))
	}
	for name, w := range want {
		w.AccessKeyID = "tester"
		if !slices.ContainsFunc(asked, func(a emulator.Asked) bool { return reflect.DeepEqual(a, w) }) {
			t.Errorf("%s: %+v is not among %+v", name, w, asked)
		}
	}
}

func TestADenialSaysWhoAndWhat(t *testing.T) {
	client := newClient(t, emulator.Options{Principals: []emulator.Principal{{AccessKeyID: "tester", ARN: "arn:aws:sts::1:assumed-role/dev/eve"}}})
	_, answer := client.do("GetSecretValue", fields{"SecretId": "n"})
	for _, part := range []string{"arn:aws:sts::1:assumed-role/dev/eve", "secretsmanager:GetSecretValue", ":secret:n"} {
		if text := fmt.Sprint(answer["message"]); !strings.Contains(text, part) {
			t.Errorf("%q does not say %s", text, part)
		}
	}
	call := client.emulator.Calls()[0]
	if call.Principal != "arn:aws:sts::1:assumed-role/dev/eve" || call.AccessKeyID != "tester" || call.Code != "AccessDeniedException" || call.Secret != "n" {
		t.Errorf("the log says %+v", call)
	}
}

func TestAnOldVersionNeedsItsOldKey(t *testing.T) {
	client := newClient(t, emulator.Options{})
	old := client.must("CreateSecret", fields{"Name": "n", "SecretString": "v0", "KmsKeyId": "old"})["VersionId"]
	for _, value := range []string{"v1", "v2"} {
		client.must("PutSecretValue", fields{"SecretId": "n", "SecretString": value})
	}
	client.must("UpdateSecret", fields{"SecretId": "n", "KmsKeyId": "new"})
	client.emulator.SetPrincipals([]emulator.Principal{{AccessKeyID: "tester", Allow: []emulator.Rule{
		{Actions: []string{"secretsmanager:*"}, Resources: []string{"*"}},
		{Actions: []string{"kms:*"}, Resources: []string{"new"}},
	}}})
	for _, label := range []string{"AWSCURRENT", "AWSPREVIOUS"} {
		client.must("GetSecretValue", fields{"SecretId": "n", "VersionStage": label})
	}
	if code := client.code("GetSecretValue", fields{"SecretId": "n", "VersionId": old}); code != "AccessDeniedException" {
		t.Errorf("the oldest version answers %q", code)
	}
	keys := map[any]any{}
	for _, v := range client.must("ListSecretVersionIds", fields{"SecretId": "n", "IncludeDeprecated": true})["Versions"].([]any) {
		keys[fmt.Sprint(v.(fields)["KmsKeyIds"])] = true
	}
	if len(keys) != 2 {
		t.Errorf("the keys are %v", keys)
	}
}

// The right to read shows in how the service refuses a version that there is not:
// rights come before what is stored, and nothing is decrypted.
func TestAVersionThatThereIsNotTellsTheRightToRead(t *testing.T) {
	root := newClient(t, emulator.Options{})
	root.must("CreateSecret", fields{"Name": "app", "SecretString": "v", "KmsKeyId": "alias/app"})
	root.emulator.SetPrincipals([]emulator.Principal{
		{AccessKeyID: "reader", Allow: []emulator.Rule{{Actions: []string{"GetSecretValue"}, Resources: []string{"app"}}}},
		{AccessKeyID: "nobody"},
	})
	for who, want := range map[string]string{"reader": "ResourceNotFoundException", "nobody": "AccessDeniedException"} {
		body := fields{"SecretId": "app", "VersionId": uuid.NewString(), "VersionStage": "AWSCURRENT"}
		if code := root.as(who).code("GetSecretValue", body); code != want {
			t.Errorf("%s: %q", who, code)
		}
	}
	if code := root.as("reader").code("GetSecretValue", fields{"SecretId": "app"}); code != "AccessDeniedException" {
		t.Errorf("the key is not asked: %q", code)
	}
}
