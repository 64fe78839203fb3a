package emulator_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
)

// scenarios are the calls behind the recordings, by the name of the test that
// made them; the parameter is what stood in its brackets.
var scenarios = map[string]func(p *player, parameter string){
	"test_can_recreate_delete_secret": func(p *player, _ string) {
		name := p.named("<SecretId-0idx>", "s-1")
		p.call("create_secret_res_0", "CreateSecret", fields{"Name": name, "SecretString": "v"})
		p.call("delete_res_1", "DeleteSecret", fields{"SecretId": name, "ForceDeleteWithoutRecovery": true})
		p.call("create_secret_res_1", "CreateSecret", fields{"Name": name, "SecretString": "v"})
	},
	"test_exp_raised_on_creation_of_secret_scheduled_for_deletion": func(p *player, _ string) {
		name := p.created("", "v")
		p.call("delete_res", "DeleteSecret", fields{"SecretId": name, "RecoveryWindowInDays": 7})
		p.call("invalid_req_ex", "CreateSecret", fields{"Name": name, "SecretString": "v"})
	},
	"test_create_and_update_secret": createAndUpdate,
	"test_call_lists_secrets_multiple_times": func(p *player, _ string) {
		listThrice(p)
	},
	"test_call_lists_secrets_multiple_times_snapshots": func(p *player, _ string) {
		listThrice(p)
	},
	"test_create_multi_secrets":          func(p *player, _ string) { createThree(p) },
	"test_create_multi_secrets_snapshot": func(p *player, _ string) { createThree(p) },
	"test_put_secret_value_with_version_stages": func(p *player, _ string) {
		name := p.created("create_secret_rs_0", "secret_string_v0")
		p.call("get_secret_value_res_0", "GetSecretValue", fields{"SecretId": name})
		for i, labels := range [][]string{{"SAMPLESTAGE1", "SAMPLESTAGE0"}, {"SAMPLESTAGE1", "SAMPLESTAGE0"}, {"AWSPENDING"}, nil} {
			p.put(fmt.Sprintf("put_secret_value_res_%d", i+1), name, fmt.Sprintf("secret_string_v%d", i+1), labels...)
			p.call(fmt.Sprintf("get_secret_value_res_%d", i+1), "GetSecretValue", fields{"SecretId": name})
		}
		p.deleted("delete_secret_res_1", name)
	},
	"test_invalid_secret_name": invalidNames,
	"test_secret_not_found": func(p *player, _ string) {
		p.call("get_secret_value_not_found_ex", "GetSecretValue", fields{"SecretId": "s-none"})
		p.call("list_secret_version_ids_not_found_ex", "ListSecretVersionIds", fields{"SecretId": "s-none"})
	},
	"test_secret_exists_snapshots": func(p *player, _ string) {
		name := p.created("", "v")
		p.call("ex_log", "CreateSecret", fields{"Name": name, "SecretString": "v"})
		p.deleted("delete_secret_res", name)
	},
	"test_no_client_request_token": func(p *player, operation string) {
		body := fields{"SecretString": "thisisthesecret", "Description": "My secret string", "ClientRequestToken": ""}
		if operation == "CreateSecret" {
			body["Name"] = "s-1"
		} else {
			body["SecretId"] = "s-1"
		}
		status, answer := p.do(operation, body)
		p.compared["no-client-request-exc"] = true
		p.compare(operation, p.recorded["no-client-request-exc"], fields{"Error": answer, "Metadata": fields{"StatusCode": float64(status)}})
	},
	"test_create_secret_version_from_empty_secret": func(p *player, _ string) {
		name := p.named("<name:1>", "s-1")
		p.call("create-empty-secret", "CreateSecret", fields{"Name": name, "Description": ""})
		p.call("describe-secret", "DescribeSecret", fields{"SecretId": name})
		p.put("put-secret-value", name, "example-string-to-protect")
	},
	"test_rotate_secret_invalid_lambda_arn": func(p *player, _ string) {
		name := p.created("create_secret", "init")
		p.call("rotate_secret_invalid_arn_exc", "RotateSecret", fields{
			"SecretId": name, "RotationRules": fields{"AutomaticallyAfterDays": 1},
			"RotationLambdaARN": "arn:aws:lambda:us-east-1:111111111111:function:none",
		})
		p.call("describe_secret", "DescribeSecret", fields{"SecretId": name})
	},
	"test_first_rotate_secret_with_missing_lambda_arn": func(p *player, _ string) {
		name := p.created("create_secret", "init")
		p.call("rotate_secret_no_arn_exc", "RotateSecret", fields{"SecretId": name, "RotationRules": fields{"AutomaticallyAfterDays": 1}})
		p.call("describe_secret", "DescribeSecret", fields{"SecretId": name})
	},
	"test_resource_policy": func(p *player, _ string) {
		name := p.created("", "my_secret")
		p.call("put_resource_policy", "PutResourcePolicy", fields{
			"SecretId":       name,
			"ResourcePolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"secretsmanager:GetSecretValue","Resource":"*"}]}`,
		})
		p.call("get_resource_policy", "GetResourcePolicy", fields{"SecretId": name})
	},
	"test_secret_restore": func(p *player, _ string) {
		name := p.created("", "my_secret")
		p.call("delete_secret_res", "DeleteSecret", fields{"SecretId": name})
		p.call("restore_secret_res", "RestoreSecret", fields{"SecretId": name})
	},
	"test_secret_tags": tagging,
	"test_tag_untag_resource_on_deleted_secret": func(p *player, _ string) {
		name := p.named("<SecretId-0idx>", "s-1")
		p.call("create_secret", "CreateSecret", fields{"Name": name, "SecretString": "v", "Tags": tags("initial-tag", "initial-value")})
		p.call("delete_secret", "DeleteSecret", fields{"SecretId": name})
		p.call("tag_deleted_secret_error", "TagResource", fields{"SecretId": name, "Tags": tags("new-tag", "new-value")})
		p.call("untag_deleted_secret_error", "UntagResource", fields{"SecretId": name, "TagKeys": []string{"initial-tag"}})
	},
	"test_get_secret_value_errors": func(p *player, _ string) {
		name := "s-1"
		created := p.call("", "CreateSecret", fields{"Name": name, "SecretString": "test"})
		p.call("error_get_secret_value_non_existing", "GetSecretValue", fields{"SecretId": created["ARN"], "VersionStage": "AWSPREVIOUS"})
		p.call("mismatch_version_id_and_stage", "GetSecretValue", fields{"SecretId": name, "VersionId": created["VersionId"], "VersionStage": "AWSPREVIOUS"})
	},
	"test_secret_version_not_found": func(p *player, _ string) {
		id := p.named("<version-id>", "5e0fc3f5-37f3-47e9-a8b9-4e3c6b6f3c10")
		p.call("", "CreateSecret", fields{"Name": "s-1"})
		p.call("get_secret_value_no_version_ex", "GetSecretValue", fields{"SecretId": "s-1"})
		p.call("get_secret_value_version_not_found_ex", "GetSecretValue", fields{"SecretId": "s-1", "VersionId": id})
		p.call("get_secret_value_stage_not_found_ex", "GetSecretValue", fields{"SecretId": "s-1", "VersionStage": "AWSPENDING"})
	},
	"test_get_secret_value": func(p *player, _ string) {
		name := p.named("<SecretId-0idx>", "s-1")
		p.call("", "CreateSecret", fields{"Name": name, "SecretBinary": encoded("footest")})
		p.call("secret_value_response", "GetSecretValue", fields{"SecretId": name})
		p.call("secret_value_http_response", "GetSecretValue", fields{"SecretId": name})
	},
	"test_force_delete_deleted_secret": func(p *player, _ string) {
		name := p.created("create_secret_response", "v")
		p.call("delete_secret_response", "DeleteSecret", fields{"SecretId": name})
		p.call("describe_secret_response", "DescribeSecret", fields{"SecretId": name})
		p.deleted("force_delete_secret_response", name)
		if status, _ := p.do("DescribeSecret", fields{"SecretId": name}); status != http.StatusBadRequest {
			p.Errorf("the secret is still described, status %d", status)
		}
	},
	"test_change_secret_value_after_creation": func(p *player, parameter string) {
		put, update, _ := strings.Cut(parameter, "-")
		name := p.named("<SecretId-0idx>", "s-1")
		p.call("", "CreateSecret", fields{"Name": name, "SecretBinary": encoded("initial")})
		p.call("put_secret_value_secret_response", "GetSecretValue", fields{"SecretId": name})
		p.call("", "PutSecretValue", fields{"SecretId": name, "SecretBinary": encoded(unescape(put))})
		p.call("put_secret_binary_response_updated", "GetSecretValue", fields{"SecretId": name})
		p.call("", "UpdateSecret", fields{"SecretId": name, "SecretBinary": encoded(unescape(update))})
		p.call("update_secret_binary_response_updated", "GetSecretValue", fields{"SecretId": name})
	},
}

