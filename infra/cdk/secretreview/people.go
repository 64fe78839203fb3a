package secretreview

import (
	"errors"
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"

	"github.com/secretreview/secretreview/infra/cdk/internal/keys"
	"github.com/secretreview/secretreview/internal/naming"
)

const here = "${AWS::Region}"

// GrantSecretRead lets a grantee, such as an application's role, read one live
// secret.
func (s *SecretReview) GrantSecretRead(grantee awsiam.IGrantable, project, environment string) error {
	secret, err := s.secret(project, environment)
	if err != nil {
		return err
	}
	return grant(grantee, []statement{
		{
			sid: keys.LogicalID("Read", project, environment), resources: []string{*secret},
			actions: []string{"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"},
		},
		s.decrypting(keys.LogicalID("ReadKey", project, environment), *secret),
	})
}

// GrantReplicaRead lets a grantee read the copy of a live secret in one of the
// ReplicaRegions.
func (s *SecretReview) GrantReplicaRead(grantee awsiam.IGrantable, project, environment, region string) error {
	if _, err := s.secret(project, environment); err != nil {
		return err
	}
	for _, replica := range s.props.ReplicaRegions {
		if replica.Region != region {
			continue
		}
		copied := secretsIn(region, naming.LiveSecret(s.props.SecretPrefix, project, environment)+"-??????")
		return grant(grantee, []statement{
			{
				sid: keys.LogicalID("ReadReplica", project, environment) + keys.Camel(region), resources: []string{copied},
				actions: []string{"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"},
			},
			replica.decrypting(keys.LogicalID("ReplicaKey", project, environment)+keys.Camel(region), copied),
		})
	}
	return fmt.Errorf("%q is none of the replica regions", region)
}

func (r ReplicaRegion) decrypting(sid, secrets string) statement {
	one := statement{sid: sid, actions: []string{"kms:Decrypt"}, resources: []string{r.KmsKey}, when: encryptingFor(r.Region, secrets)}
	if kmsAlias.MatchString(r.KmsKey) {
		// IAM knows keys by their ids only, and which aliases they have.
		one.resources = []string{substituted("arn:${AWS::Partition}:kms:%s:${AWS::AccountId}:key/*", r.Region)}
		one.when = one.when.with(conditions{"ForAnyValue:StringEquals": {"kms:ResourceAliases": r.KmsKey}})
	}
	return one
}

// GrantCliPull lets people read what is live in projects, older versions
// included: "sr pull", "run", "diff", "rollback" and "restore".
func (s *SecretReview) GrantCliPull(grantee awsiam.IGrantable, projects ...string) error {
	return s.grantOn(grantee, projects, s.readingLive)
}

// GrantCliReview lets people read what is live and what is staged in projects:
// "sr review", "approve" and "reject", with values.
func (s *SecretReview) GrantCliReview(grantee awsiam.IGrantable, projects ...string) error {
	return s.grantOn(grantee, projects, func(of []Project) []statement {
		name, staged := s.named(of), each(of, s.staged)
		return append(
			s.readingLive(of),
			// Without conditions on tags: what is no longer there then is not there, instead of forbidden.
			statement{sid: "Staged" + name, actions: []string{"secretsmanager:GetSecretValue"}, resources: staged},
			s.decrypting("StagedKey"+name, staged...),
		)
	})
}

// GrantCliAudit lets people compare the history of projects with the ids and
// labels of versions: "sr audit verify". They read no value.
func (s *SecretReview) GrantCliAudit(grantee awsiam.IGrantable, projects ...string) error {
	return s.grantOn(grantee, projects, func(of []Project) []statement {
		return []statement{{sid: "Audit" + s.named(of), actions: []string{"secretsmanager:DescribeSecret"}, resources: each(of, s.live)}}
	})
}

// validating is what stands for the ARN in the encryption context while Secrets
// Manager tries whether the caller may use the key that a CreateSecret names. It
// throws away what comes of it (its guide, "How Secrets Manager uses your KMS key").
const validating = "RequestToValidateKeyAccess"

