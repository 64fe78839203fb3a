package secretreview

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/secretreview/secretreview/infra/cdk/internal/keys"
	"github.com/secretreview/secretreview/internal/naming"
)

// KeyAlias is the alias of the key that is made for a prefix, in the secrets'
// region and in those of replicas.
func KeyAlias(prefix string) string {
	if prefix == "" {
		prefix = naming.DefaultPrefix
	}
	clean := strings.Map(func(r rune) rune {
		if strings.ContainsRune("+=.@", r) {
			return '-'
		}
		return r
	}, strings.Trim(prefix, "/"))
	return "alias/" + clean
}

func (s *SecretReview) makeKey() {
	if arn := s.props.KmsKeyArn; arn != "" {
		s.Key = awskms.Key_FromKeyArn(s.Construct, jsii.String("Key"), jsii.String(arn))
		return
	}
	s.Key = newKey(s.Construct, s.props, s.removal())
}

// NewReplicaKey makes the key of a replica region, in a stack of that region,
// with the alias that KeyAlias returns. Props are those of the SecretReview.
func NewReplicaKey(scope constructs.Construct, id string, props Props) awskms.Key {
	props = props.withDefaults()
	s := &SecretReview{Construct: constructs.NewConstruct(scope, jsii.String(id)), props: props}
	return newKey(s.Construct, props, s.removal())
}

func newKey(scope constructs.Construct, props Props, removal awscdk.RemovalPolicy) awskms.Key {
	key := awskms.NewKey(scope, jsii.String("Key"), &awskms.KeyProps{
		Description:       jsii.String("Encrypts the secrets of secretreview under " + props.SecretPrefix),
		EnableKeyRotation: jsii.Bool(true),
		RemovalPolicy:     removal,
	})
	alias := awskms.NewAlias(scope, jsii.String("Alias"), &awskms.AliasProps{AliasName: jsii.String(KeyAlias(props.SecretPrefix)), TargetKey: key})
	alias.ApplyRemovalPolicy(removal)
	for _, statement := range decryptingElsewhere(props) {
		key.AddToResourcePolicy(statement, jsii.Bool(true))
	}
	return key
}

// makeSecrets makes each live secret without a value: the service has no empty
// one, and a value in a template could be deployed over what is live.
func (s *SecretReview) makeSecrets() {
	for _, project := range s.props.Projects {
		scope := s.scopeOf(project)
		for _, e := range project.Environments {
			name := environmentName{project.Name, e.Name}
			if e.SecretArn != "" {
				s.secrets[name] = jsii.String(e.SecretArn)
				continue
			}
			secret := awssecretsmanager.NewCfnSecret(scope, jsii.String(keys.LogicalID("Secret", project.Name, e.Name)), &awssecretsmanager.CfnSecretProps{
				Name:        jsii.String(naming.LiveSecret(s.props.SecretPrefix, project.Name, e.Name)),
				Description: jsii.String("Live values of " + project.Name + "/" + e.Name + ", written by secretreview alone"),
				KmsKeyId:    s.Key.KeyArn(),
				Tags:        &[]*awscdk.CfnTag{{Key: jsii.String(naming.TagOwner), Value: jsii.String(naming.Owner(e.Cluster, e.Namespace))}},
			})
			if replicas := s.replicas(); len(replicas) > 0 {
				secret.SetReplicaRegions(&replicas)
			}
			secret.ApplyRemovalPolicy(s.removal(), nil)
			s.secrets[name] = secret.Ref()
		}
	}
}

func (s *SecretReview) scopeOf(project Project) constructs.Construct {
	if project.Scope != nil {
		return project.Scope
	}
	return s.Construct
}

func (s *SecretReview) replicas() []any {
	var all []any
	for _, r := range s.props.ReplicaRegions {
		all = append(all, &awssecretsmanager.CfnSecret_ReplicaRegionProperty{Region: jsii.String(r.Region), KmsKeyId: jsii.String(r.KmsKey)})
	}
	return all
}

// share gives other accounts their rights on each secret, as a policy of the
// secret that AWS refuses should it ever become public.
func (s *SecretReview) share() {
	for _, project := range s.props.Projects {
		for _, e := range project.Environments {
			accounts := s.props.readersOf(project.Name, e.Name)
			if len(accounts) == 0 {
				continue
			}
			secret := s.secrets[environmentName{project.Name, e.Name}]
			document := awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &[]awsiam.PolicyStatement{statement{
				sid: "ReadByOtherAccounts", who: principals(accounts),
				actions: []string{"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"}, resources: []string{"*"},
			}.build()}})
			policy := awssecretsmanager.NewCfnResourcePolicy(s.scopeOf(project), jsii.String(keys.LogicalID("Policy", project.Name, e.Name)),
				&awssecretsmanager.CfnResourcePolicyProps{SecretId: secret, ResourcePolicy: document, BlockPublicPolicy: jsii.Bool(true)})
			policy.ApplyRemovalPolicy(s.removal(), nil)
		}
	}
}

// readersOf returns the accounts that may read an environment.
func (p Props) readersOf(project, environment string) []string {
	var accounts []string
	for _, reader := range p.CrossAccountReadAccess {
		if reader.Project == project && reader.reads(environment) {
			accounts = append(accounts, reader.Account)
		}
	}
	return unique(accounts)
}

// decryptingElsewhere are the statements of a key's policy for other accounts.
func decryptingElsewhere(props Props) []awsiam.PolicyStatement {
	secrets := map[string][]string{}
	var accounts []string
	for _, project := range props.Projects {
		for _, e := range project.Environments {
			for _, account := range props.readersOf(project.Name, e.Name) {
				accounts = append(accounts, account)
				secrets[account] = append(secrets[account], secretsNamed(naming.LiveSecret(props.SecretPrefix, project.Name, e.Name)+"-??????"))
			}
		}
	}
	var all []awsiam.PolicyStatement
	for _, account := range unique(accounts) {
		all = append(all, statement{
			sid: "DecryptFor" + account, who: principals([]string{account}), actions: []string{"kms:Decrypt"}, resources: []string{"*"},
			when: encryptingFor(here, secrets[account]...),
		}.build())
	}
	return all
}

func principals(accounts []string) []awsiam.IPrincipal {
	var all []awsiam.IPrincipal
	for _, account := range accounts {
		all = append(all, awsiam.NewAccountPrincipal(account))
	}
	return all
}
