package emulator_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

// clock is a time that tests move themselves.
func clock() func() time.Time {
	return func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
}

func TestRefusals(t *testing.T) {
	long := strings.Repeat("x", 65537)
	for name, c := range map[string]struct {
		operation string
		body      fields
		code      string
	}{
		"an operation that does not exist":            {"Frobnicate", fields{}, "UnknownOperationException"},
		"a body of another form":                      {"DescribeSecret", fields{"SecretId": 7}, "SerializationException"},
		"no secret named":                             {"DescribeSecret", fields{}, "ValidationException"},
		"a value too long":                            {"CreateSecret", fields{"Name": "n", "SecretString": long}, "ValidationException"},
		"a binary value too long":                     {"CreateSecret", fields{"Name": "n", "SecretBinary": encoded(long)}, "ValidationException"},
		"an empty value":                              {"CreateSecret", fields{"Name": "n", "SecretString": ""}, "ValidationException"},
		"a binary value that is not base64":           {"CreateSecret", fields{"Name": "n", "SecretBinary": "?"}, "SerializationException"},
		"two values at once":                          {"CreateSecret", fields{"Name": "n", "SecretString": "a", "SecretBinary": "YQ=="}, "InvalidParameterException"},
		"a name too long":                             {"CreateSecret", fields{"Name": strings.Repeat("n", 513)}, "ValidationException"},
		"a token too short":                           {"CreateSecret", fields{"Name": "n", "ClientRequestToken": "short"}, "InvalidParameterException"},
		"a reserved tag":                              {"CreateSecret", fields{"Name": "n", "Tags": tags("aws:x", "y")}, "InvalidParameterException"},
		"a put without a value":                       {"PutSecretValue", fields{"SecretId": "made"}, "InvalidRequestException"},
		"more labels than there may be":               {"PutSecretValue", fields{"SecretId": "made", "SecretString": "v", "VersionStages": strings.Split(strings.Repeat("l,", 21), ",")[:21]}, "ValidationException"},
		"a move of nothing":                           {"UpdateSecretVersionStage", fields{"SecretId": "made", "VersionStage": "l"}, "InvalidParameterException"},
		"a move from a version that does not exist":   {"UpdateSecretVersionStage", fields{"SecretId": "made", "VersionStage": "l", "RemoveFromVersionId": uuid.NewString()}, "ResourceNotFoundException"},
		"a move to what is no VersionId":              {"UpdateSecretVersionStage", fields{"SecretId": "made", "VersionStage": "l", "MoveToVersionId": "x"}, "ValidationException"},
		"a recovery window beside force":              {"DeleteSecret", fields{"SecretId": "made", "RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": true}, "InvalidParameterException"},
		"a recovery window too short":                 {"DeleteSecret", fields{"SecretId": "made", "RecoveryWindowInDays": 6}, "InvalidParameterException"},
		"a page too large":                            {"ListSecrets", fields{"MaxResults": 101}, "ValidationException"},
		"a page after nothing":                        {"ListSecrets", fields{"NextToken": "?"}, "InvalidNextTokenException"},
		"a filter that does not exist":                {"ListSecrets", fields{"Filters": []fields{{"Key": "color", "Values": []string{"red"}}}}, "ValidationException"},
		"an order that does not exist":                {"ListSecrets", fields{"SortBy": "color"}, "ValidationException"},
		"a batch of nothing":                          {"BatchGetSecretValue", fields{}, "InvalidParameterException"},
		"a policy that is not JSON":                   {"PutResourcePolicy", fields{"SecretId": "made", "ResourcePolicy": "{"}, "MalformedPolicyDocumentException"},
		"a replica in the secret's own region":        {"ReplicateSecretToRegions", fields{"SecretId": "made", "AddReplicaRegions": []fields{{"Region": "us-east-1"}}}, "InvalidParameterException"},
		"an end to replication that is none":          {"StopReplicationToReplica", fields{"SecretId": "made"}, "InvalidRequestException"},
		"a password that cannot be":                   {"GetRandomPassword", fields{"PasswordLength": 2}, "InvalidParameterException"},
		"restoring what does not exist":               {"RestoreSecret", fields{"SecretId": "none"}, "ResourceNotFoundException"},
		"canceling a rotation of what does not exist": {"CancelRotateSecret", fields{"SecretId": "none"}, "ResourceNotFoundException"},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, emulator.Options{})
			client.must("CreateSecret", fields{"Name": "made", "SecretString": "v"})
			if code := client.code(c.operation, c.body); code != c.code {
				t.Errorf("answered %q, want %q", code, c.code)
			}
			if n := len(client.emulator.Secrets()); n != 1 {
				t.Errorf("there are %d secrets", n)
			}
		})
	}
}

