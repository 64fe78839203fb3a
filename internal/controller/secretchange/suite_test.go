package secretchange_test

import (
	"context"
	"crypto/rand"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	logzap "sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/controller/index"
	"github.com/secretreview/secretreview/internal/controller/secretchange"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/guard"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/policy"
	"github.com/secretreview/secretreview/internal/secretstore"
	awsstore "github.com/secretreview/secretreview/internal/secretstore/aws"
	"github.com/secretreview/secretreview/internal/secretstore/cache"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/internal/sensitive"
	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/install"
	"github.com/secretreview/secretreview/test/suite"
)

const (
	clusterName = "suite"
	managerKey  = "AKIAMANAGER"
)

var (
	scheme  = runtime.NewScheme()
	ctx     context.Context
	api     *cluster.Cluster
	admin   client.Client
	manager client.Client
	// cached is what the suite's manager has in its cache.
	cached client.Reader
	aws    *emulator.Emulator
	store  *awsstore.Adapter
	// grace is how long the suite's manager waits for what is missing.
	grace = 2 * time.Second
)

func TestSecretChange(t *testing.T) {
	suite.RunWithPolicies(t, "SecretChange controller", func() *cluster.Cluster { return api })
}

type silent struct{}

func (silent) Transition(*v1alpha1.SecretChange, v1alpha1.Phase, v1alpha1.Phase) {}

var _ = BeforeSuite(func() {
	SetDefaultEventuallyTimeout(60 * time.Second)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	ctrl.SetLogger(logzap.New(logzap.WriteTo(GinkgoWriter), logzap.UseDevMode(true)))
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())

	ctx = context.Background()
	api = cluster.Run(GinkgoTB(), cluster.Options{})
	Expect(install.Apply(ctx, api.AdminConfig(), install.Options{})).To(Succeed())
	admin = as(api.AdminConfig())

	aws = emulator.New(emulator.Options{})
	server := httptest.NewServer(aws)
	DeferCleanup(server.Close)
	store = adapter(server.URL, "AKIATESTS")

	account, err := api.ServiceAccountConfig(ctx, install.Namespace, install.ServiceAccount)
	Expect(err).NotTo(HaveOccurred())
	manager = as(account)
	startManager(account, cache.New(adapter(server.URL, managerKey), cache.Options{}))
})

func adapter(url, key string) *awsstore.Adapter {
	GinkgoHelper()
	a, err := awsstore.New(ctx, awsstore.Options{Region: aws.Region(), EndpointURL: url, WritesPerSecond: 1000,
		MaxBackoff: 10 * time.Millisecond, Credentials: &awsstore.StaticCredentials{AccessKeyID: key, SecretAccessKey: "x"}})
	Expect(err).NotTo(HaveOccurred())
	return a
}

func startManager(account *rest.Config, store secretstore.Store) {
	running, cancel := context.WithCancel(ctx)
	mgr, err := ctrl.NewManager(account, ctrl.Options{Scheme: scheme, Logger: ctrl.Log,
		Metrics: metricsserver.Options{BindAddress: "0"}, Controller: config.Controller{SkipNameValidation: new(bool)}})
	Expect(err).NotTo(HaveOccurred())
	cached = mgr.GetCache()
	Expect(index.Register(ctx, mgr.GetFieldIndexer())).To(Succeed())
	watch, err := guard.New(guard.Config{Namespace: install.Namespace, Client: mgr.GetClient(), Reader: mgr.GetAPIReader(),
		Cache: mgr.GetCache(), Interval: time.Second, Log: ctrl.Log})
	Expect(err).NotTo(HaveOccurred())
	broadcaster := mgr.GetEventRecorder("secretreview")
	Expect((&secretchange.Reconciler{
		Client: mgr.GetClient(), Fresh: mgr.GetAPIReader(), Store: store, Guard: watch,
		Recorder: broadcaster.(events.EventRecorder), Clock: clock.RealClock{}, Observer: silent{}, Concurrency: 4,
		Settings: change.Settings{
			Cluster: clusterName, Prefix: naming.DefaultPrefix, Region: aws.Region(), Account: aws.AccountID(),
			Identities: policy.Identities{}, RequireOwnerTag: true,
			ConsistencyGrace: grace, ProjectGrace: grace, NewNonce: uuid.NewString,
		},
	}).SetupWithManager(mgr, watch.Subscribe())).To(Succeed())
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
	c, err := client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	return c
}