func encoded(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// unescape reads what a test's name shows of bytes, such as \x00\xff.
func unescape(text string) string {
	var out strings.Builder
	for text != "" {
		var c byte
		if n, _ := fmt.Sscanf(text, `\x%02x`, &c); n == 1 {
			out.WriteByte(c)
			text = text[4:]
			continue
		}
		out.WriteByte(text[0])
		text = text[1:]
	}
	return out.String()
}

func tags(pairs ...string) []fields {
	var list []fields
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, fields{"Key": pairs[i], "Value": pairs[i+1]})
	}
	return list
}

// created makes the one secret of a scenario.
func (p *player) created(key, value string) (name string) {
	name = p.named("<SecretId-0idx>", "s-1")
	p.call(key, "CreateSecret", fields{"Name": name, "SecretString": value})
	return name
}

// put adds a version and returns its VersionId.
func (p *player) put(key, name, value string, labels ...string) string {
	body := fields{"SecretId": name, "SecretString": value}
	if labels != nil {
		body["VersionStages"] = labels
	}
	id, _ := p.call(key, "PutSecretValue", body)["VersionId"].(string)
	return id
}

func (p *player) deleted(key, name string) {
	p.call(key, "DeleteSecret", fields{"SecretId": name, "ForceDeleteWithoutRecovery": true})
}

