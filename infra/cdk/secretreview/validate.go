package secretreview

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/secretreview/secretreview/internal/naming"
)

var (
	accountID = regexp.MustCompile(`^[0-9]{12}$`)
	region    = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]+$`)
	// Kubernetes: DNS-1123 labels and subdomains.
	namespace      = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	serviceAccount = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`)

	oidcProvider = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/(.+)$`)
	eksCluster   = regexp.MustCompile(`^arn:aws[a-z-]*:eks:[a-z0-9-]+:[0-9]{12}:cluster/(.+)$`)
	kmsKey       = regexp.MustCompile(`^arn:aws[a-z-]*:kms:([a-z0-9-]+):[0-9]{12}:key/.+$`)
	kmsAlias     = regexp.MustCompile(`^alias/[a-zA-Z0-9/_-]+$`)
	snsTopic     = regexp.MustCompile(`^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[a-zA-Z0-9_-]+$`)
	iamRole      = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$`)
	secretArn    = regexp.MustCompile(`^arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):[0-9]{12}:secret:(.+)$`)
	// ending is what Secrets Manager adds to a name in an ARN.
	ending = regexp.MustCompile(`^-[0-9A-Za-z]{6}$`)
	email  = regexp.MustCompile(`^[^@\s]+@[^@\s]+$`)
)

// services are the interface endpoints that there are.
var services = []string{"secretsmanager", "kms", "sts"}

// mistakes collects what is wrong, each with the field that it is in.
type mistakes []error

