package emulator_test

import "fmt"

// The recordings of labels that move between versions.
func init() {
	for name, scenario := range map[string]func(p *player, parameter string){
		"test_update_secret_description":                     updateDescription,
		"test_update_secret_version_stages_return_type":      moveOnce,
		"test_update_secret_version_stages_current_previous": updateOnce,
		"test_update_secret_version_stages_current_pending":  putAfterMove,
		"test_update_secret_version_stages_current_pending_cycle": func(p *player, _ string) {
			cycle(p, []string{"AWSPENDING"}, []string{"AWSPENDING"}, "put_secret_value_res_2")
		},
		"test_update_secret_version_stages_current_pending_cycle_custom_stages_1": func(p *player, _ string) {
			cycle(p, []string{"AWSSOMETHING", "AWSPENDING", "PUT1"}, []string{"AWSPENDING", "PUT2"}, "update_secret_version_stage_res_1")
		},
		"test_update_secret_version_stages_current_pending_cycle_custom_stages_2": cycleFromPut,
		"test_update_secret_version_stages_current_pending_cycle_custom_stages_3": takeOff,
		"test_non_versioning_version_stages_replacement": func(p *player, _ string) {
			replaceLabels(p, "one", "two", "three", "four")
		},
		"test_non_versioning_version_stages_no_replacement": func(p *player, _ string) {
			replaceLabels(p, "one", "two", "four")
		},
		"test_deprecated_secret_version_stage": deprecate,
	} {
		scenarios[name] = scenario
	}
}

func (p *player) versions(key, name string) {
	p.call(key, "ListSecretVersionIds", fields{"SecretId": name})
}

func (p *player) get(key, name string) {
	p.call(key, "GetSecretValue", fields{"SecretId": name})
}

func (p *player) moveCurrent(key, name, from, to string) {
	p.call(key, "UpdateSecretVersionStage", fields{
		"SecretId": name, "VersionStage": "AWSCURRENT", "RemoveFromVersionId": from, "MoveToVersionId": to,
	})
}

// first makes the secret and returns its name and VersionId.
func (p *player) first(key, value string) (name, id string) {
	name = p.named("<SecretId-0idx>", "s-1")
	id, _ = p.call(key, "CreateSecret", fields{"Name": name, "SecretString": value})["VersionId"].(string)
	return name, id
}

func updateDescription(p *player, _ string) {
	name := p.created("create_secret_rs_0", "MySecretString")
	describe := func(i int) {
		p.call(fmt.Sprintf("describe_secret_res_%d", i), "DescribeSecret", fields{"SecretId": name})
	}
	describe(0)
	for i, body := range []fields{
		{"Description": "MyDescription"},
		{"SecretString": "MyNewSecretString", "Description": "MyNewDescription"},
		{"SecretString": "MyNewSecretStringMyNewSecretString"},
		{},
	} {
		body["SecretId"] = name
		p.call(fmt.Sprintf("update_secret_res_%d", i), "UpdateSecret", body)
		describe(i + 1)
	}
	p.deleted("delete_secret_res_0", name)
}

func moveOnce(p *player, _ string) {
	name, v0 := p.first("create_secret_rs_0", "Something1")
	v1 := p.put("put_secret_value_res_0", name, "Something2", "AWSPENDING")
	p.moveCurrent("update_secret_version_stage_res_0", name, v0, v1)
	p.deleted("delete_secret_res_0", name)
}

func updateOnce(p *player, _ string) {
	name := p.created("create_secret_rs_0", "secret_string_v0")
	p.versions("list_secret_version_ids_res_0", name)
	p.call("update_secret_res_0", "UpdateSecret", fields{"SecretId": name, "SecretString": "secret_string_v1"})
	p.versions("list_secret_version_ids_res_1", name)
	p.deleted("delete_secret_res_0", name)
}

func putAfterMove(p *player, _ string) {
	name, v0 := p.first("create_secret_rs_0", "Something1")
	v1 := p.put("put_secret_value_res_0", name, "Something2", "AWSPENDING")
	p.versions("list_secret_version_ids_res_0", name)
	p.moveCurrent("update_secret_version_stage_res_0", name, v0, v1)
	p.versions("list_secret_version_ids_res_1", name)
	p.put("put_secret_value_res_1", name, "SS3")
	p.versions("list_secret_version_ids_res_2", name)
	p.deleted("delete_secret_res_0", name)
}

