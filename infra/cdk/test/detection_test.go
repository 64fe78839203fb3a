package test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// motoRequirements are those of the main module's tests, and so is the cache.
const motoRequirements = "../../../internal/secretstore/storetest/testdata/moto-requirements.txt"

// object is a part of an event.
type object = map[string]any

func TestRulesMatchWhatIsNewsAndNothingElse(t *testing.T) {
	needsPython(t, "moto's EventBridge, which matches events to the rules,")
	d := deploy(t)
	const live, staged = "secret-review/backend-api/production", "secret-review/pending/backend-api/change"
	arn := func(name string) string { return secretARN(d.place.Region, d.place.Account, name+"-AbCdEf") }
	label := func(name, label string) object {
		return object{
			"source": "aws.secretsmanager", "detail-type": "Secret Label Updated", "resources": []string{arn(name)},
			"detail": object{"name": name, "labelUpdated": label, "versionId": "v"},
		}
	}
	by := func(role string) object {
		return object{"type": "AssumedRole", "sessionContext": object{"sessionIssuer": object{"type": "Role", "arn": role}}}
	}
	call := func(name, secret string, who object) object {
		return object{
			"source": "aws.secretsmanager", "detail-type": "AWS API Call via CloudTrail",
			"detail": object{
				"eventSource": "secretsmanager.amazonaws.com", "eventName": name, "userIdentity": who,
				"requestParameters": object{"secretId": secret},
			},
		}
	}
	failed := call("PutSecretValue", live, by("arn:aws:iam::111122223333:role/somebody"))
	failed["detail"].(object)["errorCode"] = "AccessDenied"
	manager, stranger := by(d.role(t, "ControllerRoleProduction").arn), by("arn:aws:iam::111122223333:role/somebody")

	cases := map[string]struct {
		event object
		want  string
	}{
		"another live version":                       {label(live, "AWSCURRENT"), "LiveVersionChanged"},
		"a label of a change":                        {label(live, "sr-1"), ""},
		"a staged secret gets its first version":     {label(staged, "AWSCURRENT"), ""},
		"another's secret has another version":       {label("billing/database", "AWSCURRENT"), ""},
		"a manager writes":                           {call("PutSecretValue", arn(live), manager), ""},
		"the other manager writes":                   {call("PutSecretValue", arn(live), by(d.role(t, "ControllerRoleStaging").arn)), ""},
		"the role that deploys writes":               {call("TagResource", arn(live), by("arn:aws:iam::111122223333:role/deployer")), ""},
		"somebody writes by the ARN":                 {call("PutSecretValue", arn(live), stranger), "WrittenByAnother"},
		"somebody writes by the name":                {call("UpdateSecret", live, stranger), "WrittenByAnother"},
		"somebody moves a label":                     {call("UpdateSecretVersionStage", live, stranger), "WrittenByAnother"},
		"somebody overwrites what is staged":         {call("PutSecretValue", arn(staged), stranger), "WrittenByAnother"},
		"somebody deletes":                           {call("DeleteSecret", live, stranger), "WrittenByAnother"},
		"somebody changes the resource policy":       {call("PutResourcePolicy", live, stranger), "WrittenByAnother"},
		"a user writes, who has no session":          {call("PutSecretValue", live, object{"type": "IAMUser", "userName": "eve"}), "WrittenByAnother"},
		"root writes":                                {call("PutSecretValue", live, object{"type": "Root"}), "WrittenByAnother"},
		"somebody reads":                             {call("GetSecretValue", live, stranger), ""},
		"somebody is refused":                        {failed, ""},
		"somebody writes a secret beyond the prefix": {call("PutSecretValue", "billing/database", stranger), ""},
	}
	patterns := object{}
	for id, r := range d.main.Resources {
		if r.Type == "AWS::Events::Rule" {
			patterns[id] = d.main.Resolve(d.place, r.Properties["EventPattern"])
		}
	}
	names := slices.Sorted(maps.Keys(cases))
	var events []object
	for _, name := range names {
		events = append(events, cases[name].event)
	}
	input, err := json.Marshal(object{"patterns": patterns, "events": events})
	if err != nil {
		t.Fatal(err)
	}
	match := exec.CommandContext(t.Context(), pythonWith(t, "moto", motoRequirements), "match.py")
	match.Stdin = bytes.NewReader(input)
	output, err := match.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got [][]string
	if err := json.Unmarshal(output, &got); err != nil || len(got) != len(names) {
		t.Fatalf("%d answers, %v", len(got), err)
	}
	for i, rules := range got {
		switch want := cases[names[i]].want; {
		case want == "" && len(rules) > 0:
			t.Errorf("%s: told by %v", names[i], rules)
		case want != "" && (len(rules) != 1 || !strings.Contains(rules[0], want)):
			t.Errorf("%s: told by %v, want %s", names[i], rules, want)
		}
	}
}