func (m *mistakes) checkf(ok bool, field, format string, args ...any) {
	if !ok {
		*m = append(*m, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
	}
}

// withDefaults returns a copy with every default filled in.
func (p Props) withDefaults() Props {
	if p.SecretPrefix == "" {
		p.SecretPrefix = naming.DefaultPrefix
	}
	if p.RemovalPolicy == "" {
		p.RemovalPolicy = Retain
	}
	if len(p.Endpoints.Services) == 0 {
		p.Endpoints.Services = services
	}
	p.Clusters = slices.Clone(p.Clusters)
	for i := range p.Clusters {
		if c := &p.Clusters[i]; c.Namespace == "" {
			c.Namespace = DefaultNamespace
		}
		if c := &p.Clusters[i]; c.ServiceAccount == "" {
			c.ServiceAccount = DefaultServiceAccount
		}
	}
	p.Projects = slices.Clone(p.Projects)
	for i := range p.Projects {
		environments := slices.Clone(p.Projects[i].Environments)
		for j := range environments {
			if environments[j].Cluster == "" && len(p.Clusters) == 1 {
				environments[j].Cluster = p.Clusters[0].Name
			}
		}
		p.Projects[i].Environments = environments
	}
	return p
}

// Validate returns what New would find wrong with props in a stack of a region,
// which is empty where it is not known.
func (p Props) Validate(region string) error { return p.withDefaults().validate(region) }

// validate returns every mistake in props with defaults, for a stack in a
// region, which is empty where it is not known yet.
func (p Props) validate(stackRegion string) error {
	var m mistakes
	m.checkf(naming.ValidPrefix(p.SecretPrefix), "secretPrefix",
		"%q is no prefix: it holds letters, digits and /_+=.@-, ends with /, and has at most %d characters", p.SecretPrefix, naming.MaxPrefixLength)
	m.checkf(p.RemovalPolicy == Retain || p.RemovalPolicy == Destroy, "removalPolicy", "%q is neither retain nor destroy", p.RemovalPolicy)
	m.checkf(p.KmsKeyArn == "" || kmsKey.MatchString(p.KmsKeyArn), "kmsKeyArn", "%q is no ARN of a KMS key", p.KmsKeyArn)
	for i, arn := range p.FormerKmsKeyArns {
		m.checkf(kmsKey.MatchString(arn), fmt.Sprintf("formerKmsKeyArns[%d]", i), "%q is no ARN of a KMS key", arn)
	}
	p.validateClusters(&m)
	p.validateProjects(&m, stackRegion)
	p.validateReaders(&m)
	p.validateReplicas(&m, stackRegion)
	p.validateEndpoints(&m)
	p.validateDetection(&m)
	return errors.Join(m...)
}

func (p Props) validateClusters(m *mistakes) {
	m.checkf(len(p.Clusters) > 0, "clusters", "name at least one cluster")
	seen := map[string]bool{}
	for i, c := range p.Clusters {
		field := fmt.Sprintf("clusters[%d].", i)
		m.checkf(naming.ValidCluster(c.Name), field+"name",
			"%q is no cluster name: it holds letters, digits and _.:/=+@-, begins and ends with a letter or digit, and has at most %d characters", c.Name, naming.MaxClusterLength)
		m.checkf(!seen[c.Name], field+"name", "%q is there twice", c.Name)
		seen[c.Name] = true
		m.checkf(namespace.MatchString(c.Namespace), field+"namespace", "%q is no name of a Kubernetes namespace", c.Namespace)
		m.checkf(serviceAccount.MatchString(c.ServiceAccount), field+"serviceAccount", "%q is no name of a ServiceAccount", c.ServiceAccount)
		m.checkf(c.IRSA != nil || c.PodIdentity != nil, strings.TrimSuffix(field, "."), "give irsa or podIdentity, or nobody could take the role")
		if c.IRSA != nil {
			m.checkf(oidcProvider.MatchString(c.IRSA.OIDCProviderArn), field+"irsa.oidcProviderArn", "%q is no ARN of an IAM OIDC provider", c.IRSA.OIDCProviderArn)
		}
		if c.PodIdentity != nil {
			m.checkf(eksCluster.MatchString(c.PodIdentity.EKSClusterArn), field+"podIdentity.eksClusterArn", "%q is no ARN of an EKS cluster", c.PodIdentity.EKSClusterArn)
		}
	}
}

func (p Props) validateProjects(m *mistakes, stackRegion string) {
	m.checkf(len(p.Projects) > 0, "projects", "name at least one project")
	seen := map[string]bool{}
	for i, project := range p.Projects {
		field := fmt.Sprintf("projects[%d]", i)
		m.checkf(project.Name != naming.StagingProject, field+".name", "%q is reserved for what is staged", project.Name)
		m.checkf(project.Name == naming.StagingProject || naming.ValidProject(project.Name), field+".name",
			"%q is no project name: it holds letters, digits, _ and -, at most %d", project.Name, naming.MaxNameLength)
		m.checkf(!seen[project.Name], field+".name", "%q is there twice", project.Name)
		seen[project.Name] = true
		m.checkf(len(project.Environments) > 0, field+".environments", "project %q has no environment", project.Name)
		p.validateEnvironments(m, field, project, stackRegion)
	}
}

func (p Props) validateEnvironments(m *mistakes, field string, project Project, stackRegion string) {
	seen := map[string]bool{}
	for i, e := range project.Environments {
		field := fmt.Sprintf("%s.environments[%d].", field, i)
		m.checkf(naming.ValidEnvironment(e.Name), field+"name",
			"%q is no environment name: it holds letters, digits, _ and -, at most %d, and is none of status, scale and finalizers", e.Name, naming.MaxNameLength)
		m.checkf(!seen[e.Name], field+"name", "%q is there twice", e.Name)
		seen[e.Name] = true
		m.checkf(namespace.MatchString(e.Namespace), field+"namespace", "%q is no name of a Kubernetes namespace", e.Namespace)
		known := slices.ContainsFunc(p.Clusters, func(c Cluster) bool { return c.Name == e.Cluster })
		m.checkf(known, field+"cluster", "%q is none of the clusters", e.Cluster)
		if e.SecretArn == "" {
			continue
		}
		arn, name := secretArn.FindStringSubmatch(e.SecretArn), naming.LiveSecret(p.SecretPrefix, project.Name, e.Name)
		m.checkf(arn != nil && strings.HasPrefix(arn[2], name) && ending.MatchString(arn[2][len(name):]), field+"secretArn", "%q is not the whole ARN of a secret named %s", e.SecretArn, name)
		m.checkf(arn == nil || stackRegion == "" || arn[1] == stackRegion, field+"secretArn", "%q is not in region %s", e.SecretArn, stackRegion)
	}
}

func (p Props) validateReaders(m *mistakes) {
	for i, reader := range p.CrossAccountReadAccess {
		field := fmt.Sprintf("crossAccountReadAccess[%d].", i)
		m.checkf(accountID.MatchString(reader.Account), field+"account", "%q is not the 12 digits of an AWS account", reader.Account)
		project := p.project(reader.Project)
		m.checkf(project != nil, field+"project", "%q is none of the projects", reader.Project)
		if project == nil {
			continue
		}
		for j, name := range reader.Environments {
			m.checkf(project.environment(name) != nil, fmt.Sprintf("%senvironments[%d]", field, j), "%q is no environment of project %q", name, reader.Project)
		}
	}
}

func (p Props) validateReplicas(m *mistakes, stackRegion string) {
	seen := map[string]bool{}
	m.checkf(len(p.ReplicaRegions) == 0 || stackRegion != "", "replicaRegions", "the stack has no region: set it, so that no replica is put into the secrets' own")
	for i, r := range p.ReplicaRegions {
		field := fmt.Sprintf("replicaRegions[%d].", i)
		m.checkf(region.MatchString(r.Region), field+"region", "%q is no AWS region", r.Region)
		m.checkf(r.Region != stackRegion, field+"region", "%q is the region of the secrets themselves", r.Region)
		m.checkf(!seen[r.Region], field+"region", "%q is there twice", r.Region)
		seen[r.Region] = true
		arn := kmsKey.FindStringSubmatch(r.KmsKey)
		m.checkf(arn != nil || kmsAlias.MatchString(r.KmsKey), field+"kmsKey", "%q is neither an ARN nor an alias of a KMS key", r.KmsKey)
		m.checkf(arn == nil || arn[1] == r.Region, field+"kmsKey", "%q is not in region %s", r.KmsKey, r.Region)
	}
}

func (p Props) validateEndpoints(m *mistakes) {
	for i, service := range p.Endpoints.Services {
		m.checkf(slices.Contains(services, service), fmt.Sprintf("endpoints.services[%d]", i), "%q is none of %s", service, strings.Join(services, ", "))
	}
	for i, arn := range p.Endpoints.AlsoSecrets {
		m.checkf(secretArn.MatchString(arn), fmt.Sprintf("endpoints.alsoSecrets[%d]", i), "%q is no ARN of a secret", arn)
	}
	for i, arn := range p.Endpoints.AlsoKeys {
		m.checkf(kmsKey.MatchString(arn), fmt.Sprintf("endpoints.alsoKeys[%d]", i), "%q is no ARN of a KMS key", arn)
	}
	if p.Vpc != nil {
		m.checkf(len(*p.Vpc.PrivateSubnets())+len(*p.Vpc.IsolatedSubnets()) > 0, "vpc", "it has no private subnets to put the endpoints into")
	}
}

func (p Props) validateDetection(m *mistakes) {
	d := p.Detection
	if d == nil {
		return
	}
	m.checkf(d.TopicArn == "" || snsTopic.MatchString(d.TopicArn), "detection.topicArn", "%q is no ARN of an SNS topic", d.TopicArn)
	m.checkf(d.TopicArn == "" || len(d.Emails) == 0, "detection.emails", "they can be subscribed only to a topic that is made here: leave topicArn out")
	for i, address := range d.Emails {
		m.checkf(email.MatchString(address), fmt.Sprintf("detection.emails[%d]", i), "%q is no address", address)
	}
	for i, arn := range d.ExpectedWriters {
		m.checkf(iamRole.MatchString(arn), fmt.Sprintf("detection.expectedWriters[%d]", i), "%q is no ARN of an IAM role", arn)
	}
}

func (p Props) project(name string) *Project {
	i := slices.IndexFunc(p.Projects, func(project Project) bool { return project.Name == name })
	if i < 0 {
		return nil
	}
	return &p.Projects[i]
}

func (p Project) environment(name string) *Environment {
	i := slices.IndexFunc(p.Environments, func(e Environment) bool { return e.Name == name })
	if i < 0 {
		return nil
	}
	return &p.Environments[i]
}
