package secretreview

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/secretreview/secretreview/infra/cdk/internal/keys"
)

// SecretOutput is the key of the output with the ARN of a live secret: SecretArn,
// then the names, of which words that - and _ part begin with a capital. Where two
// environments of all would get the same key, each has eight more characters.
func (p Props) SecretOutput(project, environment string) string {
	key := keys.Secret(project, environment)
	same := 0
	for _, other := range p.Projects {
		for _, e := range other.Environments {
			if keys.Secret(other.Name, e.Name) == key {
				same++
			}
		}
	}
	if same > 1 {
		return keys.LogicalID("SecretArn", project, environment)
	}
	return key
}

func (s *SecretReview) output() {
	put := func(scope constructs.Construct, key, description string, value *string) {
		output := awscdk.NewCfnOutput(scope, jsii.String("Output"+key), &awscdk.CfnOutputProps{Description: jsii.String(description), Value: value})
		output.OverrideLogicalId(jsii.String(key))
	}
	put(s.Construct, keys.Prefix, "What the names of all secrets begin with", jsii.String(s.props.SecretPrefix))
	put(s.Construct, keys.Region, "The region of the secrets", awscdk.Aws_REGION())
	put(s.Construct, keys.KmsKey, "The key of live and staged secrets", s.Key.KeyArn())
	clusters := s.props.clusterNames()
	put(s.Construct, keys.Role, "The role of the manager of cluster "+clusters[0], s.Roles[clusters[0]].RoleArn())
	if len(clusters) > 1 {
		for _, name := range clusters {
			put(s.Construct, keys.RoleOf(clusters, name), "The role of the manager of cluster "+name, s.Roles[name].RoleArn())
		}
	}
	if s.Topic != nil {
		put(s.Construct, keys.Topic, "Where changes are told", s.Topic.TopicArn())
	}
	for _, project := range s.props.Projects {
		for _, e := range project.Environments {
			secret := s.secrets[environmentName{project.Name, e.Name}]
			put(s.scopeOf(project), s.props.SecretOutput(project.Name, e.Name), "The live secret of "+project.Name+"/"+e.Name, secret)
		}
	}
}