// team is a namespace of its own with people, a project and a live secret.
type team struct {
	namespace         string
	alice, bob, carol client.Client
	project           *v1alpha1.SecretProject
	live              string
	changes           int
}

const environment = "production"

// newTeam makes one; edit changes its project before it is created.
func newTeam(values map[string]string, edit func(*v1alpha1.SecretProject)) *team {
	GinkgoHelper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "team-"}}
	Expect(admin.Create(ctx, ns)).To(Succeed())
	t := &team{namespace: ns.Name}
	for user, role := range map[string]string{"alice": "secretreview-proposer", "bob": "secretreview-approver", "carol": "secretreview-approver"} {
		t.grant(user, role)
	}
	t.alice, t.bob, t.carol = as(api.UserConfig("alice")), as(api.UserConfig("bob")), as(api.UserConfig("carol"))
	t.project = &v1alpha1.SecretProject{
		ObjectMeta: metav1.ObjectMeta{Name: "api", Namespace: ns.Name},
		Spec: v1alpha1.SecretProjectSpec{ProjectName: "api-" + ns.Name,
			Environments: []v1alpha1.Environment{{Name: environment}}},
	}
	if edit != nil {
		edit(t.project)
	}
	Expect(admin.Create(ctx, t.project)).To(Succeed())
	t.live = naming.LiveSecret(naming.DefaultPrefix, t.project.EffectiveProjectName(), environment)
	if values != nil {
		_, err := store.Create(ctx, secretstore.CreateInput{Name: t.live, VersionID: uuid.NewString(), Value: encode(doc(values)),
			Tags: map[string]string{naming.TagOwner: naming.Owner(clusterName, ns.Name)}})
		Expect(err).NotTo(HaveOccurred())
		t.report()
	}
	return t
}

// verbs are those that the shipped roles give on a project.
var verbs = map[string]string{
	"secretreview-proposer": v1alpha1.VerbPropose, "secretreview-approver": v1alpha1.VerbApprove, "secretreview-rollbacker": v1alpha1.VerbRollback,
}

// grant binds one of the shipped roles to a user, and waits until the API server has heard of it.
func (t *team) grant(user, role string) {
	GinkgoHelper()
	Expect(admin.Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "test-", Namespace: t.namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: user}},
	})).To(Succeed())
	Expect(api.AwaitRight(ctx, user, authorizationv1.ResourceAttributes{
		Namespace: t.namespace, Verb: verbs[role], Group: v1alpha1.GroupName, Resource: "secretprojects",
	})).To(Succeed())
}

// report writes the status that the project's controller would.
func (t *team) report() {
	GinkgoHelper()
	secret, err := store.Describe(ctx, t.live)
	Expect(err).NotTo(HaveOccurred())
	Expect(manager.Get(ctx, client.ObjectKeyFromObject(t.project), t.project)).To(Succeed())
	t.project.Status = v1alpha1.SecretProjectStatus{ObservedGeneration: t.project.Generation,
		Environments: []v1alpha1.EnvironmentStatus{{Name: environment, SecretName: t.live, SecretARN: secret.ARN,
			LiveVersionID: secret.Current()}}}
	Expect(manager.Status().Update(ctx, t.project)).To(Succeed())
}

func doc(values map[string]string) document.Document {
	out := document.Document{}
	for k, v := range values {
		out[k] = sensitive.New(v)
	}
	return out
}

func encode(d document.Document) sensitive.Value {
	GinkgoHelper()
	value, err := d.Encode()
	Expect(err).NotTo(HaveOccurred())
	return value
}

// liveValues are what AWS serves now.
func (t *team) liveValues() map[string]string {
	version, err := store.Get(ctx, secretstore.GetInput{ID: t.live, Label: secretstore.LabelCurrent})
	Expect(err).NotTo(HaveOccurred())
	parsed, err := document.Parse(version.Value)
	Expect(err).NotTo(HaveOccurred())
	out := map[string]string{}
	for k, v := range parsed {
		out[k] = v.Reveal()
	}
	return out
}

