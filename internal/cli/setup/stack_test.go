package setup

import (
	"testing"

	"github.com/secretreview/secretreview/internal/cli/config"
)

func TestLocate(t *testing.T) {
	for name, tc := range map[string]struct {
		outputs map[string]string
		want    config.Config
		fails   string
	}{
		"our stack": {
			outputs: map[string]string{"SecretPrefix": "app/", "Region": "eu-central-1", "KmsKeyArn": "arn", "SecretArnApiDev": "arn"},
			want:    config.Config{Prefix: "app/", Region: "eu-central-1"},
		},
		"the replaced tool's, with keys that the CDK made": {
			outputs: map[string]string{"SecretReviewSecretPrefix96A20576": "secret-review/", "SecretReviewApiUrl96A20577": "https://x", "ReplicaRegion": "x"},
			want:    config.Config{Prefix: "secret-review/"},
		},
		"its first ones, with plain keys":     {outputs: map[string]string{"SecretPrefix": "secret-review/", "ApiUrl": "https://x"}, want: config.Config{Prefix: "secret-review/"}},
		"two constructs with one prefix":      {outputs: map[string]string{"ASecretPrefix1": "x/", "BSecretPrefix2": "x/"}, want: config.Config{Prefix: "x/"}},
		"two constructs with two":             {outputs: map[string]string{"ASecretPrefix1": "x/", "BSecretPrefix2": "y/"}, fails: "has several outputs SecretPrefix, with x/ and y/"},
		"a plain key goes before one that is": {outputs: map[string]string{"SecretPrefix": "x/", "BSecretPrefix2": "y/"}, want: config.Config{Prefix: "x/"}},
		"another stack":                       {outputs: map[string]string{"BucketName": "b", "Region": "eu-central-1"}, fails: "has no output SecretPrefix"},
		"one without outputs":                 {fails: "has no output SecretPrefix"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := locate(tc.outputs)
			if got != tc.want || (err == nil) != (tc.fails == "") || err != nil && err.Error() != tc.fails {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}
