package crash_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	stdlog "log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/secretstore"
	awsstore "github.com/secretreview/secretreview/internal/secretstore/aws"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/cluster/process"
	"github.com/secretreview/secretreview/test/install"
)

const (
	clusterName = "crashing"
	namespace   = "team"
	environment = "production"
	// managerKey is the access key of the managers.
	managerKey = "manager"

	// grace is the managers' --consistency-grace: AWS's answers here are younger than half of it.
	grace = 4 * time.Second
)

// People, and what they may do.
const (
	alice = "alice" // proposes
	bob   = "bob"   // approves
	carol = "carol" // approves
	dave  = "dave"  // goes back without anybody else
)

// site is a cluster with an AWS account, and a gate before each.
type site struct {
	dir     string
	cluster *cluster.Cluster
	aws     *emulator.Emulator
	// store is AWS's administrator, past the gate.
	store secretstore.Store
	admin client.Client
	// manager writes as the managers do, past the gate.
	manager client.Client
	people  map[string]client.Client
	// cache is what the API server has.
	cache cache.Cache
	gate  *gate
	// endpoint and kubeconfig lead managers through the gate.
	endpoint, kubeconfig string

	mu       sync.Mutex
	managers []*manager
	teams    atomic.Int32
}

func newSite() *site {
	GinkgoHelper()
	ctx := context.Background()
	s := &site{
		dir: GinkgoT().TempDir(), cluster: cluster.Run(GinkgoTB(), cluster.Options{}), aws: emulator.New(emulator.Options{}),
		people: map[string]client.Client{}, gate: &gate{calls: map[string][]call{}, traps: map[string]*trap{}},
	}
	Expect(install.Apply(ctx, s.cluster.AdminConfig(), install.Options{})).To(Succeed())
	scheme := runtime.NewScheme()
	Expect(errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme))).To(Succeed())
	as := func(config *rest.Config) client.Client {
		c, err := client.New(config, client.Options{Scheme: scheme})
		Expect(err).NotTo(HaveOccurred())
		return c
	}
	account, err := s.cluster.ServiceAccountConfig(ctx, install.Namespace, install.ServiceAccount)
	Expect(err).NotTo(HaveOccurred())
	s.admin, s.manager = as(s.cluster.AdminConfig()), as(account)
	for _, name := range []string{alice, bob, carol, dave} {
		s.people[name] = as(s.cluster.UserConfig(name))
	}
	s.grant(ctx)

	direct := httptest.NewServer(s.aws)
	DeferCleanup(direct.Close)
	s.store, err = awsstore.New(ctx, awsstore.Options{Region: s.aws.Region(), EndpointURL: direct.URL, WritesPerSecond: 10_000,
		Credentials: &awsstore.StaticCredentials{AccessKeyID: "admin", SecretAccessKey: "x"}})
	Expect(err).NotTo(HaveOccurred())
	gated := httptest.NewServer(s.gate.aws(s.aws))
	DeferCleanup(gated.CloseClientConnections)
	s.endpoint = gated.URL
	s.kubeconfig = s.writeKubeconfig(account)

	s.cache, err = cache.New(s.cluster.AdminConfig(), cache.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(ctx)
	DeferCleanup(cancel)
	go func() { _ = s.cache.Start(ctx) }()
	for _, object := range []client.Object{&v1alpha1.SecretChange{}, &v1alpha1.SecretProject{}} {
		_, err := s.cache.GetInformer(ctx, object)
		Expect(err).NotTo(HaveOccurred())
	}
	return s
}

// grant gives people their roles.
func (s *site) grant(ctx context.Context) {
	GinkgoHelper()
	Expect(s.admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})).To(Succeed())
	for role, people := range map[string][]string{
		"secretreview-proposer": {alice}, "secretreview-approver": {bob, carol}, "secretreview-rollbacker": {dave},
	} {
		binding := &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: role},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		}
		for _, name := range people {
			binding.Subjects = append(binding.Subjects, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name})
		}
		Expect(s.admin.Create(ctx, binding)).To(Succeed())
	}
}

