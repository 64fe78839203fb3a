package emulator_test

import (
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

// These facts about the real service's answers are checked against recordings
// in TestRecordedAnswers, where those are at hand, and held here where not.

func TestOnlyModelledErrorsWriteMessageWithACapital(t *testing.T) {
	client := newClient(t, emulator.Options{})
	for id, key := range map[string]string{"none": "Message", "no such": "message"} {
		_, answer := client.do("DescribeSecret", fields{"SecretId": id})
		if text, ok := answer[key].(string); !ok || text == "" || len(answer) != 2 {
			t.Errorf("%q: %v has no %s", id, answer, key)
		}
	}
}

func TestAMissingTokenIsNoticedFirst(t *testing.T) {
	client := newClient(t, emulator.Options{})
	for operation, code := range map[string]string{
		"CreateSecret": "InvalidRequestException", "PutSecretValue": "InvalidRequestException",
		"UpdateSecret": "InvalidRequestException", "RotateSecret": "InvalidParameterException",
	} {
		if got := client.code(operation, fields{"Name": "n", "SecretId": "n", "SecretString": "v", "ClientRequestToken": ""}); got != code {
			t.Errorf("%s: %q, want %q", operation, got, code)
		}
	}
}

func TestTagsAreLeftOutUntilTheFirstAndEmptyAfterTheLast(t *testing.T) {
	client := newClient(t, emulator.Options{})
	client.must("CreateSecret", fields{"Name": "n"})
	shown := func() string { return fmt.Sprint(client.must("DescribeSecret", fields{"SecretId": "n"})["Tags"]) }
	never := shown()
	client.must("TagResource", fields{"SecretId": "n", "Tags": tags("a", "b")})
	client.must("UntagResource", fields{"SecretId": "n", "TagKeys": []string{"a"}})
	if after := shown(); never != "<nil>" || after != "[]" {
		t.Errorf("never tagged: %s, no longer tagged: %s", never, after)
	}
}

func TestVersionsWithoutLabelsAreListedOnRequest(t *testing.T) {
	client := newClient(t, emulator.Options{})
	client.must("CreateSecret", fields{"Name": "n", "SecretString": "v0"})
	for i := range 3 {
		client.must("PutSecretValue", fields{"SecretId": "n", "SecretString": fmt.Sprint(i)})
	}
	for want, body := range map[int]fields{2: {"SecretId": "n"}, 4: {"SecretId": "n", "IncludeDeprecated": true}} {
		versions := client.must("ListSecretVersionIds", body)["Versions"].([]any)
		if len(versions) != want {
			t.Errorf("%v lists %v", body, versions)
		}
		if _, labelled := versions[0].(fields)["VersionStages"]; labelled != (want == 2) {
			t.Errorf("%v begins with %v", body, versions[0])
		}
	}
}

func TestANewCurrentVersionEndsWhatWasPendingOnTheOldOne(t *testing.T) {
	client := newClient(t, emulator.Options{})
	first := client.must("CreateSecret", fields{"Name": "n", "SecretString": "v0"})["VersionId"]
	second, third := uuid.NewString(), uuid.NewString()
	client.must("PutSecretValue", fields{"SecretId": "n", "SecretString": "v1", "ClientRequestToken": second, "VersionStages": []string{"AWSPENDING", "own"}})
	client.must("UpdateSecretVersionStage", fields{"SecretId": "n", "VersionStage": "AWSCURRENT", "RemoveFromVersionId": first, "MoveToVersionId": second})
	client.must("PutSecretValue", fields{"SecretId": "n", "SecretString": "v2", "ClientRequestToken": third})
	want := fmt.Sprint(fields{second: []string{"AWSPREVIOUS", "own"}, third: []string{"AWSCURRENT"}})
	if got := fmt.Sprint(client.must("DescribeSecret", fields{"SecretId": "n"})["VersionIdsToStages"]); got != want {
		t.Errorf("labels are %s, want %s", got, want)
	}
}

func TestAPartialARNFindsNoNameThatEndsLikeAWholeOne(t *testing.T) {
	client := newClient(t, emulator.Options{})
	for name, code := range map[string]string{"app/dev": "", "app/dev-a1b2": "", "app/dev-a1b2c3": "ResourceNotFoundException"} {
		arn := client.must("CreateSecret", fields{"Name": name, "SecretString": "v"})["ARN"].(string)
		if got := client.code("GetSecretValue", fields{"SecretId": arn[:len(arn)-7]}); got != code {
			t.Errorf("%s: %q, want %q", name, got, code)
		}
	}
}
