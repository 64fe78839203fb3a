package test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"

	"github.com/secretreview/secretreview/infra/cdk/app"
	"github.com/secretreview/secretreview/infra/cdk/internal/cfn"
	"github.com/secretreview/secretreview/infra/cdk/secretreview"
)

var update = flag.Bool("update", false, "write the templates of the examples to testdata, instead of comparing them")

func TestTemplatesOfTheExamplesAreThoseThatAreCommitted(t *testing.T) {
	for example, templates := range map[string]synthesized{
		"secretreview": configured(t, example(t, "secretreview.yaml")),
		"minimal":      configured(t, example(t, "minimal.yaml")),
	} {
		for stack, text := range templates {
			path := filepath.Join(module, "testdata", example+"."+stack+".template.json")
			if *update {
				if err := os.WriteFile(path, text, 0o600); err != nil {
					t.Fatal(err)
				}
				continue
			}
			committed, err := os.ReadFile(path)
			if err != nil {
				t.Error(err)
				continue
			}
			if string(committed) != string(text) {
				t.Errorf("%s is not what the example gives; if it should be, \"make update-cdk-snapshots\" writes it, and its diff is what will be deployed", path)
			}
		}
	}
}

func TestTheMinimalStack(t *testing.T) {
	text := configured(t, example(t, "minimal.yaml"))["secretreview"]
	template := assertions.Template_FromString(jsii.String(string(text)), nil)
	template.ResourceCountIs(jsii.String("AWS::SecretsManager::Secret"), jsii.Number(1))
	template.HasResource(jsii.String("AWS::SecretsManager::Secret"), map[string]any{
		"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain",
		"Properties": map[string]any{
			"Name": "secret-review/backend-api/production",
			"Tags": []any{map[string]any{"Key": "secretreview:owner", "Value": "production/backend"}},
			// A value in a template could be deployed over what is live.
			"SecretString": assertions.Match_Absent(), "GenerateSecretString": assertions.Match_Absent(),
		},
	})
	template.HasResource(jsii.String("AWS::KMS::Key"), map[string]any{
		"DeletionPolicy": "Retain", "Properties": map[string]any{"EnableKeyRotation": true},
	})
	template.HasResourceProperties(jsii.String("AWS::IAM::Role"), map[string]any{
		"AssumeRolePolicyDocument": map[string]any{"Statement": []any{map[string]any{
			"Action": "sts:AssumeRoleWithWebIdentity",
			"Condition": map[string]any{"StringEquals": map[string]any{
				"oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF:aud": "sts.amazonaws.com",
				"oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF:sub": "system:serviceaccount:secretreview-system:secretreview-manager",
			}},
		}}},
	})
	for _, output := range []string{"SecretPrefix", "KmsKeyArn", "ControllerRoleArn", "Region", "SecretArnBackendApiProduction"} {
		template.HasOutput(jsii.String(output), map[string]any{})
	}
	for _, absent := range []string{"AWS::EC2::VPCEndpoint", "AWS::Events::Rule", "AWS::SNS::Topic", "AWS::SecretsManager::ResourcePolicy", "AWS::IAM::ManagedPolicy"} {
		template.ResourceCountIs(jsii.String(absent), jsii.Number(0))
	}
}

func TestTheFullStack(t *testing.T) {
	template := assertions.Template_FromString(jsii.String(string(full(t)["secretreview"])), nil)
	template.HasResourceProperties(jsii.String("AWS::SecretsManager::Secret"), map[string]any{
		"ReplicaRegions": []any{map[string]any{"Region": "eu-west-1", "KmsKeyId": "alias/secret-review"}},
	})
	template.HasResource(jsii.String("AWS::SecretsManager::ResourcePolicy"), map[string]any{
		"DeletionPolicy": "Retain", "Properties": map[string]any{"BlockPublicPolicy": true},
	})
	template.ResourceCountIs(jsii.String("AWS::SecretsManager::ResourcePolicy"), jsii.Number(1))
	template.AllResourcesProperties(jsii.String("AWS::EC2::VPCEndpoint"), map[string]any{"PrivateDnsEnabled": true, "PolicyDocument": assertions.Match_ObjectLike(&map[string]any{})})
	template.ResourceCountIs(jsii.String("AWS::EC2::VPCEndpoint"), jsii.Number(3))
	template.HasResourceProperties(jsii.String("AWS::EKS::PodIdentityAssociation"), map[string]any{
		"ClusterName": "staging", "Namespace": "secretreview-system", "ServiceAccount": "secretreview-manager",
	})
	template.HasResourceProperties(jsii.String("AWS::Events::Rule"), map[string]any{
		"EventPattern": map[string]any{"detail-type": []any{"Secret Label Updated"}, "detail": map[string]any{"labelUpdated": []any{"AWSCURRENT"}}},
	})
	template.HasResourceProperties(jsii.String("AWS::Events::Rule"), map[string]any{
		"EventPattern": map[string]any{"detail": map[string]any{
			// Users and root have no session.
			"userIdentity": map[string]any{"sessionContext": map[string]any{"sessionIssuer": map[string]any{"arn": assertions.Match_ArrayWith(&[]any{map[string]any{"exists": false}})}}},
		}},
	})
	assertions.Template_FromString(jsii.String(string(full(t)["secretreview-replica-eu-west-1"])), nil).
		HasResourceProperties(jsii.String("AWS::KMS::Alias"), map[string]any{"AliasName": "alias/secret-review"})
}

