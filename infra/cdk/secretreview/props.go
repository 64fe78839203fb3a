package secretreview

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/constructs-go/constructs/v10"
)

// Where the manager runs, unless a Cluster says otherwise; as in config/manager.
const (
	DefaultNamespace      = "secretreview-system"
	DefaultServiceAccount = "secretreview-manager"
)

// Props configure a SecretReview.
type Props struct {
	// SecretPrefix begins the names of all secrets, and is the manager's
	// --prefix. It ends with "/"; the default is "secret-review/".
	SecretPrefix string `json:"secretPrefix,omitempty"`
	// Clusters run a manager each, which gets a role of its own. There is at
	// least one.
	Clusters []Cluster `json:"clusters"`
	// Projects are those of the SecretProjects, by spec.projectName.
	Projects []Project `json:"projects"`
	// RemovalPolicy says what becomes of secrets, keys and their policies once
	// they are no longer in the stack; the default is Retain.
	RemovalPolicy RemovalPolicy `json:"removalPolicy,omitempty"`
	// KmsKeyArn names a key that exists, in this region and account, instead of
	// one that is made. Its key policy is its owner's business.
	KmsKeyArn string `json:"kmsKeyArn,omitempty"`
	// FormerKmsKeyArns are keys that older versions of the secrets are still
	// encrypted with. They are only ever decrypted with.
	FormerKmsKeyArns []string `json:"formerKmsKeyArns,omitempty"`
	// CrossAccountReadAccess lets other accounts read.
	CrossAccountReadAccess []CrossAccountRead `json:"crossAccountReadAccess,omitempty"`
	// ReplicaRegions get a copy of each live secret, made by Secrets Manager.
	// The stack must have a region of its own then.
	ReplicaRegions []ReplicaRegion `json:"replicaRegions,omitempty"`
	// Vpc gets interface endpoints for Secrets Manager, KMS and STS. From then
	// on everything in it reaches these services by them, and only what Endpoints
	// and the system itself need.
	Vpc awsec2.IVpc `json:"-"`
	// Endpoints narrow or widen what Vpc gets.
	Endpoints Endpoints `json:"endpoints,omitzero"`
	// Detection tells of changes; nil makes no rules.
	Detection *Detection `json:"detection,omitempty"`
}

// RemovalPolicy is "retain" or "destroy".
type RemovalPolicy string

// The removal policies.
const (
	Retain  RemovalPolicy = "retain"
	Destroy RemovalPolicy = "destroy"
)

// Cluster is a Kubernetes cluster whose manager may work on the secrets that it
// owns. It has IRSA, PodIdentity, or both while moving from one to the other.
type Cluster struct {
	// Name is the manager's --cluster-name.
	Name string `json:"name"`
	// Namespace and ServiceAccount are the manager's own.
	Namespace      string       `json:"namespace,omitempty"`
	ServiceAccount string       `json:"serviceAccount,omitempty"`
	IRSA           *IRSA        `json:"irsa,omitempty"`
	PodIdentity    *PodIdentity `json:"podIdentity,omitempty"`
}

// IRSA lets a ServiceAccount of an EKS cluster take the role by its token.
type IRSA struct {
	// OIDCProviderArn is that of the cluster's IAM OIDC provider, in this account.
	OIDCProviderArn string `json:"oidcProviderArn"`
}

// PodIdentity lets the EKS Pod Identity agent hand the role to a ServiceAccount.
type PodIdentity struct {
	// EKSClusterArn is that of the cluster, in this account.
	EKSClusterArn string `json:"eksClusterArn"`
	// Associate makes the Pod Identity association as well. It must be false
	// where something else makes it.
	Associate bool `json:"associate,omitempty"`
}

// Project is a name that IAM scopes people to.
type Project struct {
	Name         string        `json:"name"`
	Environments []Environment `json:"environments"`
	// Scope is where the project's secrets are made: in a stack of its own for
	// instance, where one stack cannot hold them all. Nil means in the SecretReview.
	// Moving a project to another stack later means importing its secrets there.
	Scope constructs.Construct `json:"-"`
}

// Environment is one live secret.
type Environment struct {
	Name string `json:"name"`
	// Cluster is the name of the one that owns the environment. It may be left
	// out where there is one only.
	Cluster string `json:"cluster,omitempty"`
	// Namespace is the Kubernetes namespace that owns it.
	Namespace string `json:"namespace"`
	// SecretArn names a secret that exists, in this region and account and with
	// the environment's name, instead of one that is made. Its key, its owner tag
	// and its replicas are its owner's business.
	SecretArn string `json:"secretArn,omitempty"`
}

// CrossAccountRead lets an account read live secrets, here and in the replicas.
type CrossAccountRead struct {
	// Account is 12 digits.
	Account string `json:"account"`
	Project string `json:"project"`
	// Environments are some of the project's; none means all of them.
	Environments []string `json:"environments,omitempty"`
}

// ReplicaRegion is a region with a copy of each live secret.
type ReplicaRegion struct {
	Region string `json:"region"`
	// KmsKey is a key in that region: its ARN, or its alias as "alias/…".
	KmsKey string `json:"kmsKey,omitempty"`
}

// Endpoints say what the VPC gets.
type Endpoints struct {
	// Services are some of "secretsmanager", "kms" and "sts"; none means all.
	Services []string `json:"services,omitempty"`
	// AlsoSecrets are patterns of ARNs of other secrets that workloads in the
	// VPC use; AlsoKeys are ARNs of their keys.
	AlsoSecrets []string `json:"alsoSecrets,omitempty"`
	AlsoKeys    []string `json:"alsoKeys,omitempty"`
}

// Detection tells of each new live version, and of writes by anybody but the
// managers. The latter needs a CloudTrail trail that logs management events.
type Detection struct {
	// TopicArn names a topic that exists, whose policy lets EventBridge publish;
	// without it one is made.
	TopicArn string `json:"topicArn,omitempty"`
	// Emails are subscribed to the topic that is made.
	Emails []string `json:"emails,omitempty"`
	// ExpectedWriters are ARNs of roles whose writes are no news, such as the
	// one that deploys this stack.
	ExpectedWriters []string `json:"expectedWriters,omitempty"`
}
