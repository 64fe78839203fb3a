package cluster

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/secretreview/secretreview/test/cluster/process"
)

const (
	etcdName              = "etcd"
	apiServerName         = "kube-apiserver"
	controllerManagerName = "kube-controller-manager"

	pollInterval = 50 * time.Millisecond
)

// auditPolicy keeps whole objects where a secret value could turn up, and no more than who did what elsewhere:
// a token request's answer is a credential.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: RequestResponse
  resources:
  - group: secretreview.dev
  - group: events.k8s.io
  - group: ""
    resources: [events]
- level: Metadata
`

// writeKeys makes the cluster's authorities and writes the files that its programs read. Users, servers and
// etcd have an authority each: a user's certificate must not open etcd.
func (c *Cluster) writeKeys() error {
	var err error
	if c.users, err = newAuthority("cluster-users"); err != nil {
		return err
	}
	if c.serving, err = newAuthority("cluster-serving"); err != nil {
		return err
	}
	store, err := newAuthority("cluster-etcd")
	if err != nil {
		return err
	}
	etcdPair, err := store.server(etcdName)
	if err != nil {
		return err
	}
	apiServerPair, err := c.serving.server(apiServerName)
	if err != nil {
		return err
	}
	managerPair, err := c.serving.server(controllerManagerName)
	if err != nil {
		return err
	}
	private, public, err := newTokenKey()
	if err != nil {
		return err
	}
	return writeFiles(map[string][]byte{
		c.file("users-ca.crt"):           c.users.pem(),
		c.file("serving-ca.crt"):         c.serving.pem(),
		c.file("etcd-ca.crt"):            store.pem(),
		c.file("etcd.crt"):               etcdPair.certificate,
		c.file("etcd.key"):               etcdPair.key,
		c.file("apiserver.crt"):          apiServerPair.certificate,
		c.file("apiserver.key"):          apiServerPair.key,
		c.file("controller-manager.crt"): managerPair.certificate,
		c.file("controller-manager.key"): managerPair.key,
		c.file("tokens.key"):             private,
		c.file("tokens.pub"):             public,
		c.file("audit-policy.yaml"):      []byte(auditPolicy),
	})
}

func (c *Cluster) file(name string) string { return filepath.Join(c.dir, name) }

func (c *Cluster) logFile(program string) string { return c.file(program + ".log") }

func (c *Cluster) run(name, path string, args []string) (*process.Process, error) {
	return process.Start(process.Command{Name: name, Path: path, Args: args, Dir: c.dir, LogFile: c.logFile(name)})
}

func (c *Cluster) startEtcd() error {
	var err error
	c.etcd, err = c.run(etcdName, c.binaries.Etcd, []string{
		"--data-dir=" + c.EtcdDataDir(),
		"--listen-client-urls=" + c.etcdPort.url(),
		"--advertise-client-urls=" + c.etcdPort.url(),
		"--socket-reuse-port",
		// A cluster of one has no peers, but cannot be told not to listen for them.
		"--listen-peer-urls=https://127.0.0.1:0",
		"--client-cert-auth", "--trusted-ca-file=" + c.file("etcd-ca.crt"),
		"--cert-file=" + c.file("etcd.crt"), "--key-file=" + c.file("etcd.key"),
		"--peer-client-cert-auth", "--peer-trusted-ca-file=" + c.file("etcd-ca.crt"),
		"--peer-cert-file=" + c.file("etcd.crt"), "--peer-key-file=" + c.file("etcd.key"),
		// Nothing here has to survive a power cut.
		"--unsafe-no-fsync",
	})
	return err
}

// StartAPIServer starts the API server after StopAPIServer, and returns when it answers.
func (c *Cluster) StartAPIServer(ctx context.Context) error {
	args := []string{
		"--etcd-servers=" + c.etcdPort.url(),
		"--etcd-cafile=" + c.file("etcd-ca.crt"), "--etcd-certfile=" + c.file("etcd.crt"), "--etcd-keyfile=" + c.file("etcd.key"),
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", c.apiServerPort.number), "--permit-port-sharing",
		"--tls-cert-file=" + c.file("apiserver.crt"), "--tls-private-key-file=" + c.file("apiserver.key"),
		"--client-ca-file=" + c.file("users-ca.crt"),
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + c.file("tokens.pub"), "--service-account-signing-key-file=" + c.file("tokens.key"),
		"--service-cluster-ip-range=10.0.0.0/24",
		// Endpoints may not be loopback addresses, and nobody in the cluster looks for the API server.
		"--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none",
	}
	if c.options.AuditLog {
		args = append(args, "--audit-policy-file="+c.file("audit-policy.yaml"), "--audit-log-path="+c.AuditLogFile())
	}
	var err error
	if c.apiServer, err = c.run(apiServerName, c.binaries.APIServer, append(args, c.options.APIServerArgs...)); err != nil {
		return err
	}
	return c.awaitAPIServer(ctx)
}

func (c *Cluster) awaitAPIServer(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.AdminConfig())
	if err != nil {
		return fmt.Errorf("cannot make a client of the API server: %w", err)
	}
	return c.await(ctx, c.apiServer, func(ctx context.Context) bool {
		if _, err := client.RESTClient().Get().AbsPath("/readyz").DoRaw(ctx); err != nil {
			return false
		}
		// The API server makes it in the background, after it says that it is ready.
		_, err := client.CoreV1().Namespaces().Get(ctx, metav1.NamespaceDefault, metav1.GetOptions{})
		return err == nil
	})
}

func (c *Cluster) startControllerManager(ctx context.Context) error {
	if err := checkBuilt(c.binaries.ControllerManager, c.binaries.Version); err != nil {
		return err
	}
	kubeconfig := c.file("controller-manager.kubeconfig")
	err := c.WriteKubeconfig(kubeconfig, Context{Name: "controller-manager", Config: c.UserConfig("system:kube-controller-manager")})
	if err != nil {
		return err
	}
	c.controllerManager, err = c.run(controllerManagerName, c.binaries.ControllerManager, []string{
		"--kubeconfig=" + kubeconfig,
		"--use-service-account-credentials",
		"--service-account-private-key-file=" + c.file("tokens.key"), "--root-ca-file=" + c.file("serving-ca.crt"),
		"--leader-elect=false",
		"--controllers=garbage-collector-controller,namespace-controller,serviceaccount-controller,serviceaccount-token-controller," +
			"root-ca-certificate-publisher-controller,clusterrole-aggregation-controller,validatingadmissionpolicy-status-controller",
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", c.managerPort.number), "--permit-port-sharing",
		"--tls-cert-file=" + c.file("controller-manager.crt"), "--tls-private-key-file=" + c.file("controller-manager.key"),
	})
	if err != nil {
		return err
	}
	health, err := rest.HTTPClientFor(&rest.Config{TLSClientConfig: rest.TLSClientConfig{CAData: c.serving.pem()}})
	if err != nil {
		return fmt.Errorf("cannot make a client for the health of %s: %w", controllerManagerName, err)
	}
	return c.await(ctx, c.controllerManager, func(ctx context.Context) bool {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.managerPort.url()+"/healthz", nil)
		if err != nil {
			return false
		}
		response, err := health.Do(request)
		if err != nil {
			return false
		}
		return response.Body.Close() == nil && response.StatusCode == http.StatusOK
	})
}

// await polls until ready says so. It fails as soon as the program or etcd has ended, or when ctx does.
func (c *Cluster) await(ctx context.Context, program *process.Process, ready func(context.Context) bool) error {
	err := wait.PollUntilContextCancel(ctx, pollInterval, true, func(ctx context.Context) (bool, error) {
		for _, p := range []*process.Process{c.etcd, program} {
			if !p.Running() {
				return false, p.Exited()
			}
		}
		return ready(ctx), nil
	})
	if wait.Interrupted(err) {
		return fmt.Errorf("waited in vain for a program of the cluster; the end of %s:\n%s", program.LogFile(), process.Tail(program.LogFile()))
	}
	return err
}
