package secretreview

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// makeEndpoints gives the VPC interface endpoints with private DNS. What their
// policies do not allow, nobody in the VPC can do, whatever else they may.
func (s *SecretReview) makeEndpoints() {
	if s.props.Vpc == nil {
		return
	}
	services := map[string]struct {
		id         string
		service    awsec2.InterfaceVpcEndpointAwsService
		statements []statement
	}{
		"secretsmanager": {"SecretsManagerEndpoint", awsec2.InterfaceVpcEndpointAwsService_SECRETS_MANAGER(), s.throughSecretsManager()},
		"kms":            {"KmsEndpoint", awsec2.InterfaceVpcEndpointAwsService_KMS(), s.throughKMS()},
		"sts":            {"StsEndpoint", awsec2.InterfaceVpcEndpointAwsService_STS(), s.throughSTS()},
	}
	subnets := s.props.Vpc.PrivateSubnets()
	if len(*subnets) == 0 {
		subnets = s.props.Vpc.IsolatedSubnets()
	}
	for _, name := range s.props.Endpoints.Services {
		made := services[name]
		endpoint := awsec2.NewInterfaceVpcEndpoint(s.Construct, jsii.String(made.id), &awsec2.InterfaceVpcEndpointProps{
			Vpc: s.props.Vpc, Service: made.service, PrivateDnsEnabled: jsii.Bool(true), Subnets: &awsec2.SubnetSelection{Subnets: subnets},
		})
		for _, one := range made.statements {
			one.who = []awsiam.IPrincipal{awsiam.NewStarPrincipal()}
			endpoint.AddToPolicy(one.build())
		}
	}
}

func ofThisAccount() conditions {
	return conditions{"StringEquals": {"aws:PrincipalAccount": *awscdk.Aws_ACCOUNT_ID()}}
}

func (s *SecretReview) throughSecretsManager() []statement {
	all := []statement{
		{
			sid: "Secrets", resources: []string{s.everySecret()}, when: ofThisAccount(),
			actions: []string{
				"secretsmanager:CreateSecret", "secretsmanager:DeleteSecret", "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue",
				"secretsmanager:PutSecretValue", "secretsmanager:RestoreSecret", "secretsmanager:TagResource", "secretsmanager:UpdateSecretVersionStage",
			},
		},
		{sid: "Inventory", actions: []string{"secretsmanager:ListSecrets"}, resources: []string{"*"}, when: ofThisAccount()},
	}
	if others := s.props.Endpoints.AlsoSecrets; len(others) > 0 {
		all = append(all, statement{
			sid: "OtherSecrets", resources: others, when: ofThisAccount(),
			actions: []string{"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"},
		})
	}
	return all
}

// throughKMS is for programs that use the keys themselves. What Secrets Manager
// does with them does not pass here.
func (s *SecretReview) throughKMS() []statement {
	return []statement{{
		sid: "Keys", actions: []string{"kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"}, when: ofThisAccount(),
		resources: slices.Concat([]string{*s.Key.KeyArn()}, s.props.FormerKmsKeyArns, s.props.Endpoints.AlsoKeys),
	}}
}

func (s *SecretReview) throughSTS() []statement {
	all := []statement{{sid: "WhoAmI", actions: []string{"sts:GetCallerIdentity"}, resources: []string{"*"}}}
	var roles []string
	for _, c := range s.props.Clusters {
		if c.IRSA != nil {
			roles = append(roles, *s.Roles[c.Name].RoleArn())
		}
	}
	if len(roles) > 0 {
		// The call is signed by nobody yet: the token is in it.
		all = append(all, statement{sid: "TakeTheRole", actions: []string{"sts:AssumeRoleWithWebIdentity"}, resources: roles})
	}
	return all
}