// kept are the types whose loss would lose values, or access to them.
var kept = []string{"AWS::SecretsManager::Secret", "AWS::SecretsManager::ResourcePolicy", "AWS::KMS::Key", "AWS::KMS::Alias"}

func TestRemovalPolicyHoldsForAllThatKeepsValues(t *testing.T) {
	for policy, want := range map[secretreview.RemovalPolicy]string{"": "Retain", secretreview.Retain: "Retain", secretreview.Destroy: "Delete"} {
		c := example(t, "secretreview.yaml")
		c.RemovalPolicy = policy
		templates := configured(t, c)
		seen := map[string]bool{}
		for stack := range templates {
			for id, r := range templates.template(t, stack).Resources {
				for _, kind := range kept {
					if r.Type != kind {
						continue
					}
					seen[kind] = true
					if r.DeletionPolicy != want || r.UpdateReplacePolicy != want {
						t.Errorf("with %q, %s in %s is deleted by %q and replaced by %q, want %s", policy, id, stack, r.DeletionPolicy, r.UpdateReplacePolicy, want)
					}
				}
			}
		}
		if len(seen) != len(kept) {
			t.Errorf("only %v are in the templates", seen)
		}
	}
}

func TestTemplatesFitEveryPartition(t *testing.T) {
	c := example(t, "secretreview.yaml")
	c.Account, c.Region, c.ReplicaRegions = "", "", nil
	c.Clusters[0].IRSA.OIDCProviderArn = strings.Replace(c.Clusters[0].IRSA.OIDCProviderArn, "arn:aws:", "arn:aws-cn:", 1)
	c.Clusters[1].PodIdentity.EKSClusterArn = strings.Replace(c.Clusters[1].PodIdentity.EKSClusterArn, "arn:aws:", "arn:aws-cn:", 1)
	c.Detection.ExpectedWriters = nil
	templates := configured(t, c)
	if strings.Contains(string(templates["secretreview"]), "arn:aws:") {
		t.Error("the template names the partition aws")
	}
	template := templates.template(t, "secretreview")
	for _, place := range []cfn.Place{
		{Partition: "aws-cn", Region: "cn-north-1", Account: home.Account, URLSuffix: "amazonaws.com.cn"},
		{Partition: "aws-us-gov", Region: "us-gov-west-1", Account: home.Account, URLSuffix: "amazonaws.com"},
	} {
		for id, r := range template.Resources {
			text, err := json.Marshal(template.Resolve(place, r.Properties))
			if err != nil {
				t.Fatal(err)
			}
			for _, arn := range strings.Split(string(text), "arn:")[1:] {
				if !strings.HasPrefix(arn, place.Partition+":") && !strings.HasPrefix(arn, "aws-cn:") {
					t.Errorf("%s has arn:%.40s in %s", id, arn, place.Partition)
				}
			}
		}
	}
}

func TestAStackOfItsOwnForSomeProjects(t *testing.T) {
	c := example(t, "secretreview.yaml")
	c.ProjectStacks = []app.ProjectStack{{Name: "shop", Projects: []string{"shop"}}}
	templates := configured(t, c)
	apart := assertions.Template_FromString(jsii.String(string(templates["secretreview-shop"])), nil)
	apart.ResourceCountIs(jsii.String("AWS::SecretsManager::Secret"), jsii.Number(1))
	apart.HasOutput(jsii.String("SecretArnShopProduction"), map[string]any{})
	assertions.Template_FromString(jsii.String(string(templates["secretreview"])), nil).
		ResourceCountIs(jsii.String("AWS::SecretsManager::Secret"), jsii.Number(2))
}

