package secretproject_test

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	logzap "sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/controller/index"
	"github.com/secretreview/secretreview/internal/controller/inventory"
	"github.com/secretreview/secretreview/internal/controller/metrics"
	"github.com/secretreview/secretreview/internal/controller/secretchange"
	"github.com/secretreview/secretreview/internal/controller/secretproject"
	"github.com/secretreview/secretreview/internal/controller/slim"
	trimmer "github.com/secretreview/secretreview/internal/controller/trim"
	"github.com/secretreview/secretreview/internal/guard"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/policy"
	"github.com/secretreview/secretreview/internal/project"
	"github.com/secretreview/secretreview/internal/secretstore"
	awsstore "github.com/secretreview/secretreview/internal/secretstore/aws"
	storecache "github.com/secretreview/secretreview/internal/secretstore/cache"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/install"
	"github.com/secretreview/secretreview/test/suite"
)

const (
	clusterName = "suite"
	managerKey  = "AKIAMANAGER"
	// interval is how often the suite's manager takes the inventory.
	interval = 500 * time.Millisecond
)

var (
	scheme = runtime.NewScheme()
	ctx    context.Context
	api    *cluster.Cluster
	admin  client.Client
	// manager acts as the manager's ServiceAccount, beside it.
	manager  client.Client
	aws      *emulator.Emulator
	store    *awsstore.Adapter
	registry = prometheus.NewPedanticRegistry()
)

func TestSecretProject(t *testing.T) {
	suite.Run(t, "SecretProject controller, inventory, sweep and trimming")
}

var _ = BeforeSuite(func() {
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	ctrl.SetLogger(logzap.New(logzap.WriteTo(GinkgoWriter), logzap.UseDevMode(true)))
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())

	ctx = context.Background()
	api = cluster.Run(GinkgoTB(), cluster.Options{})
	Expect(install.Apply(ctx, api.AdminConfig(), install.Options{})).To(Succeed())
	admin = as(api.AdminConfig())
	appointAdministrator()

	aws = emulator.New(emulator.Options{})
	server := httptest.NewServer(aws)
	DeferCleanup(server.Close)
	store = adapter(server.URL, "AKIATESTS")

	account, err := api.ServiceAccountConfig(ctx, install.Namespace, install.ServiceAccount)
	Expect(err).NotTo(HaveOccurred())
	manager = as(account)
	startManager(account, storecache.New(adapter(server.URL, managerKey), storecache.Options{}))
})

func adapter(url, key string) *awsstore.Adapter {
	GinkgoHelper()
	a, err := awsstore.New(ctx, awsstore.Options{Region: aws.Region(), EndpointURL: url, WritesPerSecond: 1000, MaxAttempts: 2,
		MaxBackoff: 10 * time.Millisecond, Credentials: &awsstore.StaticCredentials{AccessKeyID: key, SecretAccessKey: "x"}})
	Expect(err).NotTo(HaveOccurred())
	return a
}

// startManager runs what the manager does, but sooner.
func startManager(account *rest.Config, store secretstore.Store) {
	running, cancel := context.WithCancel(ctx)
	mgr, err := ctrl.NewManager(account, ctrl.Options{Scheme: scheme, Logger: ctrl.Log,
		Cache: cache.Options{DefaultTransform: cache.TransformStripManagedFields(),
			ByObject: map[client.Object]cache.ByObject{&v1alpha1.SecretChange{}: {Transform: slim.Change}}},
		Metrics: metricsserver.Options{BindAddress: "0"}, Controller: config.Controller{SkipNameValidation: ptr.To(true)}})
	Expect(err).NotTo(HaveOccurred())
	Expect(index.Register(ctx, mgr.GetFieldIndexer())).To(Succeed())
	watch, err := guard.New(guard.Config{Namespace: install.Namespace, Client: mgr.GetClient(), Reader: mgr.GetAPIReader(),
		Cache: mgr.GetCache(), Interval: time.Second, Log: ctrl.Log})
	Expect(err).NotTo(HaveOccurred())
	counters, err := metrics.New(registry)
	Expect(err).NotTo(HaveOccurred())
	Expect(metrics.AddState(ctx, mgr, registry, watch)).To(Succeed())
	recorder := mgr.GetEventRecorder("secretreview")

	Expect((&secretchange.Reconciler{
		Client: mgr.GetClient(), Fresh: mgr.GetAPIReader(), Store: store, Guard: watch,
		Recorder: recorder, Clock: clock.RealClock{}, Observer: counters, Concurrency: 4,
		Settings: change.Settings{
			Cluster: clusterName, Prefix: naming.DefaultPrefix, Region: aws.Region(), Account: aws.AccountID(),
			Identities: policy.Identities{}, RequireOwnerTag: true,
			ConsistencyGrace: time.Second, ProjectGrace: time.Second, NewNonce: uuid.NewString,
		},
	}).SetupWithManager(mgr, watch.Subscribe())).To(Succeed())

	settings := project.Settings{Cluster: clusterName, Prefix: naming.DefaultPrefix, Region: aws.Region(), RequireOwnerTag: true}
	suspects := &secretproject.Suspects{}
	watcher := secretproject.NewWatcher(mgr.GetClient(), clock.RealClock{}, settings, suspects)
	loop := &inventory.Loop{
		Store: store, Prefix: naming.DefaultPrefix, Interval: interval, OutageGrace: interval, Clock: clock.RealClock{},
		Observer: counters, OutageChanged: watcher.OutageChanged,
		Consumers: []inventory.Consumer{
			watcher,
			&inventory.Sweeper{Cache: mgr.GetClient(), Fresh: mgr.GetAPIReader(), Store: store, Guard: watch, Clock: clock.RealClock{},
				Observer: counters, Cluster: clusterName, Prefix: naming.DefaultPrefix, MaxActions: 2},
			&trimmer.Trimmer{Client: mgr.GetClient(), Guard: watch, Recorder: recorder, Clock: clock.RealClock{},
				Observer: counters, Prefix: naming.DefaultPrefix},
		},
	}
	Expect(mgr.Add(loop)).To(Succeed())
	Expect((&secretproject.Reconciler{
		Client: mgr.GetClient(), Store: store, Guard: watch, Recorder: recorder, Clock: clock.RealClock{},
		Settings: settings, Inventory: loop, Suspects: suspects, Concurrency: 4,
	}).SetupWithManager(mgr, watcher, watch.Subscribe())).To(Succeed())
	Expect(mgr.Add(watch)).To(Succeed())

	done := make(chan struct{})
	go func() {
		defer GinkgoRecover()
		defer close(done)
		Expect(mgr.Start(running)).To(Succeed())
	}()
	DeferCleanup(func() {
		cancel()
		Eventually(done).Should(BeClosed())
	})
}

func as(config *rest.Config) client.Client {
	GinkgoHelper()
	c, err := client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	return c
}
