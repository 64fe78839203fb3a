package emulator_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

func TestWhoMayTakeARoleOn(t *testing.T) {
	const role = "arn:aws:iam::123456789012:role/reader"
	aws := []string{"sts.amazonaws.com"}
	for name, c := range map[string]struct {
		token, role string
		code        string
	}{
		"the subject that it trusts":           {token(t, "system:serviceaccount:demo:app", aws), role, ""},
		"another subject":                      {token(t, "system:serviceaccount:other:app", aws), role, "AccessDenied"},
		"a role that there is not":             {token(t, "system:serviceaccount:demo:app", aws), role + "s", "AccessDenied"},
		"a user, whom no token can take on":    {token(t, "system:serviceaccount:demo:app", aws), "arn:aws:iam::123456789012:user/alice", "AccessDenied"},
		"a token for somebody else":            {token(t, "system:serviceaccount:demo:app", []string{"vault"}), role, "InvalidIdentityToken"},
		"a token about nobody":                 {token(t, "", aws), role, "InvalidIdentityToken"},
		"a token that is not one":              {"a.b.c", role, "InvalidIdentityToken"},
		"a token of which a part is missing":   {strings.TrimSuffix(token(t, "x", aws), ".c2ln"), role, "InvalidIdentityToken"},
		"no token at all, and no other access": {"", role, "InvalidIdentityToken"},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, emulator.Options{Principals: []emulator.Principal{
				{AccessKeyID: "reader", ARN: role, WebIdentity: "system:serviceaccount:demo:*"},
				{AccessKeyID: "alice"},
			}})
			var answer struct {
				Credentials struct{ AccessKeyId, SessionToken, Expiration string } `xml:"AssumeRoleWithWebIdentityResult>Credentials"`
				Code        string                                                 `xml:"Error>Code"`
			}
			client.form(t, url.Values{
				"Action": {"AssumeRoleWithWebIdentity"}, "RoleArn": {c.role}, "RoleSessionName": {"test"}, "WebIdentityToken": {c.token},
			}, &answer)
			if answer.Code != c.code {
				t.Errorf("answered %q, want %q", answer.Code, c.code)
			}
			if got, want := answer.Credentials.AccessKeyId, map[bool]string{true: "reader"}[c.code == ""]; got != want {
				t.Errorf("gave the access key %q, want %q", got, want)
			}
		})
	}
}

func TestOtherCallsWithoutASignatureAreRefused(t *testing.T) {
	var answer struct {
		Code string `xml:"Error>Code"`
	}
	newClient(t, emulator.Options{}).form(t, url.Values{"Action": {"GetCallerIdentity"}}, &answer)
	if answer.Code != "MissingAuthenticationToken" {
		t.Errorf("answered %q", answer.Code)
	}
}

// form sends a call of the query protocol that nobody has signed.
func (c *client) form(t *testing.T, form url.Values, answer any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(body, answer); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
}

// token is a JSON Web Token with a signature that nobody looks at.
func token(t *testing.T, subject string, audiences []string) string {
	t.Helper()
	claims, err := json.Marshal(map[string]any{"sub": subject, "aud": audiences})
	if err != nil {
		t.Fatal(err)
	}
	part := func(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
	return part([]byte(`{"alg":"none"}`)) + "." + part(claims) + "." + part([]byte("sig"))
}