func TestNamesThatDifferInWhatOutputsLeaveOut(t *testing.T) {
	c := example(t, "minimal.yaml")
	environment := []secretreview.Environment{{Name: "dev", Namespace: "n"}}
	c.Projects = []secretreview.Project{{Name: "a-b", Environments: environment}, {Name: "a_b", Environments: environment}, {Name: "c", Environments: environment}}
	c.People = []app.People{{Name: "all", Propose: []string{"a-b", "a_b", "c"}}}
	template := configured(t, c).template(t, "secretreview")
	outputs := 0
	for key := range template.Outputs {
		if strings.HasPrefix(key, "SecretArnABDev") {
			outputs++
		}
	}
	if outputs != 2 || template.Outputs["SecretArnCDev"] == nil {
		t.Errorf("the outputs are %v", template.Outputs)
	}
	sids := map[any]bool{}
	policy := template.Resources[id(t, template, "AWS::IAM::ManagedPolicy", "")].Properties["PolicyDocument"].(map[string]any)
	for _, one := range policy["Statement"].([]any) {
		sid := one.(map[string]any)["Sid"]
		if sids[sid] {
			t.Errorf("the sid %v is there twice", sid)
		}
		sids[sid] = true
	}
}

func TestAnExistingKeyAndFormerOnes(t *testing.T) {
	const existing, former = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555", "arn:aws:kms:eu-central-1:111122223333:key/00000000-2222-3333-4444-555555555555"
	c := example(t, "minimal.yaml")
	c.KmsKeyArn, c.FormerKmsKeyArns = existing, []string{former}
	template := assertions.Template_FromString(jsii.String(string(configured(t, c)["secretreview"])), nil)
	template.ResourceCountIs(jsii.String("AWS::KMS::Key"), jsii.Number(0))
	template.HasResourceProperties(jsii.String("AWS::SecretsManager::Secret"), map[string]any{"KmsKeyId": existing})
	template.HasResourceProperties(jsii.String("AWS::IAM::Role"), map[string]any{"Policies": []any{map[string]any{"PolicyDocument": map[string]any{
		"Statement": assertions.Match_ArrayWith(&[]any{assertions.Match_ObjectLike(&map[string]any{"Sid": "FormerKeys", "Action": "kms:Decrypt", "Resource": former})}),
	}}}})
}

func TestASecretThatExistsIsNotMade(t *testing.T) {
	const existing = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:secret-review/backend-api/production-AbCdEf"
	c := example(t, "minimal.yaml")
	c.Projects[0].Environments[0].SecretArn = existing
	c.CrossAccountReadAccess = []secretreview.CrossAccountRead{{Account: "444455556666", Project: "backend-api"}}
	template := assertions.Template_FromString(jsii.String(string(configured(t, c)["secretreview"])), nil)
	template.ResourceCountIs(jsii.String("AWS::SecretsManager::Secret"), jsii.Number(0))
	template.HasOutput(jsii.String("SecretArnBackendApiProduction"), map[string]any{"Value": existing})
	template.HasResourceProperties(jsii.String("AWS::SecretsManager::ResourcePolicy"), map[string]any{"SecretId": existing})
}

func TestGetSecretIsWhatOtherConstructsTake(t *testing.T) {
	synth(t, func(made awscdk.App) error {
		built, err := app.Build(made, example(t, "minimal.yaml"))
		if err != nil {
			return err
		}
		secret, err := built.GetSecret("backend-api", "production")
		if err != nil {
			return err
		}
		if *secret.EncryptionKey().KeyArn() != *built.Key.KeyArn() {
			t.Error("the secret has another key")
		}
		if _, err := built.GetSecret("backend-api", "nonesuch"); err == nil {
			t.Error("a secret that does not exist is found")
		}
		role := applicationRole(built, "Application")
		for what, err := range map[string]error{
			"an environment that does not exist": built.GrantSecretRead(role, "backend-api", "nonesuch"),
			"a region without replicas":          built.GrantReplicaRead(role, "backend-api", "production", "eu-west-1"),
			"no project":                         built.GrantCliPropose(role),
			"a project that does not exist":      built.GrantCliPull(role, "nonesuch"),
		} {
			if err == nil {
				t.Errorf("%s is granted", what)
			}
		}
		return nil
	})
}
