package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/secretstore/aws"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/cluster/process"
	"github.com/secretreview/secretreview/test/install"
)

const (
	clusterName = "measured"
	namespace   = "team"
	region      = "us-east-1"
	// managerKey is the manager's access key, and so its name in the emulator.
	managerKey = "manager"

	// pollInterval is how often it is looked whether something has happened. Looking takes processor time, too.
	pollInterval = 100 * time.Millisecond
	longestPause = 2 * time.Second
	// patience is long: other work may have the machine.
	patience = 15 * time.Minute
	// unlimited is more writes a second than anybody makes.
	unlimited = 100_000
)

// site is everything, running. Each section has its own, so that none finds what another has left.
type site struct {
	dir, bin          string
	cluster           *cluster.Cluster
	emulator, manager *process.Process
	endpoint          string
	// metrics, health and profiling are where the manager serves them, scraper the token of who may read its metrics.
	metrics, health, profiling, scraper string

	admin, alice, bob client.Client
	kube              *kubernetes.Clientset
	store             secretstore.Store
}

// open starts everything but the manager.
func (b *bench) open(ctx context.Context) (*site, error) {
	bin, err := cluster.BinDir()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(b.dir, "site-")
	if err != nil {
		return nil, err
	}
	s := &site{dir: dir, bin: bin}
	for _, step := range []func(context.Context) error{s.startCluster, s.startEmulator, s.grant} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, s.stop())
		}
	}
	b.report.Machine.Kubernetes = s.cluster.Binaries().Version
	return s, nil
}

// with opens a site, starts its manager with flags, and stops all when do has returned.
func (b *bench) with(ctx context.Context, flags []string, do func(*site) error) (err error) {
	s, err := b.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := s.startManager(ctx, flags...); err != nil {
		return err
	}
	return do(s)
}

// stop also works where not everything was started.
func (s *site) stop() error {
	ctx := context.Background()
	var err error
	for _, p := range []*process.Process{s.manager, s.emulator} {
		if p != nil {
			err = errors.Join(err, p.Stop(ctx))
		}
	}
	if s.cluster != nil {
		err = errors.Join(err, s.cluster.Stop())
	}
	return err
}

func (s *site) file(name string) string { return filepath.Join(s.dir, name) }

func (s *site) startCluster(ctx context.Context) error {
	var err error
	if s.cluster, err = cluster.Start(ctx, cluster.Options{Dir: s.file("cluster")}); err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return err
	}
	for config, who := range map[*rest.Config]*client.Client{
		s.cluster.AdminConfig(): &s.admin, s.cluster.UserConfig("alice"): &s.alice, s.cluster.UserConfig("bob"): &s.bob,
	} {
		if *who, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
			return err
		}
	}
	if s.kube, err = kubernetes.NewForConfig(s.cluster.AdminConfig()); err != nil {
		return err
	}
	return install.Apply(ctx, s.cluster.AdminConfig(), install.Options{})
}

func (s *site) startEmulator(ctx context.Context) error {
	address := s.file("emulator.address")
	var err error
	s.emulator, err = process.Start(process.Command{
		Name: "emulator", Path: filepath.Join(s.bin, "emulator"), LogFile: s.file("emulator.log"),
		Args: []string{"-region", region, "-address-file", address},
	})
	if err != nil {
		return err
	}
	err = s.until(ctx, s.emulator, func(context.Context) (bool, error) {
		content, err := os.ReadFile(address)
		s.endpoint = strings.TrimSpace(string(content))
		return err == nil, nil
	})
	if err != nil {
		return err
	}
	s.store, err = aws.New(ctx, aws.Options{Region: region, EndpointURL: s.endpoint, WritesPerSecond: unlimited,
		Credentials: &aws.StaticCredentials{AccessKeyID: "admin", SecretAccessKey: "x"}})
	return err
}

// until polls as long as a program runs.
func (s *site) until(ctx context.Context, program *process.Process, done wait.ConditionWithContextFunc) error {
	return wait.PollUntilContextTimeout(ctx, pollInterval, patience, true, func(ctx context.Context) (bool, error) {
		if !program.Running() {
			return false, program.Exited()
		}
		return done(ctx)
	})
}

