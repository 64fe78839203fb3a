// Command app is the CDK app: the CDK's command line runs it by cdk.json.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/secretreview/secretreview/infra/cdk/app"
)

// defaultConfig is read where the context names no other, as by "cdk -c config=FILE".
const defaultConfig = "secretreview.yaml"

func main() {
	err := run()
	jsii.Close()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	made := awscdk.NewApp(nil)
	path, named := made.Node().TryGetContext(jsii.String("config")).(string)
	if !named {
		path = defaultConfig
	}
	config, err := app.Load(path)
	if err != nil {
		return err
	}
	if _, err := app.Build(made, *config); err != nil {
		return fmt.Errorf("%s:\n%w", path, err)
	}
	return app.Check(made)
}
