package secretreview

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"github.com/secretreview/secretreview/internal/naming"
)

// substituted is text in which CloudFormation fills in its pseudo parameters, so
// that it fits every partition, region and account.
func substituted(format string, args ...any) string {
	text := fmt.Sprintf(format, args...)
	if !strings.Contains(text, "${") {
		return text
	}
	return *awscdk.Fn_Sub(&text, nil)
}

// secretsNamed is a pattern of ARNs. Secrets Manager adds a dash and six
// characters to a name, and asks IAM about a secret that is not made yet by an
// ARN without them; a pattern that ends with * matches both.
func secretsNamed(pattern string) string {
	return secretsIn(here, pattern)
}

func secretsIn(region, pattern string) string {
	return substituted("arn:${AWS::Partition}:secretsmanager:%s:${AWS::AccountId}:secret:%s", region, pattern)
}

func (s *SecretReview) everySecret() string { return secretsNamed(s.props.SecretPrefix + "*") }
func (s *SecretReview) everyStaged() string {
	return secretsNamed(naming.StagingPrefix(s.props.SecretPrefix) + "*")
}

func (s *SecretReview) live(project string) string {
	return secretsNamed(naming.LiveSecret(s.props.SecretPrefix, project, "*"))
}

func (s *SecretReview) staged(project string) string {
	return secretsNamed(naming.StagedSecret(s.props.SecretPrefix, project, "*"))
}

// conditions are IAM's, by operator, then by key.
type conditions map[string]map[string]any

// with returns the conditions and others, none of which may replace one.
func (c conditions) with(others conditions) conditions {
	all := conditions{}
	for _, some := range []conditions{c, others} {
		for operator, keys := range some {
			if all[operator] == nil {
				all[operator] = map[string]any{}
			}
			maps.Copy(all[operator], keys)
		}
	}
	return all
}

func (c conditions) forCDK() *map[string]any {
	plain := make(map[string]any, len(c))
	for operator, keys := range c {
		plain[operator] = keys
	}
	return &plain
}

// encryptingFor holds the use of a key to what Secrets Manager does with it, in
// a region and for some secrets.
func encryptingFor(region string, secrets ...string) conditions {
	return conditions{
		"StringEquals": {"kms:ViaService": viaSecretsManager(region)},
		// Secrets Manager puts the secret's ARN into the encryption context.
		"StringLike": {"kms:EncryptionContext:SecretARN": secrets},
	}
}

// viaSecretsManager has the service's name with each domain that a partition may
// have: KMS documents the one, China's own documents the other.
func viaSecretsManager(region string) []string {
	return []string{
		substituted("secretsmanager.%s.amazonaws.com", region),
		substituted("secretsmanager.%s.${AWS::URLSuffix}", region),
	}
}

type statement struct {
	sid       string
	effect    awsiam.Effect
	actions   []string
	resources []string
	when      conditions
	// who is for policies of resources.
	who []awsiam.IPrincipal
}

func (s statement) build() awsiam.PolicyStatement {
	props := &awsiam.PolicyStatementProps{
		Sid: jsii.String(s.sid), Effect: s.effect,
		Actions: jsii.Strings(slices.Sorted(slices.Values(s.actions))...), Resources: jsii.Strings(s.resources...),
	}
	if len(s.when) > 0 {
		props.Conditions = s.when.forCDK()
	}
	if len(s.who) > 0 {
		props.Principals = &s.who
	}
	return awsiam.NewPolicyStatement(props)
}
