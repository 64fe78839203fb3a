package aws_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/secretreview/secretreview/internal/endpoint"
	"github.com/secretreview/secretreview/internal/secretstore/aws"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

// The address 0.0.0.0 reaches this machine and is not one of its loopback
// addresses, so that a request that is sent in spite of the rule arrives.
func TestNothingIsSentWithoutTLSWhereverTheAddressComesFrom(t *testing.T) {
	e, _, url, _, _ := live(t)
	insecure := strings.Replace(url, "127.0.0.1", "0.0.0.0", 1)
	profile := func(text string) map[string]string {
		path := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "URL", insecure)), 0o600); err != nil {
			t.Fatal(err)
		}
		return map[string]string{"AWS_CONFIG_FILE": path}
	}
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("jwt"), 0o600); err != nil {
		t.Fatal(err)
	}
	key := map[string]string{"AWS_ACCESS_KEY_ID": "alice", "AWS_SECRET_ACCESS_KEY": "s"}
	for name, tc := range map[string]struct {
		options aws.Options
		set     []map[string]string
	}{
		"from an option":                     {options: aws.Options{EndpointURL: insecure}, set: []map[string]string{key}},
		"from AWS_ENDPOINT_URL":              {set: []map[string]string{key, {"AWS_ENDPOINT_URL": insecure}}},
		"from the service's variable":        {set: []map[string]string{key, {"AWS_ENDPOINT_URL": url, "AWS_ENDPOINT_URL_SECRETS_MANAGER": insecure}}},
		"from a profile":                     {set: []map[string]string{key, profile("[default]\nendpoint_url = URL\n")}},
		"from a service of a profile":        {set: []map[string]string{key, profile("[default]\nservices = s\n[services s]\nsecrets_manager =\n  endpoint_url = URL\n")}},
		"of the service that credentials do": {set: []map[string]string{{"AWS_ENDPOINT_URL": url, "AWS_ENDPOINT_URL_STS": insecure, "AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/r"}}},
	} {
		t.Run(name, func(t *testing.T) {
			bare(t)
			for _, variables := range tc.set {
				for key, value := range variables {
					t.Setenv(key, value)
				}
			}
			o := tc.options
			o.Region = region
			_, err := adapt(t, o).Describe(t.Context(), "live")
			var refused *endpoint.InsecureError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), insecure) {
				t.Errorf("it failed with %v", err)
			}
			if calls := e.Calls(); len(calls) > 0 {
				t.Errorf("it sent %v", calls)
			}
		})
	}
}

// EKS Pod Identity and ECS hand out credentials by HTTP on link-local addresses, which the SDK alone allows beside
// this machine's own.
func TestTheAgentsOfContainersAreAsked(t *testing.T) {
	for _, agent := range []string{"http://169.254.170.23/v1/credentials", "http://169.254.170.2/v1/credentials"} {
		bare(t)
		t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", agent)
		t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "jwt")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second) // nobody may answer there
		defer cancel()
		_, err := adapt(t, aws.Options{Region: region}).Describe(ctx, "live")
		var refused *endpoint.InsecureError
		if err == nil || errors.As(err, &refused) {
			t.Errorf("%s: it failed with %v", agent, err)
		}
	}
}

// An instance of EC2 hands out its role's credentials by HTTP on a link-local address: 0.0.0.0 is not this machine's
// loopback either.
func TestTheInstanceItselfIsAskedForCredentials(t *testing.T) {
	e, _, url, _, _ := live(t)
	metadata := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/latest/api/token":
			w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "300")
			_, _ = io.WriteString(w, "token")
		case "/latest/meta-data/iam/security-credentials/":
			_, _ = io.WriteString(w, "role")
		case "/latest/meta-data/iam/security-credentials/role":
			_, _ = io.WriteString(w, `{"Code":"Success","AccessKeyId":"instance","SecretAccessKey":"s","Token":"t","Expiration":"2100-01-01T00:00:00Z"}`)
		default:
			http.NotFound(w, r)
		}
	}))
	defer metadata.Close()
	bare(t)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", strings.Replace(metadata.URL, "127.0.0.1", "0.0.0.0", 1))
	t.Setenv("AWS_ENDPOINT_URL", url)
	if _, err := adapt(t, aws.Options{Region: region}).Describe(t.Context(), "live"); err != nil {
		t.Fatal(err)
	}
	if calls := emulator.Invocations(e.Calls()); len(calls) != 1 || calls[0].AccessKeyID != "instance" {
		t.Errorf("%+v", calls)
	}
}
