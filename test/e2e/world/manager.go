package world

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/cluster/process"
	"github.com/secretreview/secretreview/test/install"
)

// Manager is the manager's process, which can be killed and started again.
type Manager struct {
	world *World
	name  string
	// container is the one of the chart's Deployment; user is its account's name.
	container corev1.Container
	user      string
	// deprived are the parts of the audit log in which it lacked rights on purpose.
	deprived []span
	process  *process.Process
	metrics  string
	health   string
	// path is another program than the built one, and env what it gets beside the container's environment.
	path string
	env  []string
}

// newManager starts a manager as the chart would: with its arguments, and a token of its ServiceAccount.
func newManager(ctx context.Context, w *World) (*Manager, error) {
	deployed, err := w.deployed(ctx)
	if err != nil {
		return nil, err
	}
	pod := deployed.Spec.Template.Spec
	account, err := w.Cluster.ServiceAccountConfig(ctx, install.Namespace, pod.ServiceAccountName)
	if err != nil {
		return nil, err
	}
	err = w.Cluster.WriteKubeconfig(w.file("manager.kubeconfig"), cluster.Context{Name: ManagerAccount, Namespace: install.Namespace, Config: account})
	if err != nil {
		return nil, err
	}
	m := &Manager{
		world: w, name: "manager", container: pod.Containers[0],
		user: "system:serviceaccount:" + install.Namespace + ":" + pod.ServiceAccountName,
	}
	return m, m.start()
}

// StartStandby starts another manager, which waits for the lease of the first.
func (w *World) StartStandby() *Manager {
	ginkgo.GinkgoHelper()
	m := &Manager{world: w, name: "standby", container: w.Manager.container, user: w.Manager.user}
	gomega.Expect(m.start()).To(gomega.Succeed())
	ginkgo.DeferCleanup(m.stopAll)
	return m
}

// start returns once the manager is healthy.
func (m *Manager) start() error {
	if err := m.launch(); err != nil {
		return err
	}
	return until(func() (bool, error) {
		if !m.process.Running() {
			return false, m.process.Exited()
		}
		response, err := http.Get(m.health)
		if err != nil {
			return false, nil //nolint:nilerr // it does not listen yet
		}
		return response.StatusCode == http.StatusOK, response.Body.Close()
	})
}

// launch returns once the manager runs.
func (m *Manager) launch() error {
	metrics, err := cluster.FreeAddress()
	if err != nil {
		return err
	}
	health, err := cluster.FreeAddress()
	if err != nil {
		return err
	}
	w := m.world
	started, err := process.Start(process.Command{
		Name: m.name, Path: cmp.Or(m.path, w.program(cmp.Or(w.release.Manager, "manager"))), Dir: w.dir, LogFile: filepath.Join(w.file("logs"), m.name+".log"),
		// Of a flag that is given twice, the last one counts.
		Args: append(slices.Clone(m.container.Args), "--metrics-bind-address="+metrics, "--health-probe-bind-address="+health),
		Env: append(slices.Concat(w.environment(), m.environment(), m.env),
			"KUBECONFIG="+w.file("manager.kubeconfig"),
			"HOME="+w.tempDir(),
			"AWS_ACCESS_KEY_ID="+ManagerAccount,
			"AWS_SECRET_ACCESS_KEY="+w.Secret("key-of-the-manager"),
		),
	})
	if err != nil {
		return err
	}
	m.process, m.metrics, m.health = started, "https://"+metrics+"/metrics", "http://"+health+"/readyz"
	return nil
}

// environment is the container's.
func (m *Manager) environment() []string {
	var all []string
	for _, variable := range m.container.Env {
		value := variable.Value
		if variable.ValueFrom != nil {
			value = install.Namespace // the one field that the chart asks for
		}
		all = append(all, variable.Name+"="+value)
	}
	return all
}

// Crashed tells how the manager has died, if nobody stopped or killed it.
func (m *Manager) Crashed() error {
	if m.process == nil {
		return nil
	}
	return m.process.Crashed()
}

// Kill ends the manager at once, as a power cut would.
func (m *Manager) Kill() {
	ginkgo.GinkgoHelper()
	gomega.Expect(m.process.Kill()).To(gomega.Succeed())
}

// Stop asks the manager to end.
func (m *Manager) Stop() {
	ginkgo.GinkgoHelper()
	gomega.Expect(m.process.Stop(context.Background())).To(gomega.Succeed())
}

// Start starts the manager again after Kill or Stop, and returns once it is at work. It does not wait for a killed one's
// lease to expire.
func (m *Manager) Start() {
	ginkgo.GinkgoHelper()
	m.lead(m.start)
}

// StartUnready is Start for a manager that finds something which keeps it from becoming ready.
func (m *Manager) StartUnready() {
	ginkgo.GinkgoHelper()
	m.lead(m.launch)
}

