package emulator_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

func (c *client) admin(method, path, body string) (int, string) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.url+emulator.AdminPath+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestAdministration(t *testing.T) {
	client := newClient(t, emulator.Options{Clock: clock()})
	marked := "canary-93ab"
	client.must("CreateSecret", fields{"Name": "n", "SecretString": marked, "Tags": tags("a", "b")})
	client.must("GetSecretValue", fields{"SecretId": "n"})

	for _, path := range []string{"calls", "secrets", "faults", "health"} {
		status, text := client.admin("GET", path, "")
		if status != http.StatusOK || !json.Valid([]byte(text)) {
			t.Errorf("%s answers %d %s", path, status, text)
		}
		if strings.Contains(text, marked) {
			t.Errorf("%s shows a value", path)
		}
	}
	if _, text := client.admin("GET", "secrets", ""); !strings.Contains(text, `"AWSCURRENT"`) || !strings.Contains(text, `"a":"b"`) {
		t.Errorf("the secrets are %s", text)
	}
	if _, text := client.admin("GET", "calls", ""); !strings.Contains(text, `"operation":"GetSecretValue","secret":"n"`) {
		t.Errorf("the calls are %s", text)
	}
	client.admin("DELETE", "calls", "")
	if calls := client.emulator.Calls(); len(calls) != 0 {
		t.Errorf("calls left: %v", calls)
	}

	if status, text := client.admin("PUT", "stacks", `[{"name":"s","outputs":{"K":"V"}}]`); status != http.StatusOK {
		t.Errorf("setting stacks answers %d %s", status, text)
	}

	client.admin("POST", "faults", `{"kind":"throttle","operations":["ListSecrets"],"count":1,"delay":"1ms"}`)
	if got := fmt.Sprintf("%q %q", client.code("ListSecrets", fields{}), client.code("ListSecrets", fields{})); got != `"ThrottlingException" ""` {
		t.Errorf("listing answers %s", got)
	}
	client.admin("POST", "faults", `{"kind":"deny"}`)
	client.admin("DELETE", "faults", "")
	client.must("ListSecrets", fields{})

	client.admin("POST", "state", `{"secret":"n","owningService":"rds","rotating":true,"rotationEnabled":true}`)
	described := client.must("DescribeSecret", fields{"SecretId": "n"})
	if described["OwningService"] != "rds" || described["RotationEnabled"] != true || !strings.Contains(fmt.Sprint(described["VersionIdsToStages"]), "AWSPENDING") {
		t.Errorf("described as %v", described)
	}
	client.admin("POST", "state", `{"secret":"n","owningService":"","rotating":false,"replicas":[{"region":"eu-west-1","status":"Failed","message":"no key"}]}`)
	described = client.must("DescribeSecret", fields{"SecretId": "n"})
	if described["OwningService"] != nil || strings.Contains(fmt.Sprint(described["VersionIdsToStages"]), "AWSPENDING") || !strings.Contains(fmt.Sprint(described["ReplicationStatus"]), "no key") {
		t.Errorf("described as %v", described)
	}

	client.admin("POST", "state", `{"secret":"n","replicas":[]}`)
	client.must("DeleteSecret", fields{"SecretId": "n"})
	client.admin("POST", "clock", `{"advance":"720h"}`)
	if n := len(client.emulator.Secrets()); n != 0 {
		t.Error("the recovery window is not over")
	}

	client.admin("PUT", "principals", `[{"accessKeyId":"bob","allow":[{"actions":["ListSecrets"],"resources":["*"]}]}]`)
	if got := fmt.Sprintf("%q %q", client.code("ListSecrets", fields{}), client.as("bob").code("ListSecrets", fields{})); got != `"UnrecognizedClientException" ""` {
		t.Errorf("listing answers %s", got)
	}
}

func TestAdministrationRefusesNonsense(t *testing.T) {
	client := newClient(t, emulator.Options{})
	for request, want := range map[string]int{
		"GET nothing ":                           http.StatusNotFound,
		"POST health ":                           http.StatusNotFound,
		"POST faults {":                          http.StatusBadRequest,
		`POST faults {"delay":"long"}`:           http.StatusBadRequest,
		`POST faults {"kind":"meteor"}`:          http.StatusBadRequest,
		`POST state {"secret":"none"}`:           http.StatusBadRequest,
		`POST clock {"advance":"a day"}`:         http.StatusBadRequest,
		`PUT principals {"accessKeyId":"alone"}`: http.StatusBadRequest,
	} {
		parts := strings.SplitN(request, " ", 3)
		if status, text := client.admin(parts[0], parts[1], parts[2]); status != want {
			t.Errorf("%s: %d %s", request, status, text)
		}
	}
}