func TestAnErrorNeverQuotesAValue(t *testing.T) {
	client := newClient(t, emulator.Options{})
	client.must("CreateSecret", fields{"Name": "made", "SecretString": "first"})
	marked := strings.Repeat("canary-41c7", 6000)
	_, answer := client.do("PutSecretValue", client.withToken("PutSecretValue", fields{"SecretId": "made", "SecretString": marked}))
	if text := fmt.Sprint(answer); !strings.Contains(text, "ValidationException") || strings.Contains(text, "canary") {
		t.Errorf("answered %.200s", text)
	}
}

func TestVersionsWithoutLabelsArePrunedAfterADay(t *testing.T) {
	client := newClient(t, emulator.Options{Clock: clock()})
	client.must("CreateSecret", fields{"Name": "n", "SecretString": "v0"})
	put := func(i int) string {
		return client.code("PutSecretValue", fields{"SecretId": "n", "SecretString": fmt.Sprintf("v%d", i)})
	}
	for i := 1; i < 100; i++ {
		if code := put(i); code != "" {
			t.Fatalf("version %d: %s", i, code)
		}
	}
	if code := put(100); code != "LimitExceededException" {
		t.Errorf("a version too many of one day: %q", code)
	}
	client.emulator.Advance(25 * time.Hour)
	for i := 101; i < 111; i++ {
		if code := put(i); code != "" {
			t.Fatalf("a day later: %s", code)
		}
	}
	versions := client.emulator.Secrets()[0].Versions
	if len(versions) != 100 {
		t.Errorf("%d versions are left", len(versions))
	}
	if first := versions[0].Value.Reveal(); first != "v10" {
		t.Errorf("the oldest left is %s, want v10", first)
	}
}

func TestARecoveryWindowEnds(t *testing.T) {
	client := newClient(t, emulator.Options{Clock: clock()})
	client.must("CreateSecret", fields{"Name": "n", "SecretString": "v"})
	client.must("DeleteSecret", fields{"SecretId": "n", "RecoveryWindowInDays": 7})
	client.emulator.Advance(7*24*time.Hour - time.Second)
	client.must("DescribeSecret", fields{"SecretId": "n"})
	if code := client.code("CreateSecret", fields{"Name": "n", "SecretString": "w"}); code != "InvalidRequestException" {
		t.Errorf("its name answers %q", code)
	}
	client.emulator.Advance(time.Second)
	if code := client.code("DescribeSecret", fields{"SecretId": "n"}); code != "ResourceNotFoundException" {
		t.Errorf("after the window it answers %q", code)
	}
	client.must("CreateSecret", fields{"Name": "n", "SecretString": "w"})
}

func TestForceDeletionTakesItsTime(t *testing.T) {
	client := newClient(t, emulator.Options{Clock: clock(), ForceDeleteDelay: 5 * time.Second})
	client.must("CreateSecret", fields{"Name": "n", "SecretString": "v"})
	for range 2 {
		client.must("DeleteSecret", fields{"SecretId": "n", "ForceDeleteWithoutRecovery": true})
	}
	if client.must("DescribeSecret", fields{"SecretId": "n"})["DeletedDate"] == nil {
		t.Error("it is not shown as deleted")
	}
	for operation, code := range map[string]string{"RestoreSecret": "ResourceNotFoundException", "GetSecretValue": "InvalidRequestException"} {
		if got := client.code(operation, fields{"SecretId": "n"}); got != code {
			t.Errorf("%s answers %q, want %q", operation, got, code)
		}
	}
	client.emulator.Advance(5 * time.Second)
	client.must("CreateSecret", fields{"Name": "n", "SecretString": "w"})
}

func TestTheLastReadingIsKnownByItsDay(t *testing.T) {
	client := newClient(t, emulator.Options{Clock: clock()})
	client.must("CreateSecret", fields{"Name": "n", "SecretString": "v"})
	accessed := func() any { return client.must("DescribeSecret", fields{"SecretId": "n"})["LastAccessedDate"] }
	if accessed() != nil {
		t.Error("it was read before it was")
	}
	client.must("GetSecretValue", fields{"SecretId": "n"})
	if got, want := accessed(), float64(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC).Unix()); got != want {
		t.Errorf("it was read at %v, want %v", got, want)
	}
}

