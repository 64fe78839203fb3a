package app

import (
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"
)

func templateOf(stack cxapi.CloudFormationStackArtifact) ([]byte, error) {
	text, err := os.ReadFile(*stack.TemplateFullPath())
	if err != nil {
		return nil, fmt.Errorf("read the template of stack %s: %w", *stack.StackName(), err)
	}
	return text, nil
}
