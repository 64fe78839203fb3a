package emulator_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

// recordedOptions make the emulator what the recordings were made of.
var recordedOptions = emulator.Options{Region: "us-east-1", AccountID: "111111111111"}

type fields = map[string]any

// client speaks the wire protocol, without an SDK between.
type client struct {
	t        *testing.T
	emulator *emulator.Emulator
	url      string
	region   string
	// key is the access key id that requests are signed with.
	key string
}

func newClient(t *testing.T, o emulator.Options) *client {
	t.Helper()
	e := emulator.New(o)
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	return &client{t: t, emulator: e, url: server.URL, region: e.Region(), key: "tester"}
}

func (c *client) as(key string) *client {
	other := *c
	other.key = key
	return &other
}

// request sends one call; an error means that no answer came.
func (c *client) request(operation string, body fields) (*http.Response, error) {
	c.t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.url, bytes.NewReader(encoded))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "secretsmanager."+operation)
	if c.key != "" {
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+c.key+"/20261123/"+c.region+"/secretsmanager/aws4_request, SignedHeaders=host, Signature=00")
	}
	return http.DefaultClient.Do(r)
}

// do makes one call and returns the answer, whatever it is.
func (c *client) do(operation string, body fields) (int, map[string]any) {
	c.t.Helper()
	response, err := c.request(operation, body)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	answer := map[string]any{}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		c.t.Fatal(err)
	}
	return response.StatusCode, answer
}

// must makes one call that has to succeed.
func (c *client) must(operation string, body fields) map[string]any {
	c.t.Helper()
	status, answer := c.do(operation, c.withToken(operation, body))
	if status != http.StatusOK {
		c.t.Fatalf("%s: %v", operation, answer)
	}
	return answer
}

// code makes one call and returns its error code, "" for success.
func (c *client) code(operation string, body fields) string {
	c.t.Helper()
	_, answer := c.do(operation, c.withToken(operation, body))
	code, _ := answer["__type"].(string)
	return code
}

var tokenTakers = []string{"CreateSecret", "PutSecretValue", "UpdateSecret", "RotateSecret"}

// withToken adds a ClientRequestToken, as SDKs do.
func (c *client) withToken(operation string, body fields) fields {
	if _, given := body["ClientRequestToken"]; given || !slices.Contains(tokenTakers, operation) {
		return body
	}
	with := fields{"ClientRequestToken": uuid.NewString()}
	for k, v := range body {
		with[k] = v
	}
	return with
}
