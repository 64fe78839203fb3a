package leak_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/cli/check/leak"
)

// made is put together here, so that no scanner of this repository takes it for a credential.
func made(parts ...string) string { return strings.Join(parts, "") }

var (
	letters = strings.Repeat("a1B2c3D4e5", 10)
	awsKey  = made("AKIA", "IOSFODNN7EXAMPLE")
	jwt     = made("eyJ", "hbGciOiJIUzI1NiJ9", ".eyJ", "zdWIiOiIxMjM0In0", ".", "c2lnbmF0dXJl")
)

func TestFormatsOfCredentialsAreFound(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"an access key in a sentence":       {"rotate " + awsKey + " now", "an AWS access key"},
		"an access key of a session":        {made("ASIA", "IOSFODNN7EXAMPLE"), "an AWS access key"},
		"a private key of RFC 7468":         {made("-----BEGIN ", "PRIVATE KEY-----"), "a private key"},
		"an RSA key":                        {made("-----BEGIN RSA ", "PRIVATE KEY-----\nMIIE"), "a private key"},
		"an OpenSSH key":                    {made("-----BEGIN OPENSSH ", "PRIVATE KEY-----"), "a private key"},
		"a PGP key":                         {made("-----BEGIN PGP ", "PRIVATE KEY BLOCK-----"), "a private key"},
		"a classic GitHub token":            {made("gh", "p_", letters[:36]), "a GitHub token"},
		"a fine-grained GitHub token":       {made("github", "_pat_", letters[:82]), "a GitHub token"},
		"a GitLab token":                    {made("gl", "pat-", letters[:20]), "a GitLab token"},
		"a Slack bot's token":               {made("xo", "xb-", "123456789012-", letters[:24]), "a Slack token"},
		"a Slack webhook":                   {made("https://hooks.slack", ".com/services/T0000/B0000/", letters[:24]), "a Slack token"},
		"a live Stripe key":                 {made("sk_", "live_", letters[:24]), "a Stripe key"},
		"a restricted Stripe key for tests": {made("rk_", "test_", letters[:24]), "a Stripe key"},
		"a Google API key":                  {made("AI", "za", letters[:35]), "a Google key"},
		"an npm token":                      {made("npm", "_", letters[:36]), "a package registry's token"},
		"a SendGrid key":                    {made("SG", ".", letters[:22], ".", letters[:43]), "a SendGrid key"},
		"a Vault token":                     {made("hv", "s.", letters[:24]), "a Vault token"},
		"an OpenAI key":                     {made("sk", "-proj-", letters[:40]), "a key of an AI service"},
		"an old OpenAI key":                 {made("sk", "-", letters[:48]), "a key of an AI service"},
		"an age key":                        {made("AGE-SECRET", "-KEY-1", strings.Repeat("QP2Z", 14)), "an age key"},
		"a JSON web token":                  {"Authorization: Bearer " + jwt, "a JSON web token"},
		"an address with a password":        {made("postgres://app:", "hunter2", "@db.example.com/app"), "an address with a password"},
		"an address without a user":         {made("redis://:", "hunter2", "@cache"), "an address with a password"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := leak.Find(tc.text); len(got) != 1 || got[0] != (leak.Match{What: tc.want}) {
				t.Errorf("%+v instead of %q", got, tc.want)
			}
		})
	}
}

func TestHarmlessTextIsLeftAlone(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":                               "",
		"a sentence":                            "Rotate the payment token, as agreed with the payment team",
		"a version":                             "Restore 7f07b8e6-b368-4559-8d5a-3bf3bf625b46",
		"a commit":                              "As of commit 9bd792f0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f6",
		"a digest":                              "sha256:" + strings.Repeat("0123456789abcdef", 4),
		"a change":                              "Rebase of backend-api-production-x7k2p",
		"a name with sk in it":                  "backend-sk-production-with-a-long-name-x7k2p",
		"a path":                                "See charts/secretreview/templates/Deployment2.yaml",
		"an ARN":                                "arn:aws:secretsmanager:eu-central-1:123456789012:secret:secret-review/pending/backend-api/backend-api-production-x7k2p-AbCdEf",
		"an address":                            "https://example.com:8443/a?b=c@d",
		"an address with a user":                "ssh://git@example.com/repository",
		"an address with a hidden password":     "postgres://app:****@db.example.com/app",
		"an address with a password to fill in": "postgres://app:${PASSWORD}@db.example.com/app",
		"an access key cut short":               awsKey[:12],
		"a long word":                           "Donaudampfschifffahrtsgesellschaft",
		"a constant":                            "SECRET_REVIEW_MAX_CONCURRENT_REQUESTS_2",
		"a word about tokens":                   "New token: the old one has expired",
		"an assignment to fill in":              "Use DB_PASSWORD=${DB_PASSWORD}",
	} {
		t.Run(name, func(t *testing.T) {
			if got := leak.Guess(text); len(got) > 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestValuesAreGuessed(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"random letters and digits": {"It is q8Zr2LmX0vBt7KpYw3Nd now", "random letters and digits, as a value has them"},
		"base64":                    {"c2VjcmV0LXZhbHVlLTEyMzQ1Njc4OTA=", "random letters and digits, as a value has them"},
		"an assignment":             {"Set DB_PASSWORD=hunter2", "an assignment of a value"},
		"an assignment in quotes":   {`api-key = "hunter2"`, "an assignment of a value"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := leak.Guess(tc.text); !slices.Equal(got, []leak.Match{{What: tc.want, Guess: true}}) {
				t.Errorf("%+v", got)
			}
			if got := leak.Find(tc.text); len(got) > 0 {
				t.Errorf("%+v has a format", got)
			}
		})
	}
	t.Run("a format goes before a guess", func(t *testing.T) {
		if got := leak.Guess("AWS_SECRET_KEY=" + awsKey); !slices.Equal(got, []leak.Match{{What: "an AWS access key"}}) {
			t.Errorf("%+v", got)
		}
	})
}
