package test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/jsii-runtime-go"

	"github.com/secretreview/secretreview/infra/cdk/app"
	"github.com/secretreview/secretreview/infra/cdk/secretreview"
)

func TestBadInputIsRefusedByTheNameOfItsField(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*app.Config)
		want  string
	}{
		"no cluster":                         {func(c *app.Config) { c.Clusters = nil }, "clusters: name at least one"},
		"a bad cluster name":                 {func(c *app.Config) { c.Clusters[0].Name = "-" }, `clusters[0].name: "-"`},
		"one cluster twice":                  {func(c *app.Config) { c.Clusters[1].Name = "production" }, "clusters[1].name: \"production\" is there twice"},
		"a cluster that nobody can act for":  {func(c *app.Config) { c.Clusters[0].IRSA = nil }, "clusters[0]: give irsa or podIdentity"},
		"an OIDC provider that is a URL":     {func(c *app.Config) { c.Clusters[0].IRSA.OIDCProviderArn = "https://oidc" }, "clusters[0].irsa.oidcProviderArn"},
		"an EKS cluster that is a name":      {func(c *app.Config) { c.Clusters[1].PodIdentity.EKSClusterArn = "staging" }, "clusters[1].podIdentity.eksClusterArn"},
		"a bad ServiceAccount":               {func(c *app.Config) { c.Clusters[0].ServiceAccount = "system:x" }, "clusters[0].serviceAccount"},
		"a bad namespace of a manager":       {func(c *app.Config) { c.Clusters[0].Namespace = "A" }, "clusters[0].namespace"},
		"no project":                         {func(c *app.Config) { c.Projects = nil }, "projects: name at least one"},
		"a project without environments":     {func(c *app.Config) { c.Projects[1].Environments = nil }, "projects[1].environments: project \"shop\" has no environment"},
		"the project pending":                {func(c *app.Config) { c.Projects[1].Name = "pending" }, "projects[1].name: \"pending\" is reserved"},
		"a project with a slash":             {func(c *app.Config) { c.Projects[1].Name = "a/b" }, "projects[1].name: \"a/b\" is no project name"},
		"a project with a wildcard":          {func(c *app.Config) { c.Projects[1].Name = "*" }, "projects[1].name: \"*\" is no project name"},
		"a project too long":                 {func(c *app.Config) { c.Projects[1].Name = strings.Repeat("a", 64) }, "projects[1].name"},
		"one project twice":                  {func(c *app.Config) { c.Projects[1].Name = "backend-api" }, "projects[1].name: \"backend-api\" is there twice"},
		"one environment twice":              {func(c *app.Config) { c.Projects[0].Environments[1].Name = "production" }, "projects[0].environments[1].name: \"production\" is there twice"},
		"an environment that is reserved":    {func(c *app.Config) { c.Projects[0].Environments[0].Name = "status" }, "projects[0].environments[0].name: \"status\" is no environment name"},
		"an environment without a namespace": {func(c *app.Config) { c.Projects[0].Environments[0].Namespace = "" }, "projects[0].environments[0].namespace"},
		"an environment of no cluster":       {func(c *app.Config) { c.Projects[0].Environments[0].Cluster = "" }, "projects[0].environments[0].cluster: \"\" is none of the clusters"},
		"an existing secret of another name": {func(c *app.Config) {
			c.Projects[1].Environments[0].SecretArn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:secret-review/backend-api/production-AbCdEf"
		}, "projects[1].environments[0].secretArn"},
		"an existing secret without its ending": {func(c *app.Config) {
			c.Projects[1].Environments[0].SecretArn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:secret-review/shop/production"
		}, "is not the whole ARN of a secret named secret-review/shop/production"},
		"an existing secret of another region": {func(c *app.Config) {
			c.Projects[1].Environments[0].SecretArn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:secret-review/shop/production-AbCdEf"
		}, "is not in region eu-central-1"},
		"a prefix without its slash":         {func(c *app.Config) { c.SecretPrefix = "secret-review" }, "secretPrefix: \"secret-review\" is no prefix"},
		"another removal policy":             {func(c *app.Config) { c.RemovalPolicy = "snapshot" }, "removalPolicy: \"snapshot\" is neither"},
		"a key that is no ARN":               {func(c *app.Config) { c.KmsKeyArn = "alias/x" }, "kmsKeyArn: \"alias/x\""},
		"a former key that is no ARN":        {func(c *app.Config) { c.FormerKmsKeyArns = []string{"x"} }, "formerKmsKeyArns[0]: \"x\""},
		"an account that is not 12 digits":   {func(c *app.Config) { c.CrossAccountReadAccess[0].Account = "44445555666" }, "crossAccountReadAccess[0].account: \"44445555666\" is not the 12 digits"},
		"our account that is not 12 digits":  {func(c *app.Config) { c.Account = "1" }, "account: \"1\" is not the 12 digits"},
		"a reader of no project":             {func(c *app.Config) { c.CrossAccountReadAccess[0].Project = "x" }, "crossAccountReadAccess[0].project: \"x\" is none of the projects"},
		"a reader of no environment":         {func(c *app.Config) { c.CrossAccountReadAccess[0].Environments = []string{"x"} }, "crossAccountReadAccess[0].environments[0]: \"x\" is no environment"},
		"a replica in the primary's region":  {func(c *app.Config) { c.ReplicaRegions[0].Region = "eu-central-1" }, "replicaRegions[0].region: \"eu-central-1\" is the region of the secrets themselves"},
		"a replica in no region":             {func(c *app.Config) { c.ReplicaRegions[0].Region = "Dublin" }, "replicaRegions[0].region: \"Dublin\" is no AWS region"},
		"one replica twice":                  {func(c *app.Config) { c.ReplicaRegions = append(c.ReplicaRegions, c.ReplicaRegions[0]) }, "replicaRegions[1].region: \"eu-west-1\" is there twice"},
		"replicas of a stack for any region": {func(c *app.Config) { c.Region = "" }, "replicaRegions: the stack has no region"},
		"a replica's key of another region":  {func(c *app.Config) { c.ReplicaRegions[0].KmsKey = "arn:aws:kms:eu-west-2:111122223333:key/1" }, "replicaRegions[0].kmsKey"},
		"a region that is none":              {func(c *app.Config) { c.Region = "x" }, "region: \"x\" is no AWS region"},
		"a VPC without private subnets":      {func(c *app.Config) { c.Vpc.PrivateSubnetIDs, c.Vpc.AvailabilityZones = nil, nil }, "vpc.privateSubnetIds: the VPC has no private subnets"},
		"subnets in unknown zones":           {func(c *app.Config) { c.Vpc.AvailabilityZones = nil }, "vpc.availabilityZones"},
		"an endpoint that there is not":      {func(c *app.Config) { c.Endpoints.Services = []string{"s3"} }, "endpoints.services[0]: \"s3\" is none of"},
		"another secret that is no ARN":      {func(c *app.Config) { c.Endpoints.AlsoSecrets = []string{"x"} }, "endpoints.alsoSecrets[0]"},
		"a topic that is no ARN":             {func(c *app.Config) { c.Detection.Emails, c.Detection.TopicArn = nil, "x" }, "detection.topicArn: \"x\""},
		"emails for somebody else's topic":   {func(c *app.Config) { c.Detection.TopicArn = "arn:aws:sns:eu-central-1:111122223333:t" }, "detection.emails"},
		"a writer that is no role":           {func(c *app.Config) { c.Detection.ExpectedWriters = []string{"bob"} }, "detection.expectedWriters[0]: \"bob\""},
		"people without rights":              {func(c *app.Config) { c.People[0].Propose, c.People[0].Pull = nil, nil }, "people[0]: give projects"},
		"people of no project":               {func(c *app.Config) { c.People[0].Propose = []string{"x"} }, "people[0].propose[0]: \"x\" is none of the projects"},
		"people twice":                       {func(c *app.Config) { c.People[1].Name = c.People[0].Name }, "people[1].name"},
		"a role by its ARN":                  {func(c *app.Config) { c.People[1].Roles = []string{"arn:aws:iam::1:role/x"} }, "people[1].roles[0]"},
		"a project in two stacks": {func(c *app.Config) {
			c.ProjectStacks = []app.ProjectStack{{Name: "a", Projects: []string{"shop"}}, {Name: "b", Projects: []string{"shop"}}}
		}, "projectStacks[1].projects[0]: \"shop\" is in two stacks"},
		"a stack of no project":              {func(c *app.Config) { c.ProjectStacks = []app.ProjectStack{{Name: "a", Projects: []string{"x"}}} }, "projectStacks[0].projects[0]: \"x\" is none"},
		"a bad stack name":                   {func(c *app.Config) { c.StackName = "1" }, "stackName: \"1\""},
		"two mistakes, and both are told of": {func(c *app.Config) { c.Projects[1].Name, c.SecretPrefix = "pending", "x" }, "projects[1].name"},
	} {
		t.Run(name, func(t *testing.T) {
			config := example(t, "secretreview.yaml")
			c.spoil(&config)
			_, err := app.Build(newApp(t), config)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("the error is %v, want %q", err, c.want)
			}
			for _, line := range strings.Split(err.Error(), "\n") {
				if !strings.Contains(line, ": ") {
					t.Errorf("%q names no field", line)
				}
			}
		})
	}
}

func TestAVpcOfPublicSubnetsAloneIsRefused(t *testing.T) {
	stack := awscdk.NewStack(newApp(t), jsii.String("stack"), nil)
	vpc := awsec2.Vpc_FromVpcAttributes(stack, jsii.String("Vpc"), &awsec2.VpcAttributes{
		VpcId: jsii.String("vpc-1"), AvailabilityZones: jsii.Strings("eu-central-1a"), PublicSubnetIds: jsii.Strings("subnet-1"),
	})
	props := example(t, "minimal.yaml").Props
	props.Vpc = vpc
	if _, err := secretreview.New(stack, "SecretReview", props); err == nil || !strings.Contains(err.Error(), "vpc: it has no private subnets") {
		t.Error(err)
	}
}

func TestAFileWithAMistypedFieldIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secretreview.yaml")
	for name, text := range map[string]string{
		"unknown field \"project\"": "project: []\n",
		"unknown field \"enviro\"":  "projects: [{name: a, enviro: []}]\n",
		"already set":               "region: a\nregion: b\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := app.Load(path); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := app.Load(path + "x"); err == nil {
		t.Error("a file that is not there is read")
	}
}
