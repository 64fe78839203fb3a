// Package app makes stacks from a configuration file.
package app

import (
	"fmt"
	"os"
	"regexp"
	"slices"

	"sigs.k8s.io/yaml"

	"github.com/secretreview/secretreview/infra/cdk/secretreview"
)

// DefaultStackName is the stack's name where the configuration has none.
const DefaultStackName = "secretreview"

// Config is what the file holds, in YAML or JSON.
type Config struct {
	// StackName is the name of the stack, and begins those of all others.
	StackName string `json:"stackName,omitempty"`
	// Account and Region are where the stacks go. Without them they go to where
	// the credentials of the deployment point.
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`

	// Props are those of the construct. A replica region without a kmsKey gets a
	// stack with a key of its own.
	secretreview.Props

	// ProjectStacks are stacks of their own for some projects' secrets.
	ProjectStacks []ProjectStack `json:"projectStacks,omitempty"`
	// People get a managed policy an entry.
	People []People `json:"people,omitempty"`
	// Vpc gets the endpoints.
	Vpc *Vpc `json:"vpc,omitempty"`
}

// ProjectStack is a stack named <stack name>-<name>.
type ProjectStack struct {
	Name     string   `json:"name"`
	Projects []string `json:"projects"`
}

// People are some persons with the same rights. The managed policy that they get
// is named <stack name>-<name>, so that permission sets of IAM Identity Center
// can name it.
type People struct {
	Name    string   `json:"name"`
	Propose []string `json:"propose,omitempty"`
	Pull    []string `json:"pull,omitempty"`
	Review  []string `json:"review,omitempty"`
	Audit   []string `json:"audit,omitempty"`
	// Roles are names of IAM roles of this account to attach the policy to.
	Roles []string `json:"roles,omitempty"`
}

// Vpc is one that exists.
type Vpc struct {
	ID   string `json:"id"`
	CIDR string `json:"cidr"`
	// PrivateSubnetIDs get the endpoints, AvailabilityZones are theirs in the same
	// order.
	PrivateSubnetIDs  []string `json:"privateSubnetIds"`
	AvailabilityZones []string `json:"availabilityZones"`
}

// Load reads a configuration. A field that it does not know is an error.
func Load(path string) (*Config, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	c := &Config{}
	if err := yaml.UnmarshalStrict(content, c); err != nil {
		return nil, fmt.Errorf("read the configuration %s: %w", path, err)
	}
	return c, nil
}

var (
	stackName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9-]{0,99}$`)
	partName  = regexp.MustCompile(`^[a-zA-Z0-9-]{1,28}$`)
	accountID = regexp.MustCompile(`^([0-9]{12})?$`)
	region    = regexp.MustCompile(`^([a-z]{2}(-[a-z]+)+-[0-9]+)?$`)
	roleName  = regexp.MustCompile(`^[a-zA-Z0-9_+=,.@-]{1,64}$`)
)

// validate returns the mistakes that Props knows nothing of.
func (c *Config) validate() []error {
	var found []error
	check := func(ok bool, field, format string, args ...any) {
		if !ok {
			found = append(found, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
		}
	}
	check(stackName.MatchString(c.StackName), "stackName", "%q is no name of a stack: it holds letters, digits and -, and begins with a letter", c.StackName)
	check(accountID.MatchString(c.Account), "account", "%q is not the 12 digits of an AWS account", c.Account)
	check(region.MatchString(c.Region), "region", "%q is no AWS region", c.Region)

	stacks := map[string]bool{}
	placed := map[string]bool{}
	for i, s := range c.ProjectStacks {
		field := fmt.Sprintf("projectStacks[%d].", i)
		check(partName.MatchString(s.Name), field+"name", "%q holds something else than letters, digits and -, or over 28 of them", s.Name)
		check(!stacks[s.Name], field+"name", "%q is there twice", s.Name)
		stacks[s.Name] = true
		check(len(s.Projects) > 0, field+"projects", "name the projects")
		for j, name := range s.Projects {
			field := fmt.Sprintf("%sprojects[%d]", field, j)
			check(c.hasProject(name), field, "%q is none of the projects", name)
			check(!placed[name], field, "%q is in two stacks", name)
			placed[name] = true
		}
	}
	people := map[string]bool{}
	for i, p := range c.People {
		field := fmt.Sprintf("people[%d].", i)
		check(partName.MatchString(p.Name), field+"name", "%q holds something else than letters, digits and -, or over 28 of them", p.Name)
		check(!people[p.Name], field+"name", "%q is there twice", p.Name)
		people[p.Name] = true
		check(len(p.Propose)+len(p.Pull)+len(p.Review)+len(p.Audit) > 0, fmt.Sprintf("people[%d]", i), "give projects to propose to, pull, review or audit")
		for verb, names := range map[string][]string{"propose": p.Propose, "pull": p.Pull, "review": p.Review, "audit": p.Audit} {
			for j, name := range names {
				check(c.hasProject(name), fmt.Sprintf("%s%s[%d]", field, verb, j), "%q is none of the projects", name)
			}
		}
		for j, role := range p.Roles {
			check(roleName.MatchString(role), fmt.Sprintf("%sroles[%d]", field, j), "%q is no name of an IAM role", role)
		}
	}
	if v := c.Vpc; v != nil {
		check(v.ID != "", "vpc.id", "name the VPC")
		check(v.CIDR != "", "vpc.cidr", "say what addresses may reach the endpoints")
		check(len(v.PrivateSubnetIDs) > 0, "vpc.privateSubnetIds", "the VPC has no private subnets to put the endpoints into")
		check(len(v.PrivateSubnetIDs) == len(v.AvailabilityZones), "vpc.availabilityZones", "name one for each private subnet, in the same order")
	}
	return found
}

func (c *Config) hasProject(name string) bool {
	return slices.ContainsFunc(c.Projects, func(p secretreview.Project) bool { return p.Name == name })
}
