package config_test

import (
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/cli/config"
	"github.com/secretreview/secretreview/internal/cli/exit"
)

func TestValidate(t *testing.T) {
	for name, tc := range map[string]struct {
		config config.Config
		wrong  string
	}{
		"nothing":                        {},
		"all of it":                      {config: config.Config{Project: "backend-api", Environment: "dev", Namespace: "demo", Context: "arn:aws:eks:x/y", Region: "us-gov-west-1", Prefix: "secret-review/"}},
		"a name in AWS":                  {config: config.Config{Project: "Backend_API"}},
		"a name in Kubernetes with dots": {config: config.Config{Project: "backend.api"}},
		"a project with a path":          {config: config.Config{Project: "a/b"}, wrong: `"a/b" is not a project`},
		"the staging project":            {config: config.Config{Project: "pending"}, wrong: `"pending" is not a project`},
		"a subresource":                  {config: config.Config{Environment: "status"}, wrong: `"status" is not an environment`},
		"a namespace in capitals":        {config: config.Config{Namespace: "Demo"}, wrong: `"Demo" is not a namespace`},
		"a region that is a host":        {config: config.Config{Region: "evil.example/"}, wrong: `"evil.example/" is not a region`},
		"a prefix without its slash":     {config: config.Config{Prefix: "secret-review"}, wrong: `"secret-review" is not a prefix`},
		"a prefix that has an escape":    {config: config.Config{Prefix: "\x1b[2J/"}, wrong: `is not a prefix`},
	} {
		t.Run(name, func(t *testing.T) {
			err := tc.config.Validate()
			if tc.wrong == "" && err != nil || tc.wrong != "" && (exit.CodeOf(err) != exit.Usage || !strings.Contains(err.Error(), tc.wrong)) {
				t.Errorf("unexpected: %v", err)
			}
		})
	}
}
