package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	awsstore "github.com/secretreview/secretreview/internal/secretstore/aws"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/internal/sensitive"
	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/cluster/process"
	"github.com/secretreview/secretreview/test/install"
	"github.com/secretreview/secretreview/test/suite"
)

// canary is a secret value that must never leave AWS.
const canary = "canary-f3b1c2"

var (
	ctx      = context.Background()
	api      *cluster.Cluster
	admin    client.Client
	endpoint string
	store    secretstore.Store
	// dir holds the program, kubeconfigs and logs.
	dir, program string
	// before is what the program said on a cluster that nothing was installed on.
	before string
)

func TestManager(t *testing.T) {
	suite.Run(t, "The manager's program")
}

var _ = BeforeSuite(func() {
	SetDefaultEventuallyTimeout(60 * time.Second)
	SetDefaultEventuallyPollingInterval(100 * time.Millisecond)
	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())

	dir = GinkgoT().TempDir()
	program = filepath.Join(dir, "manager")
	out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(out))

	aws := emulator.New(emulator.Options{})
	server := httptest.NewServer(aws)
	DeferCleanup(server.Close)
	endpoint = server.URL
	store, err = awsstore.New(ctx, awsstore.Options{Region: aws.Region(), EndpointURL: endpoint,
		Credentials: &awsstore.StaticCredentials{AccessKeyID: "AKIATESTS", SecretAccessKey: "x"}})
	Expect(err).NotTo(HaveOccurred())

	api = cluster.Run(GinkgoTB(), cluster.Options{})
	admin, err = client.New(api.AdminConfig(), client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	Expect(api.WriteKubeconfig(filepath.Join(dir, "kubeconfig"), cluster.Context{Name: "admin", Config: api.AdminConfig()})).To(Succeed())
	before = refusal(environment())

	Expect(install.Apply(ctx, api.AdminConfig(), install.Options{})).To(Succeed())
	account, err := api.ServiceAccountConfig(ctx, install.Namespace, install.ServiceAccount)
	Expect(err).NotTo(HaveOccurred())
	Expect(api.WriteKubeconfig(filepath.Join(dir, "kubeconfig"), cluster.Context{Name: "manager", Config: account})).To(Succeed())
})

// environment is the program's whole environment; edits are NAME=value, or NAME
// to leave one out.
func environment(edits ...string) []string {
	all := map[string]string{
		"KUBECONFIG": filepath.Join(dir, "kubeconfig"), "POD_NAMESPACE": install.Namespace, "HOME": dir,
		"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": emulator.DefaultRegion, "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_ACCESS_KEY_ID": "AKIAMANAGER", "AWS_SECRET_ACCESS_KEY": "x",
	}
	for _, edit := range edits {
		name, value, set := strings.Cut(edit, "=")
		delete(all, name)
		if set {
			all[name] = value
		}
	}
	var out []string
	for name, value := range all {
		out = append(out, name+"="+value)
	}
	return out
}

// refusal runs the program until it gives up, and returns its last line.
func refusal(environment []string, args ...string) string {
	GinkgoHelper()
	limited, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(limited, program, append([]string{"--cluster-name=suite", "--metrics-bind-address=0",
		"--health-probe-bind-address=0", "--aws-max-attempts=1", "--leader-elect=false"}, args...)...)
	cmd.Env = environment
	out, err := cmd.CombinedOutput()
	Expect(limited.Err()).NotTo(HaveOccurred(), "it did not give up")
	Expect(err).To(HaveOccurred(), string(out))
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}

// running is a manager that has been started.
type running struct {
	*process.Process
	metrics, health string
}

func start(name string, args ...string) *running {
	GinkgoHelper()
	r := &running{metrics: freeAddress(), health: freeAddress()}
	var err error
	r.Process, err = process.Start(process.Command{Name: name, Path: program, Env: environment(), LogFile: filepath.Join(dir, name+".log"),
		Args: append([]string{"--cluster-name=suite", "--metrics-bind-address=" + r.metrics, "--health-probe-bind-address=" + r.health,
			"--sweep-interval=1s", "--lease-duration=60s", "--renew-deadline=50s"}, args...)})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(r.Stop(context.Background())).To(Succeed()) })
	Eventually(func(g Gomega) {
		g.Expect(r.Running()).To(BeTrue(), process.Tail(r.LogFile()))
		for _, path := range []string{"/healthz", "/readyz"} {
			response, err := http.Get("http://" + r.health + path)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(response.Body.Close()).To(Succeed())
			g.Expect(response.StatusCode).To(Equal(http.StatusOK))
		}
		connection, err := net.Dial("tcp", r.metrics)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(connection.Close()).To(Succeed())
	}).Should(Succeed())
	return r
}

func freeAddress() string {
	GinkgoHelper()
	address, err := cluster.FreeAddress()
	Expect(err).NotTo(HaveOccurred())
	return address
}

// leader is the lease's holder, empty when it is free.
func leader() string {
	GinkgoHelper()
	var lease coordinationv1.Lease
	err := admin.Get(ctx, client.ObjectKey{Namespace: install.Namespace, Name: leaseName}, &lease)
	if client.IgnoreNotFound(err) != nil || lease.Spec.HolderIdentity == nil {
		Expect(client.IgnoreNotFound(err)).To(Succeed())
		return ""
	}
	return *lease.Spec.HolderIdentity
}