// writeKubeconfig starts the gate before the API server, which passes on the credentials of who calls.
func (s *site) writeKubeconfig(account *rest.Config) string {
	GinkgoHelper()
	anonymous := s.cluster.AnonymousConfig()
	target, err := url.Parse(anonymous.Host)
	Expect(err).NotTo(HaveOccurred())
	transport, err := rest.TransportFor(anonymous)
	Expect(err).NotTo(HaveOccurred())
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     transport,
		FlushInterval: -1,
		// An API server that is gone cuts connections.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	gated := httptest.NewUnstartedServer(s.gate.apiServer(proxy))
	gated.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	gated.Config.ErrorLog = stdlog.New(io.Discard, "", 0) // of handshakes that a kill has cut
	gated.StartTLS()
	DeferCleanup(gated.CloseClientConnections)
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: gated.Certificate().Raw})
	config := clientcmdapi.NewConfig()
	config.Clusters["gate"] = &clientcmdapi.Cluster{Server: gated.URL, CertificateAuthorityData: authority}
	config.AuthInfos["manager"] = &clientcmdapi.AuthInfo{Token: account.BearerToken}
	config.Contexts["manager"] = &clientcmdapi.Context{Cluster: "gate", AuthInfo: "manager", Namespace: install.Namespace}
	config.CurrentContext = "manager"
	path := filepath.Join(s.dir, "manager.kubeconfig")
	Expect(clientcmd.WriteToFile(*config, path)).To(Succeed())
	return path
}

// manager is one life of a manager.
type manager struct{ *process.Process }

// listingSeldom is a --sweep-interval that leaves the listing at the start.
const listingSeldom = time.Hour

// start starts a manager that lists AWS so often, and does not wait until it is at work. Without a lease, so that no manager
// waits for the one of a manager that was killed; of a flag that is given twice, the last one counts.
func (s *site) start(listing time.Duration, args ...string) *manager {
	GinkgoHelper()
	s.mu.Lock()
	defer s.mu.Unlock()
	bin, err := cluster.BinDir()
	Expect(err).NotTo(HaveOccurred())
	started, err := process.Start(process.Command{
		Name: "manager", Path: filepath.Join(bin, "manager"), Dir: s.dir,
		LogFile: filepath.Join(s.dir, "manager-"+strconv.Itoa(len(s.managers))+".log"),
		Args: append([]string{
			"--cluster-name=" + clusterName, "--leader-elect=false", "--metrics-bind-address=0", "--health-probe-bind-address=0",
			"--sweep-interval=" + listing.String(), "--sweep-grace=0s", "--consistency-grace=" + grace.String(),
			// Many calls are held at once, each by a worker.
			"--concurrency=2000", "--aws-writes-per-second=10000", "--aws-request-timeout=1h",
		}, args...),
		Env: []string{
			"KUBECONFIG=" + s.kubeconfig, "POD_NAMESPACE=" + install.Namespace, "HOME=" + s.dir,
			"AWS_ENDPOINT_URL=" + s.endpoint, "AWS_REGION=" + s.aws.Region(), "AWS_EC2_METADATA_DISABLED=true",
			"AWS_ACCESS_KEY_ID=" + managerKey, "AWS_SECRET_ACCESS_KEY=x",
		},
	})
	Expect(err).NotTo(HaveOccurred())
	m := &manager{started}
	s.managers = append(s.managers, m)
	DeferCleanup(m.Process.Kill)
	return m
}

// kill ends a manager at once, as a power cut would. It must not have ended by itself.
func (m *manager) kill() {
	GinkgoHelper()
	Expect(m.Crashed()).To(Succeed())
	Expect(m.Process.Kill()).To(Succeed())
}

// pause stops a manager until resume, as a host does that is out of memory.
func (m *manager) pause()  { m.tell(syscall.SIGSTOP) }
func (m *manager) resume() { m.tell(syscall.SIGCONT) }

func (m *manager) tell(signal os.Signal) {
	GinkgoHelper()
	running, err := os.FindProcess(m.PID())
	Expect(err).NotTo(HaveOccurred())
	Expect(running.Signal(signal)).To(Succeed())
}

// secrets are what AWS has, by name.
func (s *site) secrets() map[string]emulator.SecretState {
	all := map[string]emulator.SecretState{}
	for _, secret := range s.aws.Secrets() {
		all[secret.Name] = secret
	}
	return all
}

// changes are those of a project, the oldest first.
func (s *site) changes(project string) ([]v1alpha1.SecretChange, error) {
	var list v1alpha1.SecretChangeList
	if err := s.cache.List(context.Background(), &list, client.InNamespace(namespace)); err != nil {
		return nil, err
	}
	of := slices.DeleteFunc(list.Items, func(c v1alpha1.SecretChange) bool { return c.Spec.Project != project })
	slices.SortFunc(of, func(a, b v1alpha1.SecretChange) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
	return of, nil
}