func TestVersionIdsArePaged(t *testing.T) {
	client := newClient(t, emulator.Options{})
	client.must("CreateSecret", fields{"Name": "n", "SecretString": "v"})
	for i := range 4 {
		client.must("PutSecretValue", fields{"SecretId": "n", "SecretString": "v", "VersionStages": []string{fmt.Sprint(i)}})
	}
	var seen []any
	body := fields{"SecretId": "n", "MaxResults": 2}
	for pages := 0; ; pages++ {
		answer := client.must("ListSecretVersionIds", body)
		for _, v := range answer["Versions"].([]any) {
			seen = append(seen, v.(fields)["VersionId"])
		}
		if answer["NextToken"] == nil {
			if pages != 2 {
				t.Errorf("there were %d pages", pages+1)
			}
			break
		}
		body["NextToken"] = answer["NextToken"]
	}
	if len(seen) != 5 || len(slices.Compact(seen)) != 5 {
		t.Errorf("saw %v", seen)
	}
}

func TestABatchAnswersForEachSecret(t *testing.T) {
	client := newClient(t, emulator.Options{Principals: []emulator.Principal{{
		AccessKeyID: "tester",
		Allow: []emulator.Rule{
			{Actions: []string{"CreateSecret", "BatchGetSecretValue"}, Resources: []string{"*"}},
			{Actions: []string{"GetSecretValue"}, Resources: []string{"mine/*"}},
		},
	}}})
	for _, name := range []string{"mine/a", "theirs/b"} {
		client.must("CreateSecret", fields{"Name": name, "SecretString": name})
	}
	answer := client.must("BatchGetSecretValue", fields{"SecretIdList": []string{"mine/a", "theirs/b", "mine/none"}})
	values, errors := answer["SecretValues"].([]any), answer["Errors"].([]any)
	if len(values) != 1 || values[0].(fields)["SecretString"] != "mine/a" {
		t.Errorf("values are %v", values)
	}
	if len(errors) != 2 || errors[0].(fields)["ErrorCode"] != "AccessDeniedException" || errors[1].(fields)["ErrorCode"] != "ResourceNotFoundException" {
		t.Errorf("errors are %v", errors)
	}
}

func TestReplicationShowsInADescription(t *testing.T) {
	client := newClient(t, emulator.Options{})
	client.must("CreateSecret", fields{"Name": "n", "SecretString": "v", "AddReplicaRegions": []fields{{"Region": "eu-west-1", "KmsKeyId": "k"}}})
	client.must("ReplicateSecretToRegions", fields{"SecretId": "n", "AddReplicaRegions": []fields{{"Region": "eu-west-2"}}})
	described := client.must("DescribeSecret", fields{"SecretId": "n"})
	if described["PrimaryRegion"] != "us-east-1" || len(described["ReplicationStatus"].([]any)) != 2 {
		t.Errorf("described as %v", described)
	}
	if code := client.code("DeleteSecret", fields{"SecretId": "n"}); code != "InvalidRequestException" {
		t.Errorf("deleting it answers %q", code)
	}
	client.must("RemoveRegionsFromReplication", fields{"SecretId": "n", "RemoveReplicaRegions": []string{"eu-west-1", "eu-west-2"}})
	client.must("DeleteSecret", fields{"SecretId": "n"})
}

func TestAPasswordIsOfWhatWasAsked(t *testing.T) {
	client := newClient(t, emulator.Options{})
	password := client.must("GetRandomPassword", fields{"PasswordLength": 120, "ExcludeCharacters": "xyzDje@?!."})["RandomPassword"].(string)
	if len(password) != 120 || strings.ContainsAny(password, "xyzDje@?!. ") {
		t.Error("it has another length, or excluded characters")
	}
	digits := client.must("GetRandomPassword", fields{"ExcludeLowercase": true, "ExcludeUppercase": true, "ExcludePunctuation": true})["RandomPassword"].(string)
	if len(digits) != 32 || strings.Trim(digits, "0123456789") != "" {
		t.Error("it is not 32 digits")
	}
}

func TestARequestWithoutSignatureOrRightRegionIsRefused(t *testing.T) {
	client := newClient(t, emulator.Options{Principals: []emulator.Principal{{AccessKeyID: "tester", Expired: true}}})
	for key, code := range map[string]string{"": "MissingAuthenticationTokenException", "stranger": "UnrecognizedClientException", "tester": "ExpiredTokenException"} {
		if got := client.as(key).code("ListSecrets", fields{}); got != code {
			t.Errorf("key %q: %q, want %q", key, got, code)
		}
	}
	elsewhere := newClient(t, emulator.Options{})
	elsewhere.region = "eu-west-1"
	if got := elsewhere.code("ListSecrets", fields{}); got != "InvalidSignatureException" {
		t.Errorf("another region: %q", got)
	}
	unsigned, err := http.NewRequestWithContext(t.Context(), http.MethodPost, elsewhere.url, strings.NewReader("Action=AssumeRole"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(unsigned)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("an unsigned call of STS: %d", response.StatusCode)
	}
}
