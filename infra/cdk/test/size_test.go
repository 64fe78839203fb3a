package test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/secretreview/secretreview/infra/cdk/app"
	"github.com/secretreview/secretreview/infra/cdk/internal/cfn"
	"github.com/secretreview/secretreview/infra/cdk/secretreview"
)

// withProjects is the minimal example with as many projects, of an environment
// each that another account may read.
func withProjects(t *testing.T, count int) app.Config {
	t.Helper()
	c := example(t, "minimal.yaml")
	c.Projects = nil
	for i := range count {
		name := fmt.Sprintf("project-%03d", i)
		c.Projects = append(c.Projects, secretreview.Project{Name: name, Environments: []secretreview.Environment{{Name: "production", Namespace: name}}})
		c.CrossAccountReadAccess = append(c.CrossAccountReadAccess, secretreview.CrossAccountRead{Account: "444455556666", Project: name})
	}
	return c
}

func TestSizesOfOneAndAHundredEnvironments(t *testing.T) {
	for _, count := range []int{1, 100} {
		config := withProjects(t, count)
		begin := time.Now()
		text := configured(t, config)["secretreview"]
		took := time.Since(begin)
		template, err := cfn.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("\nREPORT: infra/cdk: %d environments: %d resources, %d outputs, %d bytes, synthesized in %.1f s\n",
			count, len(template.Resources), len(template.Outputs), len(text), took.Seconds())
	}
}

func TestWhatIsTooMuchForAStackIsSaidSoWithTheWayOut(t *testing.T) {
	build := func(c app.Config) error {
		made := newApp(t)
		if _, err := app.Build(made, c); err != nil {
			t.Fatal(err)
		}
		return app.Check(made)
	}
	many := withProjects(t, 250)
	err := build(many)
	for _, want := range []string{"stack secretreview has 503 resources, and AWS takes 500", "has 254 outputs, and AWS takes 200", "projectStacks"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %q", err, want)
		}
	}
	var second []string
	for _, p := range many.Projects[125:] {
		second = append(second, p.Name)
	}
	many.ProjectStacks = []app.ProjectStack{{Name: "second", Projects: second}}
	if err := build(many); err != nil {
		t.Errorf("in two stacks: %v", err)
	}

	wide := withProjects(t, 20)
	for _, p := range wide.Projects {
		wide.People = append(wide.People, app.People{Name: "of-" + p.Name, Propose: []string{p.Name}})
	}
	if err := build(wide); err != nil {
		t.Errorf("an entry a project: %v", err)
	}
	wide.People = []app.People{{Name: "everybody"}}
	for _, p := range wide.Projects {
		wide.People[0].Propose = append(wide.People[0].Propose, p.Name)
	}
	if err := build(wide); err == nil || !strings.Contains(err.Error(), "AWS takes 6144") || !strings.Contains(err.Error(), "several people entries") {
		t.Errorf("the error is %v", err)
	}
}
