package cluster

import (
	"context"
	"fmt"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// tokenSeconds is a day: longer than any test, or than anybody works with a local cluster in one go.
const tokenSeconds int64 = 24 * 60 * 60

// AdminConfig returns the credentials of "admin" in the group system:masters, who may do anything that
// admission lets through.
func (c *Cluster) AdminConfig() *rest.Config {
	return c.UserConfig("admin", "system:masters")
}

// UserConfig returns credentials, a client certificate, of a user who has the rights that RBAC gives to this
// name and these groups. It panics when no certificate can be made, which needs a broken source of randomness.
func (c *Cluster) UserConfig(username string, groups ...string) *rest.Config {
	pair, err := c.users.client(username, groups)
	if err != nil {
		panic(err)
	}
	config := c.AnonymousConfig()
	config.CertData, config.KeyData = pair.certificate, pair.key
	return config
}

// ServiceAccountConfig returns credentials of a ServiceAccount that exists: a token bound to it that is good
// for 24 hours, made by the API server's TokenRequest.
func (c *Cluster) ServiceAccountConfig(ctx context.Context, namespace, name string) (*rest.Config, error) {
	client, err := kubernetes.NewForConfig(c.AdminConfig())
	if err != nil {
		return nil, fmt.Errorf("cannot make an administrator's client: %w", err)
	}
	seconds := tokenSeconds
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	request, err = client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, name, request, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("cannot get a token of ServiceAccount %s/%s, which must exist: %w", namespace, name, err)
	}
	config := c.AnonymousConfig()
	config.BearerToken = request.Status.Token
	return config, nil
}

// AnonymousConfig reaches the API server without credentials. The API server's own fairness is the only limit
// of its requests: the client's default of five a second makes tests slow and proves nothing.
func (c *Cluster) AnonymousConfig() *rest.Config {
	return &rest.Config{
		Host:            c.apiServerPort.url(),
		QPS:             -1,
		TLSClientConfig: rest.TLSClientConfig{CAData: c.serving.pem()},
	}
}

// AwaitRight returns once the API server's authorizer lets a user do something. It learns of a binding some time
// after the binding is stored.
func (c *Cluster) AwaitRight(ctx context.Context, user string, right authorizationv1.ResourceAttributes) error {
	admin, err := kubernetes.NewForConfig(c.AdminConfig())
	if err != nil {
		return err
	}
	asked := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: user, ResourceAttributes: &right}}
	err = wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		review, err := admin.AuthorizationV1().SubjectAccessReviews().Create(ctx, asked, metav1.CreateOptions{})
		return err == nil && review.Status.Allowed, nil
	})
	if err != nil {
		return fmt.Errorf("%s may not %s %s: %w", user, right.Verb, right.Resource, err)
	}
	return nil
}

// Context is one context of a kubeconfig file: somebody's credentials, and where they work.
type Context struct {
	// Name of the context and of its user entry.
	Name string
	// Namespace is the context's default namespace. Empty means "default".
	Namespace string
	// Config holds the credentials, as UserConfig or ServiceAccountConfig returned them.
	Config *rest.Config
}

// WriteKubeconfig writes a kubeconfig file that only its owner can read. The first context is the current one.
func (c *Cluster) WriteKubeconfig(path string, contexts ...Context) error {
	const clusterEntry = "secretreview"
	config := clientcmdapi.NewConfig()
	config.Clusters[clusterEntry] = &clientcmdapi.Cluster{Server: c.apiServerPort.url(), CertificateAuthorityData: c.serving.pem()}
	for _, entry := range contexts {
		config.AuthInfos[entry.Name] = &clientcmdapi.AuthInfo{
			ClientCertificateData: entry.Config.CertData,
			ClientKeyData:         entry.Config.KeyData,
			Token:                 entry.Config.BearerToken,
			TokenFile:             entry.Config.BearerTokenFile,
		}
		config.Contexts[entry.Name] = &clientcmdapi.Context{Cluster: clusterEntry, AuthInfo: entry.Name, Namespace: entry.Namespace}
	}
	if len(contexts) > 0 {
		config.CurrentContext = contexts[0].Name
	}
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return fmt.Errorf("cannot write kubeconfig %s: %w", path, err)
	}
	return nil
}