// scrape asks for the metrics with a token, if there is one.
func (r *running) scrape(token string) (int, string) {
	GinkgoHelper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+r.metrics+"/metrics", nil)
	Expect(err).NotTo(HaveOccurred())
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	// The certificate is made at each start.
	insecure := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer insecure.CloseIdleConnections()
	response, err := insecure.Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer func() { Expect(response.Body.Close()).To(Succeed()) }()
	body, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())
	return response.StatusCode, string(body)
}

// scraper makes an account and returns its token.
func scraper(name string, mayRead bool) string {
	GinkgoHelper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
	Expect(admin.Create(ctx, account)).To(Succeed())
	if mayRead {
		Expect(admin.Create(ctx, &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "secretreview-metrics-reader"},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: "default", Name: name}},
		})).To(Succeed())
	}
	config, err := api.ServiceAccountConfig(ctx, "default", name)
	Expect(err).NotTo(HaveOccurred())
	return config.BearerToken
}

var _ = Describe("The manager", func() {
	It("gives up with one sentence where it cannot work", func() {
		Expect(before).To(ContainSubstring("install this release's manifests first"))
		Expect(refusal(environment("AWS_REGION"))).To(HavePrefix("manager: no AWS region is known"))
		Expect(refusal(environment("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))).To(And(
			HavePrefix("manager: cannot learn which AWS account this is"), ContainSubstring("sign in to AWS again")))
		Expect(refusal(environment("AWS_ENDPOINT_URL=http://" + freeAddress()))).To(ContainSubstring("cannot be reached"))
		Expect(refusal(environment(), "--aws-account=210987654321")).To(ContainSubstring("--aws-account says 210987654321"))
		Expect(refusal(environment("KUBECONFIG=" + filepath.Join(dir, "none")))).To(HavePrefix("manager: no cluster is known"))
		Expect(refusal(environment("POD_NAMESPACE"))).To(HavePrefix("manager: --namespace is required"))
	})

	It("serves a project under its own account, and shows metrics to those who may read them", func() {
		live := naming.LiveSecret(naming.DefaultPrefix, "api", "production")
		_, err := store.Create(ctx, secretstore.CreateInput{Name: live, VersionID: uuid.NewString(),
			Value: sensitive.New(`{"A":"` + canary + `"}`), Tags: map[string]string{naming.TagOwner: naming.Owner("suite", "default")}})
		Expect(err).NotTo(HaveOccurred())
		project := &v1alpha1.SecretProject{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "api"},
			Spec: v1alpha1.SecretProjectSpec{Environments: []v1alpha1.Environment{{Name: "production"}}}}
		Expect(admin.Create(ctx, project)).To(Succeed())

		m := start("serving")
		Eventually(func(g Gomega) {
			g.Expect(admin.Get(ctx, client.ObjectKeyFromObject(project), project)).To(Succeed())
			g.Expect(meta.IsStatusConditionTrue(project.Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue(), "%+v", project.Status)
			g.Expect(meta.IsStatusConditionTrue(project.Status.Conditions, v1alpha1.ConditionPoliciesInForce)).To(BeTrue())
		}).Should(Succeed())

		reader, other := scraper("reader", true), scraper("other", false)
		status, _ := m.scrape("")
		Expect(status).To(Equal(http.StatusUnauthorized))
		status, body := m.scrape(other)
		Expect(status).To(Equal(http.StatusForbidden))
		Expect(body).NotTo(ContainSubstring("secretreview_"))
		Eventually(func(g Gomega) {
			status, body = m.scrape(reader)
			g.Expect(status).To(Equal(http.StatusOK))
			g.Expect(body).To(And(
				ContainSubstring("secretreview_admission_policies_in_force 1"),
				ContainSubstring(`secretreview_environment_drifted{environment="production",namespace="default",project="api"} 0`),
				ContainSubstring(`secretreview_aws_calls_total{operation="ListSecrets",result="ok"}`),
				ContainSubstring("secretreview_inventory_last_success_timestamp_seconds"),
			))
		}).Should(Succeed())
		Expect(body).NotTo(ContainSubstring(canary))

		log, err := os.ReadFile(m.LogFile())
		Expect(err).NotTo(HaveOccurred())
		Expect(string(log)).NotTo(ContainSubstring(canary))
		lines := bufio.NewScanner(strings.NewReader(string(log)))
		for lines.Scan() {
			Expect(json.Valid(lines.Bytes())).To(BeTrue(), lines.Text())
		}
	})

	It("hands over at once when it is stopped, and shows its state only while it leads", func() {
		first := start("first")
		Eventually(leader).ShouldNot(BeEmpty())
		held := leader()
		second := start("second")
		reader := scraper("second-reader", true)
		_, body := second.scrape(reader)
		Expect(body).NotTo(ContainSubstring("secretreview_admission_policies_in_force"))
		Expect(leader()).To(Equal(held))

		Expect(first.Stop(ctx)).To(Succeed())
		// Unless it was given back, the lease would be held for another minute.
		Eventually(leader, "30s").ShouldNot(Or(BeEmpty(), Equal(held)))
		Eventually(func() string { _, body := second.scrape(reader); return body }).Should(ContainSubstring("secretreview_admission_policies_in_force"))
	})
})
