package test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"github.com/secretreview/secretreview/infra/cdk/app"
	"github.com/secretreview/secretreview/infra/cdk/internal/cfn"
	"github.com/secretreview/secretreview/infra/cdk/secretreview"
)

// home is where the example is deployed to.
var home = cfn.Place{Partition: "aws", Region: "eu-central-1", Account: "111122223333", URLSuffix: "amazonaws.com"}

// synthesized are the templates of an app, by the name of the stack.
type synthesized map[string][]byte

func newApp(t testing.TB) awscdk.App {
	return awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(t.TempDir()), AnalyticsReporting: jsii.Bool(false)})
}

// synth makes the templates of an app. It cannot run twice at a time: jsii has
// one process.
func synth(t testing.TB, build func(awscdk.App) error) synthesized {
	t.Helper()
	made := newApp(t)
	if err := build(made); err != nil {
		t.Fatal(err)
	}
	if err := app.Check(made); err != nil {
		t.Fatal(err)
	}
	templates := synthesized{}
	for _, stack := range *made.Synth(nil).Stacks() {
		text, err := os.ReadFile(*stack.TemplateFullPath())
		if err != nil {
			t.Fatal(err)
		}
		templates[*stack.StackName()] = text
	}
	return templates
}

// configured makes the templates of a configuration.
func configured(t testing.TB, c app.Config) synthesized {
	t.Helper()
	return synth(t, func(made awscdk.App) error {
		_, err := app.Build(made, c)
		return err
	})
}

func example(t testing.TB, name string) app.Config {
	t.Helper()
	c, err := app.Load(filepath.Join(module, "examples", name))
	if err != nil {
		t.Fatal(err)
	}
	return *c
}

func (s synthesized) template(t testing.TB, stack string) *cfn.Template {
	t.Helper()
	template, err := cfn.Parse(s[stack])
	if err != nil {
		t.Fatal(err)
	}
	return template
}

var (
	fullOnce sync.Once
	fullMade synthesized
)

// full is the example with everything, and two roles of an application that read
// a secret and its replica.
func full(t testing.TB) synthesized {
	t.Helper()
	fullOnce.Do(func() {
		fullMade = synth(t, func(made awscdk.App) error {
			built, err := app.Build(made, example(t, "secretreview.yaml"))
			if err != nil {
				return err
			}
			if err := built.GrantSecretRead(applicationRole(built, "Application"), "backend-api", "production"); err != nil {
				return err
			}
			return built.GrantReplicaRead(applicationRole(built, "Standby"), "backend-api", "production", "eu-west-1")
		})
	})
	return fullMade
}

func applicationRole(built *secretreview.SecretReview, id string) awsiam.Role {
	return awsiam.NewRole(awscdk.Stack_Of(built.Construct), jsii.String(id), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("ecs-tasks.amazonaws.com"), nil),
	})
}
