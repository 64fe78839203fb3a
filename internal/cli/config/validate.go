package config

import (
	"regexp"

	"k8s.io/apimachinery/pkg/api/validate/content"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/naming"
)

// region is a part of a host name, as the names of all regions are.
var region = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$`)

// Validate returns an exit.Error of Usage for what can name nothing, before it
// is written down. What is not said is valid.
func (c Config) Validate() error {
	for _, check := range []struct {
		what, value string
		valid       bool
		rule        string
	}{
		{
			"a project", c.Project, naming.ValidProject(c.Project) || len(content.IsDNS1123Subdomain(c.Project)) == 0 && c.Project != naming.StagingProject,
			"the name of a SecretProject, or its name in AWS",
		},
		{"an environment", c.Environment, naming.ValidEnvironment(c.Environment), "letters, digits, _ and -, at most 63, and no subresource of Kubernetes"},
		{"a namespace", c.Namespace, len(content.IsDNS1123Label(c.Namespace)) == 0, "small letters, digits and -, at most 63"},
		{"a region of AWS", c.Region, region.MatchString(c.Region), "such as eu-central-1"},
		{"a prefix", c.Prefix, naming.ValidPrefix(c.Prefix), `letters, digits and /_+=.@-, and a / at the end, such as "secret-review/"`},
	} {
		if check.value != "" && !check.valid {
			return exit.Errorf(exit.Usage, "%q is not %s: give %s", check.value, check.what, check.rule)
		}
	}
	return nil
}
