package test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestTheReadPolicyOfTheExamples is about examples/reading/iam/read.json, which docs/reading.md gives to who has no CDK.
func TestTheReadPolicyOfTheExamples(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(module, "..", "..", "examples", "reading", "iam", "read.json"))
	if err != nil {
		t.Fatal(err)
	}
	var policy any
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), "KEY-ID", filepath.Base(recordedKey))), &policy); err != nil {
		t.Fatal(err)
	}
	const region, account = "us-east-1", "123456789012"
	var (
		live   = secretARN(region, account, "secret-review/backend-api/production-AbCdEf")
		staged = secretARN(region, account, "secret-review/pending/backend-api/change-AbCdEf")
		// What the role has beside.
		broad   = map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{"Effect": "Allow", "Action": "*", "Resource": "*"}}}
		current = context{"secretsmanager:VersionStage": "AWSCURRENT"}
		version = context{"secretsmanager:VersionId": "34f96368-42aa-4186-ba65-38a379a5dbb6"}
	)
	rows := map[string]struct {
		action, on string
		with       context
		broad      bool
		want       bool
	}{
		"reads what is live":                             {getValue, live, nil, false, true},
		"reads what is live by its label":                {getValue, live, current, false, true},
		"describes it":                                   {describe, live, nil, false, true},
		"has it decrypted":                               {decrypt, recordedKey, using(region, live), false, true},
		"decrypts it by itself":                          {decrypt, recordedKey, nil, false, false},
		"has another secret decrypted":                   {decrypt, recordedKey, using(region, staged), false, false},
		"reads what was live before":                     {getValue, live, context{"secretsmanager:VersionStage": "AWSPREVIOUS"}, true, false},
		"reads what a change has written, by its label":  {getValue, live, context{"secretsmanager:VersionStage": "sr-1"}, true, false},
		"reads what a change has written, by its id":     {getValue, live, version, true, false},
		"reads a version that is live, by its id":        {getValue, live, join(version, current), true, false},
		"reads another environment":                      {getValue, secretARN(region, account, "secret-review/backend-api/dev-AbCdEf"), nil, false, false},
		"reads one whose name begins alike":              {getValue, secretARN(region, account, "secret-review/backend-api/production-eu-AbCdEf"), nil, false, false},
		"reads what is staged":                           {getValue, staged, nil, false, false},
		"reads what is staged, with all rights beside":   {getValue, staged, nil, true, false},
		"describes what is staged, with all beside":      {describe, staged, nil, true, false},
		"writes what is live":                            {put, live, nil, false, false},
		"reads other secrets, with the right to it only": {getValue, secretARN(region, account, "billing/database-AbCdEf"), nil, true, true},
	}
	names := slices.Sorted(maps.Keys(rows))
	var requests []request
	for _, name := range names {
		row := rows[name]
		one := request{
			Principal: "arn:aws:iam::" + account + ":role/backend-api-production-read", Action: row.action, Resource: row.on, Owner: account,
			Context: join(row.with), IdentityPolicies: []any{policy},
		}
		if row.broad {
			one.IdentityPolicies = append(one.IdentityPolicies, broad)
		}
		if row.action == decrypt {
			one.ResourcePolicy = leftToIAM(account)
		}
		requests = append(requests, one)
	}
	for i, got := range allowed(t, requests) {
		if want := rows[names[i]].want; got != want {
			t.Errorf("the role %s: allowed is %t, want %t", names[i], got, want)
		}
	}
}