// propose stages what is wanted and creates the change as alice; edit may spoil
// it first.
func (t *team) propose(wanted map[string]string, edit func(*v1alpha1.SecretChange)) *v1alpha1.SecretChange {
	GinkgoHelper()
	t.changes++
	name := "change-" + string(rune('a'+t.changes-1))
	current, err := store.Get(ctx, secretstore.GetInput{ID: t.live, Label: secretstore.LabelCurrent})
	base := document.Document{} // of a secret without any version
	if secretstore.KindOf(err) != secretstore.KindNotFound {
		Expect(err).NotTo(HaveOccurred())
		base, err = document.Parse(current.Value)
		Expect(err).NotTo(HaveOccurred())
	}
	nonce, err := document.NewNonce(rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	id := document.Identity{Cluster: clusterName, Namespace: t.namespace, Project: t.project.EffectiveProjectName(),
		Environment: environment, Change: name}
	value, err := document.Staged{Version: document.StagedVersion, Identity: id, Nonce: nonce,
		Patch: document.NewPatch(base, doc(wanted))}.Encode()
	Expect(err).NotTo(HaveOccurred())
	staged, err := store.Create(ctx, secretstore.CreateInput{
		Name: naming.StagedSecret(naming.DefaultPrefix, id.Project, name), VersionID: uuid.NewString(), Value: value,
		Tags: naming.StagedTags{Cluster: id.Cluster, Namespace: id.Namespace, Project: id.Project,
			Environment: id.Environment, Change: id.Change, KeepUntil: time.Now().Add(time.Hour)}.Map(),
	})
	Expect(err).NotTo(HaveOccurred())
	c := &v1alpha1.SecretChange{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: t.namespace},
		Spec: v1alpha1.SecretChangeSpec{Project: "api", Environment: environment, Reason: "because", ProposedBy: "alice",
			BaseVersionID: v1alpha1.VersionID(current.VersionID),
			Staged: &v1alpha1.StagedSource{SecretARN: staged.ARN, VersionID: v1alpha1.VersionID(staged.VersionID),
				Digest: document.Digest(value)}},
	}
	if edit != nil {
		edit(c)
	}
	Expect(t.alice.Create(ctx, c)).To(Succeed())
	return c
}

// review adds a verdict as its reviewer.
func review(who client.Client, name string, c *v1alpha1.SecretChange, verdict v1alpha1.Verdict) error {
	var now v1alpha1.SecretChange
	if err := who.Get(ctx, client.ObjectKeyFromObject(c), &now); err != nil {
		return err
	}
	now.Spec.Reviews = append(now.Spec.Reviews, v1alpha1.Review{Reviewer: name, Verdict: verdict})
	return who.Update(ctx, &now)
}

func approveAs(who client.Client, name string, c *v1alpha1.SecretChange) {
	GinkgoHelper()
	Eventually(func() error { return review(who, name, c, v1alpha1.VerdictApproved) }).Should(Succeed())
}

// status reads a change as its proposer.
func (t *team) status(c *v1alpha1.SecretChange) func() v1alpha1.SecretChangeStatus {
	return func() v1alpha1.SecretChangeStatus {
		var now v1alpha1.SecretChange
		Expect(t.alice.Get(ctx, client.ObjectKeyFromObject(c), &now)).To(Succeed())
		return now.Status
	}
}

func phase(s v1alpha1.SecretChangeStatus) v1alpha1.Phase { return s.Phase }
func message(s v1alpha1.SecretChangeStatus) string       { return s.Message }

// bePhase matches a status by its phase, and shows the message where it fails.
func bePhase(want v1alpha1.Phase) OmegaMatcher { return WithTransform(phase, Equal(want)) }
func say(part string) OmegaMatcher             { return WithTransform(message, ContainSubstring(part)) }

func (t *team) stagedGone(c *v1alpha1.SecretChange) func() secretstore.Kind {
	return func() secretstore.Kind {
		_, err := store.Describe(ctx, c.Spec.Staged.SecretARN)
		return secretstore.KindOf(err)
	}
}