func cycle(p *player, second, third []string, lastMove string) {
	name, v0 := p.first("create_secret_rs_0", "S1")
	v1 := p.put("put_secret_value_res_0", name, "S2", second...)
	p.versions("list_secret_version_ids_res_0", name)
	p.get("get_secret_value_res_0", name)
	p.moveCurrent("update_secret_version_stage_res_0", name, v0, v1)
	p.versions("list_secret_version_ids_res_1", name)
	p.get("get_secret_value_res_1", name)
	v2 := p.put("put_secret_value_res_1", name, "S3", third...)
	p.versions("list_secret_version_ids_res_2", name)
	p.get("get_secret_value_res_2", name)
	p.moveCurrent(lastMove, name, v1, v2)
	p.versions("list_secret_version_ids_res_3", name)
	p.get("get_secret_value_res_3", name)
	p.deleted("delete_secret_res_0", name)
}

func cycleFromPut(p *player, _ string) {
	name := p.created("create_secret_rs_0", "SS")
	v0 := p.put("put_secret_value_res_0", name, "S1", "AWSCURRENT", "PUT0")
	p.versions("list_secret_version_ids_res_0", name)
	v1 := p.put("put_secret_value_res_1", name, "S2", "AWSPENDING", "PUT1")
	p.versions("list_secret_version_ids_res_1", name)
	p.get("get_secret_value_res_0", name)
	p.moveCurrent("update_secret_version_stage_res_0", name, v0, v1)
	p.versions("list_secret_version_ids_res_2", name)
	p.get("get_secret_value_res_1", name)
	v2 := p.put("put_secret_value_res_2", name, "S3", "AWSPENDING", "PUT2")
	p.versions("list_secret_version_ids_res_3", name)
	p.get("get_secret_value_res_2", name)
	p.moveCurrent("update_secret_version_stage_res_1", name, v1, v2)
	p.versions("list_secret_version_ids_res_4", name)
	p.get("get_secret_value_res_3", name)
	p.deleted("delete_secret_res_0", name)
}

func takeOff(p *player, _ string) {
	name, v1 := p.first("create_secret_rs", "SS")
	v2 := p.put("put_secret_value_res_0", name, "S1", "PENDING")
	p.versions("list_secret_version_ids_rs", name)
	both := func(suffix string) {
		p.call("get_secret_value_v1_rs"+suffix, "GetSecretValue", fields{"SecretId": name, "VersionId": v1})
		p.call("get_secret_value_v2_rs"+suffix, "GetSecretValue", fields{"SecretId": name, "VersionId": v2})
	}
	both("")
	p.moveCurrent("update_secret_version_stage_res_1", name, v1, v2)
	both("_1")
	p.call("update_secret_version_stage_res_2", "UpdateSecretVersionStage", fields{"SecretId": name, "VersionStage": "PENDING", "RemoveFromVersionId": v2})
	both("_2")
	p.deleted("delete_secret_res_0", name)
}

func replaceLabels(p *player, second ...string) {
	name := p.created("create_secret_rs_0", "S0")
	p.put("put_secret_value_res_0", name, "S1", "one", "two", "three")
	p.versions("list_secret_version_ids_res_0", name)
	p.put("put_secret_value_res_1", name, "S2", second...)
	p.versions("list_secret_version_ids_res_1", name)
	p.deleted("delete_secret_res_0", name)
}

func deprecate(p *player, _ string) {
	name := p.named("<SecretId-0idx>", "s-1")
	all := func(key string) {
		p.call(key, "ListSecretVersionIds", fields{"SecretId": name, "IncludeDeprecated": true})
	}
	p.call("create_secret", "CreateSecret", fields{"Name": name, "SecretString": "original", "Description": "My secret"})
	p.versions("list_secret_version_ids", name)
	p.put("put_secret_value_1", name, "update1")
	p.versions("list_secret_version_ids_1", name)
	p.put("put_secret_value_2", name, "update2")
	p.versions("list_secret_version_ids_2", name)
	all("list_secret_version_ids_3")
	p.put("put_secret_value_3", name, "update3")
	p.versions("list_secret_version_ids_4", name)
	all("list_secret_version_ids_5")
}
