// Package secretreview is the AWS side of secretreview as a CDK construct: the
// live secrets with their key, the managers' roles, what people may do, other
// accounts and regions, network endpoints, and rules that tell of changes.
//
// It holds no value. A secret is made without one, so that no deployment can
// ever write over what is live; the first change gives it its first version.
package secretreview

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// SecretReview is the construct. There is one in a stack.
type SecretReview struct {
	constructs.Construct
	// Key encrypts what is live and what is staged.
	Key awskms.IKey
	// Roles are the managers', by the name of the cluster.
	Roles map[string]awsiam.Role
	// Topic is what Detection publishes to, nil without it.
	Topic awssns.ITopic

	props Props
	// secrets are the ARNs of the live ones.
	secrets map[environmentName]*string
}

type environmentName struct{ project, environment string }

// New makes a SecretReview. The error names every field of props that is wrong;
// nothing has been made then.
func New(scope constructs.Construct, id string, props Props) (*SecretReview, error) {
	props = props.withDefaults()
	if err := props.validate(knownRegion(scope)); err != nil {
		return nil, err
	}
	s := &SecretReview{
		Construct: constructs.NewConstruct(scope, jsii.String(id)),
		Roles:     map[string]awsiam.Role{},
		props:     props,
		secrets:   map[environmentName]*string{},
	}
	s.makeKey()
	s.makeSecrets()
	s.makeRoles()
	s.share()
	s.makeEndpoints()
	s.detect()
	s.output()
	return s, nil
}

// knownRegion is empty where the stack may be deployed to any region.
func knownRegion(scope constructs.Construct) string {
	in := awscdk.Stack_Of(scope).Region()
	if *awscdk.Token_IsUnresolved(in) {
		return ""
	}
	return *in
}

func (s *SecretReview) removal() awscdk.RemovalPolicy {
	if s.props.RemovalPolicy == Destroy {
		return awscdk.RemovalPolicy_DESTROY
	}
	return awscdk.RemovalPolicy_RETAIN
}

// GetSecret returns the live secret of an environment, as other constructs take
// it. It fails where there is no such environment.
func (s *SecretReview) GetSecret(project, environment string) (awssecretsmanager.ISecret, error) {
	made, err := s.secret(project, environment)
	if err != nil {
		return nil, err
	}
	return awssecretsmanager.Secret_FromSecretAttributes(s.Construct, jsii.String("Secret-"+project+"-"+environment), &awssecretsmanager.SecretAttributes{
		SecretCompleteArn: made, EncryptionKey: s.Key,
	}), nil
}

func (s *SecretReview) secret(project, environment string) (*string, error) {
	made := s.secrets[environmentName{project, environment}]
	if made == nil {
		return nil, fmt.Errorf("there is no environment %q of a project %q", environment, project)
	}
	return made, nil
}
