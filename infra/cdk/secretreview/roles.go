package secretreview

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"github.com/secretreview/secretreview/infra/cdk/internal/keys"
	"github.com/secretreview/secretreview/internal/naming"
)

// makeRoles makes a role for each cluster's manager. Its size does not depend on
// how many projects there are: what the manager may write is told by the owner
// tag, which only who deploys this stack can set.
func (s *SecretReview) makeRoles() {
	for _, c := range s.props.Clusters {
		role := awsiam.NewRole(s.Construct, jsii.String("ControllerRole"+keys.Distinct(s.props.clusterNames(), c.Name)), &awsiam.RoleProps{
			Description: jsii.String("The secretreview manager of cluster " + c.Name),
			AssumedBy:   trust(c),
			InlinePolicies: &map[string]awsiam.PolicyDocument{
				"secretreview": awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: s.controllerStatements(c)}),
			},
		})
		s.Roles[c.Name] = role
		if c.PodIdentity != nil && c.PodIdentity.Associate {
			awscdk.NewCfnResource(s.Construct, jsii.String("PodIdentity"+keys.Distinct(s.props.clusterNames(), c.Name)), &awscdk.CfnResourceProps{
				Type: jsii.String("AWS::EKS::PodIdentityAssociation"),
				Properties: &map[string]any{
					"ClusterName": c.PodIdentity.clusterName(), "Namespace": c.Namespace, "ServiceAccount": c.ServiceAccount, "RoleArn": role.RoleArn(),
				},
			})
		}
	}
}

// controllerStatements are what the manager calls and nothing else; the tests
// compare them with what it was seen to call.
func (s *SecretReview) controllerStatements(c Cluster) *[]awsiam.PolicyStatement {
	owner := "aws:ResourceTag/" + naming.TagOwner
	owned := conditions{
		"StringLike": {owner: naming.Owner(c.Name, "*")},
		// A cluster's name may have a slash, and a namespace has none: this is a cluster called <this one>/<something>.
		"StringNotLike": {owner: naming.Owner(c.Name, "*/*")},
	}
	cluster := "aws:ResourceTag/" + naming.TagCluster
	staged := conditions{"StringEquals": {"aws:ResourceTag/" + naming.TagStaging: naming.StagingTrue, cluster: c.Name}}
	all := []statement{
		// ListSecrets knows no resources.
		{sid: "Inventory", actions: []string{"secretsmanager:ListSecrets"}, resources: []string{"*"}},
		// Whose a secret is, the manager can tell only after it has described it.
		{sid: "Describe", actions: []string{"secretsmanager:DescribeSecret"}, resources: []string{s.everySecret()}},
		{
			sid: "Live", resources: []string{s.everySecret()}, when: owned,
			actions: []string{"secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"},
		},
		// What is not there has no tags: it must come out as not there, or a change whose staged secret is gone would wait.
		{sid: "ReadStaged", actions: []string{"secretsmanager:GetSecretValue"}, resources: []string{s.everyStaged()}},
		{
			sid: "LeaveWhatOthersStaged", effect: awsiam.Effect_DENY, resources: []string{s.everyStaged()}, actions: []string{"secretsmanager:GetSecretValue"},
			when: conditions{"StringNotEquals": {cluster: c.Name}, "Null": {cluster: "false"}},
		},
		{
			sid: "RemoveStaged", resources: []string{s.everyStaged()}, when: staged,
			actions: []string{"secretsmanager:DeleteSecret", "secretsmanager:RestoreSecret"},
		},
		{
			sid: "NeverWriteWhatIsStaged", effect: awsiam.Effect_DENY, resources: []string{s.everyStaged()},
			actions: []string{"secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"},
		},
		{
			sid: "Key", actions: []string{"kms:Decrypt", "kms:GenerateDataKey"}, resources: []string{*s.Key.KeyArn()},
			when: encryptingFor(here, s.everySecret()),
		},
	}
	if former := s.props.FormerKmsKeyArns; len(former) > 0 {
		all = append(all, statement{
			sid: "FormerKeys", actions: []string{"kms:Decrypt"}, resources: former, when: encryptingFor(here, s.everySecret()),
		})
	}
	var built []awsiam.PolicyStatement
	for _, one := range all {
		built = append(built, one.build())
	}
	return &built
}

// trust lets one ServiceAccount of one cluster take the role.
func trust(c Cluster) awsiam.IPrincipal {
	var all []awsiam.IPrincipal
	if c.IRSA != nil {
		issuer := oidcProvider.FindStringSubmatch(c.IRSA.OIDCProviderArn)[1]
		all = append(all, awsiam.NewWebIdentityPrincipal(jsii.String(c.IRSA.OIDCProviderArn), conditions{"StringEquals": {
			issuer + ":aud": "sts.amazonaws.com",
			issuer + ":sub": "system:serviceaccount:" + c.Namespace + ":" + c.ServiceAccount,
		}}.forCDK()))
	}
	if c.PodIdentity != nil {
		// EKS sends these as session tags; without conditions on them any association in the account could use the role.
		pods := awsiam.NewServicePrincipal(jsii.String("pods.eks.amazonaws.com"), nil)
		all = append(all, pods.WithConditions(conditions{"StringEquals": {
			"aws:SourceAccount":                         *awscdk.Aws_ACCOUNT_ID(),
			"aws:RequestTag/eks-cluster-arn":            c.PodIdentity.EKSClusterArn,
			"aws:RequestTag/kubernetes-namespace":       c.Namespace,
			"aws:RequestTag/kubernetes-service-account": c.ServiceAccount,
		}}.forCDK()).WithSessionTags())
	}
	return awsiam.NewCompositePrincipal(all...)
}

func (p PodIdentity) clusterName() string {
	return eksCluster.FindStringSubmatch(p.EKSClusterArn)[1]
}