// patiently polls the less often the longer it takes: metrics of hundreds of environments are work, too.
func (s *site) patiently(ctx context.Context, done wait.ConditionWithContextFunc) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for pause := pollInterval; ; pause = min(pause*6/5, longestPause) {
		if !s.manager.Running() {
			return s.manager.Exited()
		}
		if ok, err := done(ctx); ok || err != nil {
			return err
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

func (s *site) grant(ctx context.Context) error {
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}},
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "scraper"}},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "scraper"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "secretreview-metrics-reader"},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: "scraper"}},
		},
	}
	for role, name := range map[string]string{"secretreview-proposer": "alice", "secretreview-approver": "bob"} {
		objects = append(objects, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: role},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}},
		})
	}
	for _, object := range objects {
		if err := s.admin.Create(ctx, object); err != nil {
			return err
		}
	}
	account, err := s.cluster.ServiceAccountConfig(ctx, namespace, "scraper")
	if err != nil {
		return err
	}
	s.scraper = account.BearerToken
	if account, err = s.cluster.ServiceAccountConfig(ctx, install.Namespace, install.ServiceAccount); err != nil {
		return err
	}
	return s.cluster.WriteKubeconfig(s.file("manager.kubeconfig"), cluster.Context{Name: "manager", Namespace: install.Namespace, Config: account})
}

// startManager starts it with the flags that it ships with, but for those that are given, and returns when it leads and is
// ready.
func (s *site) startManager(ctx context.Context, flags ...string) error {
	var addresses [3]string
	for i := range addresses {
		var err error
		if addresses[i], err = cluster.FreeAddress(); err != nil {
			return err
		}
	}
	s.metrics, s.health, s.profiling = "https://"+addresses[0]+"/metrics", "http://"+addresses[1]+"/readyz", "http://"+addresses[2]
	var err error
	s.manager, err = process.Start(process.Command{
		Name: "manager", Path: filepath.Join(s.bin, "manager"), LogFile: s.file("manager.log"),
		Args: append([]string{
			"--cluster-name=" + clusterName, "--metrics-bind-address=" + addresses[0], "--health-probe-bind-address=" + addresses[1],
			"--pprof-bind-address=" + addresses[2],
			// A busy machine must not cost it its lease.
			"--lease-duration=100s", "--renew-deadline=90s",
		}, flags...),
		Env: []string{
			"KUBECONFIG=" + s.file("manager.kubeconfig"), "POD_NAMESPACE=" + install.Namespace, "HOME=" + s.dir,
			"AWS_ENDPOINT_URL=" + s.endpoint, "AWS_REGION=" + region, "AWS_ACCESS_KEY_ID=" + managerKey, "AWS_SECRET_ACCESS_KEY=x",
		},
	})
	if err != nil {
		return err
	}
	return s.until(ctx, s.manager, s.leads)
}

// leads reports whether the manager's cache is synced, and it leads, and has found the admission policies in force.
func (s *site) leads(ctx context.Context) (bool, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.health, nil)
	if err != nil {
		return false, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false, nil //nolint:nilerr // it does not listen yet
	}
	if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusOK {
		return false, err
	}
	m, err := s.managerMetrics(ctx)
	return err == nil && m.sum("secretreview_admission_policies_in_force") == 1, nil
}

// restart stops the manager in good order, which lets go of its lease, and starts another.
func (s *site) restart(ctx context.Context, flags ...string) error {
	if err := s.manager.Stop(ctx); err != nil {
		return err
	}
	return s.startManager(ctx, flags...)
}

// ask speaks to the emulator's administration paths.
func (s *site) ask(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, s.endpoint+emulator.AdminPath+path, strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the emulator answers %s to %s %s", response.Status, method, path)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(out)
}

// calls are those to AWS since the last forgetCalls.
func (s *site) calls(ctx context.Context) (calls []emulator.Call, err error) {
	err = s.ask(ctx, http.MethodGet, "calls", nil, &calls)
	return calls, err
}

func (s *site) forgetCalls(ctx context.Context) error {
	return s.ask(ctx, http.MethodDelete, "calls", nil, nil)
}

// slow has every call to AWS take that long; 0 is as fast as it goes.
func (s *site) slow(ctx context.Context, delay time.Duration) error {
	if err := s.ask(ctx, http.MethodDelete, "faults", nil, nil); err != nil || delay == 0 {
		return err
	}
	return s.ask(ctx, http.MethodPost, "faults", map[string]any{"kind": emulator.FaultDelay, "delay": delay.String()}, nil)
}