// lead starts the manager, and returns once it leads.
func (m *Manager) lead(start func() error) {
	ginkgo.GinkgoHelper()
	admin := m.world.Person(Admin).Shell()
	result := admin.Kubectl("delete", "lease", "--all", "-n", install.Namespace)
	gomega.Expect(result.Code).To(gomega.BeZero(), result.Err)
	gomega.Expect(start()).To(gomega.Succeed())
	gomega.Eventually(m.LeaseHolder).WithTimeout(Patience).ShouldNot(gomega.BeEmpty())
}

// Become ends the manager and starts another program in its place until the running spec ends or the returned function is
// called, with more in its environment and a log of its own. "" is the built program.
func (m *Manager) Become(path string, env ...string) (restore func()) {
	ginkgo.GinkgoHelper()
	become := func(name, path string, env []string) {
		ginkgo.GinkgoHelper()
		m.Kill()
		m.name, m.path, m.env = name, path, env
		m.Start()
	}
	name := m.name
	become("other-"+name, path, env)
	restored := false
	restore = func() {
		ginkgo.GinkgoHelper()
		if !restored {
			restored = true
			become(name, "", nil)
		}
	}
	ginkgo.DeferCleanup(restore)
	return restore
}

// End ends it by a signal, and returns how it ended.
func (m *Manager) End(signal syscall.Signal) syscall.WaitStatus {
	ginkgo.GinkgoHelper()
	status, err := m.process.End(signal)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return status
}

// stopAll also works where the manager was never started.
func (m *Manager) stopAll(ctx context.Context) error {
	if m.process == nil {
		return nil
	}
	return m.process.Stop(ctx)
}

// LeaseHolder says who holds the managers' lease, "" if nobody does.
func (m *Manager) LeaseHolder() string {
	ginkgo.GinkgoHelper()
	result := m.world.Person(Admin).Shell().Kubectl("get", "lease", "secretreview-manager", "-n", install.Namespace, "--ignore-not-found", "-o", "jsonpath={.spec.holderIdentity}")
	gomega.Expect(result.Code).To(gomega.BeZero(), result.Err)
	return result.Out
}

// Revive starts the manager where it has ended by itself, as a Deployment would.
func (m *Manager) Revive() {
	ginkgo.GinkgoHelper()
	if !m.process.Running() {
		m.Start()
	}
}

// Log is what the manager has written so far, over all its lives.
func (m *Manager) Log() string {
	ginkgo.GinkgoHelper()
	content, err := os.ReadFile(m.process.LogFile())
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return string(content)
}

// Scrape asks for the metrics with a bearer token, which may be empty.
func (m *Manager) Scrape(token string) (status int, body string) {
	ginkgo.GinkgoHelper()
	response, err := m.scrape(token)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return response.StatusCode, string(content)
}

func (m *Manager) scrape(token string) (*http.Response, error) {
	request, err := http.NewRequest(http.MethodGet, m.metrics, nil)
	if err != nil {
		return nil, err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	// The manager signs its certificate itself where it is given none.
	client := &http.Client{Timeout: Patience, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true,
	}}
	return client.Do(request)
}

// Knock has the manager find out whether the account that may scrape may, whatever comes of it.
func (m *Manager) Knock() {
	ginkgo.GinkgoHelper()
	if response, err := m.scrape(m.world.ServiceAccountToken(install.Namespace, scraper)); err == nil {
		_ = response.Body.Close()
	}
}

// Metrics scrapes as the account that may.
func (m *Manager) Metrics() string {
	ginkgo.GinkgoHelper()
	status, body := m.Scrape(m.world.ServiceAccountToken(install.Namespace, scraper))
	gomega.Expect(status).To(gomega.Equal(http.StatusOK), body)
	return body
}

// trusts says whether the manager has found the admission policies in force, as far as it can be asked.
func (m *Manager) trusts() bool {
	ginkgo.GinkgoHelper()
	response, err := m.scrape(m.world.ServiceAccountToken(install.Namespace, scraper))
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	return err == nil && bytes.Contains(content, []byte("secretreview_admission_policies_in_force 1\n"))
}

const scraper = "scraper"

// scraperObjects are the account that may read metrics.
func scraperObjects() []client.Object {
	return []client.Object{
		&corev1.ServiceAccount{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"},
			ObjectMeta: metav1.ObjectMeta{Namespace: install.Namespace, Name: scraper},
		},
		clusterBinding("secretreview-metrics-reader", rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: install.Namespace, Name: scraper}),
	}
}

// ServiceAccountToken returns a token of a ServiceAccount that exists.
func (w *World) ServiceAccountToken(namespace, name string) string {
	ginkgo.GinkgoHelper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	account, err := w.Cluster.ServiceAccountConfig(ctx, namespace, name)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return account.BearerToken
}
