package imports_test

import (
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/infra/cdk/internal/imports"
)

func TestSecretsAreFoundByTheirNames(t *testing.T) {
	template, err := os.ReadFile("../../testdata/minimal.secretreview.template.json")
	if err != nil {
		t.Fatal(err)
	}
	const arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:secret-review/backend-api/production-AbCdEf"
	for name, c := range map[string]struct{ listed, wantError string }{
		"the secret is there":        {`{"SecretList": [{"Name": "x", "ARN": "y"}, {"Name": "secret-review/backend-api/production", "ARN": "` + arn + `"}]}`, ""},
		"the secret is not there":    {`{"SecretList": []}`, "secret-review/backend-api/production"},
		"something that is not JSON": {"x", "list-secrets"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := imports.Of(template, []byte(c.listed))
			if c.wantError != "" {
				if err == nil || !strings.Contains(err.Error(), c.wantError) {
					t.Errorf("the error is %v", err)
				}
				return
			}
			if err != nil || len(got) != 1 {
				t.Fatalf("%v, %v", got, err)
			}
			for id, identifier := range got {
				if !strings.HasPrefix(id, "SecretReviewSecretBackendApiProduction") || !maps.Equal(identifier, map[string]string{"Id": arn}) {
					t.Errorf("%s is %v", id, identifier)
				}
			}
		})
	}
}
