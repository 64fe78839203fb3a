package draft

import (
	"crypto/rand"
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"k8s.io/apimachinery/pkg/util/validation"
)

func TestChangeNamesAreDNSSubdomains(t *testing.T) {
	suffix := regexp.MustCompile(`-[0-9a-z]{5}$`)
	for name, tc := range map[string]struct{ project, environment, begin string }{
		"plain names":                {"backend-api", "production", "backend-api-production-"},
		"capitals":                   {"backend-api", "PROD", "backend-api-prod-"},
		"underscores":                {"backend-api", "eu_west_1", "backend-api-eu-west-1-"},
		"an end that is none":        {"backend-api", "prod_", "backend-api-prod-"},
		"only underscores":           {"backend-api", "__", "backend-api-"},
		"a project with dots":        {"team.backend", "dev", "team.backend-dev-"},
		"the longest names":          {strings.Repeat("p", 253), strings.Repeat("e", 63), strings.Repeat("p", 247) + "-"},
		"a name cut behind a dot":    {strings.Repeat("p", 246) + ".x", "dev", strings.Repeat("p", 246) + "-"},
		"an environment of one dash": {"p", "-", "p-"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Name(tc.project, tc.environment, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(got, tc.begin) || !suffix.MatchString(got) {
				t.Errorf("unexpected name %q", got)
			}
			if problems := validation.IsDNS1123Subdomain(got); len(problems) > 0 {
				t.Errorf("%q: %v", got, problems)
			}
		})
	}
}

func TestChangeNamesDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 50 {
		name, err := Name("p", "e", rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		seen[name] = true
	}
	if len(seen) < 49 {
		t.Errorf("50 draws gave %d names", len(seen))
	}
}

func TestChangeNamesNeedRandomness(t *testing.T) {
	broken := errors.New("broken")
	if _, err := Name("p", "e", iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("unexpected: %v", err)
	}
}