// GrantCliPropose lets people stage changes to projects, and read what is live
// there, which a change is worked out from: "sr propose", "set", "unset" and
// "generate". They can make a staged secret, with every tag it has to have and
// under the live secrets' key. Of one that is there they can do no more than read
// it, for "sr rebase": neither overwrite, retag nor delete it.
func (s *SecretReview) GrantCliPropose(grantee awsiam.IGrantable, projects ...string) error {
	return s.grantOn(grantee, projects, func(of []Project) []statement {
		name, staged := s.named(of), each(of, s.staged)
		all := s.readingLive(of)
		for _, p := range of {
			all = append(all, statement{
				sid: "Stage" + s.named([]Project{p}), actions: []string{"secretsmanager:CreateSecret"}, resources: []string{s.staged(p.Name)},
				when: requiredTags(p).with(conditions{"StringEquals": {"secretsmanager:KmsKeyArn": *s.Key.KeyArn()}}),
			})
		}
		return append(
			all,
			statement{
				// CreateSecret needs this too where it sets tags. Unlike a TagResource of its own it names no SecretId, so
				// what is there already stays as it is. That the secret has no such tag yet would not tell them apart: IAM
				// counts the tags that a request creates a resource with among the resource's own.
				sid: "StageTags" + name, actions: []string{"secretsmanager:TagResource"}, resources: staged,
				when: onlyTags.with(conditions{"Null": {"secretsmanager:SecretId": "true"}}),
			},
			statement{
				sid: "LookAfterStaging" + name, resources: staged,
				actions: []string{"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"},
			},
			statement{
				sid: "StageKey" + name, actions: []string{"kms:Decrypt", "kms:GenerateDataKey"}, resources: []string{*s.Key.KeyArn()},
				when: encryptingFor(here, append(staged, validating)...),
			},
		)
	})
}

func requestTag(key string) string { return "aws:RequestTag/" + key }

// onlyTags are those of naming.StagedTags and no other.
var onlyTags = conditions{
	"StringEquals": {requestTag(naming.TagStaging): naming.StagingTrue},
	"ForAllValues:StringEquals": {"aws:TagKeys": []string{
		naming.TagStaging, naming.TagCluster, naming.TagNamespace, naming.TagProject, naming.TagEnvironment, naming.TagChange, naming.TagKeepUntil,
	}},
}

// requiredTags are all of onlyTags, with values that fit a project.
func requiredTags(p Project) conditions {
	var clusters, namespaces, environments []string
	for _, e := range p.Environments {
		clusters, namespaces, environments = append(clusters, e.Cluster), append(namespaces, e.Namespace), append(environments, e.Name)
	}
	return onlyTags.with(conditions{
		"StringEquals": {
			requestTag(naming.TagProject):     p.Name,
			requestTag(naming.TagCluster):     unique(clusters),
			requestTag(naming.TagNamespace):   unique(namespaces),
			requestTag(naming.TagEnvironment): unique(environments),
		},
		"Null": {requestTag(naming.TagChange): "false", requestTag(naming.TagKeepUntil): "false"},
	})
}

func (s *SecretReview) readingLive(of []Project) []statement {
	live := each(of, s.live)
	return []statement{
		{sid: "Live" + s.named(of), actions: []string{"secretsmanager:GetSecretValue"}, resources: live},
		s.decrypting("LiveKey"+s.named(of), live...),
	}
}

func each(of []Project, pattern func(project string) string) []string {
	var all []string
	for _, p := range of {
		all = append(all, pattern(p.Name))
	}
	return all
}

// named makes the end of a Sid, which no other projects get.
func (s *SecretReview) named(of []Project) string {
	var some []string
	for _, p := range of {
		some = append(some, p.Name)
	}
	if len(some) == 1 {
		return keys.Distinct(s.props.projectNames(), some[0])
	}
	return keys.Short(some...)
}

// decrypting lets secrets be read, older versions under former keys as well.
func (s *SecretReview) decrypting(sid string, secrets ...string) statement {
	return statement{
		sid: sid, actions: []string{"kms:Decrypt"}, resources: append([]string{*s.Key.KeyArn()}, s.props.FormerKmsKeyArns...),
		when: encryptingFor(here, secrets...),
	}
}

func (s *SecretReview) grantOn(grantee awsiam.IGrantable, names []string, rights func([]Project) []statement) error {
	if len(names) == 0 {
		return errors.New("name the projects: there is no right on all of them at once")
	}
	var of []Project
	for _, name := range unique(names) {
		project := s.props.project(name)
		if project == nil {
			return fmt.Errorf("%q is none of the projects", name)
		}
		of = append(of, *project)
	}
	return grant(grantee, rights(of))
}

func grant(grantee awsiam.IGrantable, statements []statement) error {
	for _, one := range statements {
		if !*grantee.GrantPrincipal().AddToPrincipalPolicy(one.build()).StatementAdded {
			return errors.New("the grantee takes no policy, as roles of other accounts do not: grant to a managed policy instead, and attach that")
		}
	}
	return nil
}