func createAndUpdate(p *player, parameter string) {
	name := strings.TrimSuffix(strings.TrimSuffix(parameter, "-True"), "-False")
	p.named("<SecretId-0idx>", name)
	arn, _ := p.call("create_secret_rs_1", "CreateSecret", fields{"Name": name, "SecretString": "my_secret", "Description": "Testing secret creation."})["ARN"].(string)
	p.call("get_secret_value_rs_1", "GetSecretValue", fields{"SecretId": name})
	p.call("describe_secret_rs_1", "DescribeSecret", fields{"SecretId": name})
	p.call("get_secret_value_rs_2", "GetSecretValue", fields{"SecretId": arn})
	byPartialARN := "get_secret_value_rs_3"
	if strings.HasSuffix(parameter, "-False") {
		byPartialARN = "resource_not_found_dict_1"
	}
	p.call(byPartialARN, "GetSecretValue", fields{"SecretId": arn[:len(arn)-7]})
	p.put("put_secret_value_rs_1", name, "new_secret")
	p.call("get_secret_value_rs_4", "GetSecretValue", fields{"SecretId": name})
	p.call("update_secret_res_1", "UpdateSecret", fields{"SecretId": arn, "SecretString": "test123", "Description": "d1"})
	p.deleted("delete_secret_res_1", name)
}

func listThrice(p *player) {
	name := p.named("<SecretId-0idx>", "s-1")
	p.call("create_secret_rs_1", "CreateSecret", fields{"Name": name, "SecretString": "my_secret", "Description": "testing creation of secrets"})
	for i := range 3 {
		p.call(fmt.Sprintf("list_secrets_res_%d", i), "ListSecrets", fields{})
	}
	p.deleted("delete_secret_res_1", name)
}

func createThree(p *player) {
	var names []string
	for i := range 3 {
		name := p.named(fmt.Sprintf("<SecretId-%didx>", i), fmt.Sprintf("s-%d", i))
		p.call("", "CreateSecret", fields{"Name": name, "SecretString": name, "Description": "Testing secrets creation."})
		names = append(names, name)
	}
	p.call("list_secrets_res", "ListSecrets", fields{})
	for i, name := range names {
		p.deleted(fmt.Sprintf("delete_secret_res%d", i), name)
	}
}

func invalidNames(p *player, name string) {
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}]}`
	for i, c := range []struct {
		operation string
		body      fields
	}{
		{"CreateSecret", fields{"Name": name, "SecretString": "MySecretString"}},
		{"DeleteSecret", fields{"SecretId": name, "ForceDeleteWithoutRecovery": true}},
		{"DescribeSecret", fields{"SecretId": name}},
		{"GetSecretValue", fields{"SecretId": name}},
		{"ListSecretVersionIds", fields{"SecretId": name, "IncludeDeprecated": true}},
		{"PutSecretValue", fields{"SecretId": name, "SecretString": "MySecretString"}},
		{"TagResource", fields{"SecretId": name, "Tags": tags("FirstTag", "SomeValue")}},
		{"UntagResource", fields{"SecretId": name, "TagKeys": []string{"FirstTag"}}},
		{"UpdateSecret", fields{"SecretId": name, "Description": "MyNewDescription"}},
		{"ValidateResourcePolicy", fields{"SecretId": name, "ResourcePolicy": policy}},
	} {
		p.call(fmt.Sprintf("ex_log_%d", i+1), c.operation, c.body)
	}
}

func tagging(p *player, _ string) {
	name := p.named("<SecretId-0idx>", "s-1")
	p.call("create_secret", "CreateSecret", fields{"Name": name})
	describe := func(key string) { p.call(key, "DescribeSecret", fields{"SecretId": name}) }
	tag := func(key string, pairs ...string) {
		p.call(key, "TagResource", fields{"SecretId": name, "Tags": tags(pairs...)})
	}
	untag := func(key string, keys ...string) {
		p.call(key, "UntagResource", fields{"SecretId": name, "TagKeys": keys})
	}
	describe("describe_secret")
	tag("tag_resource_1", "tag1", "value1")
	describe("describe_secret_1")
	tag("tag_resource_2", "tag2", "value2")
	describe("describe_secret_2")
	untag("untag_resource_1", "tag1")
	describe("describe_secret_3")
	untag("untag_resource_2", "tag2")
	describe("describe_secret_4")
	tag("", "tag3", "value3", "tag4", "value4")
	describe("describe_secret_5")
	untag("", "tag3", "tag4")
	describe("describe_secret_6")
}
