package argocd_test

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	argocommon "github.com/argoproj/argo-cd/v3/common"
	appcontroller "github.com/argoproj/argo-cd/v3/controller"
	"github.com/argoproj/argo-cd/v3/controller/sharding"
	argov1alpha1 "github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/pkg/client/clientset/versioned"
	"github.com/argoproj/argo-cd/v3/reposerver"
	repoclient "github.com/argoproj/argo-cd/v3/reposerver/apiclient"
	repocache "github.com/argoproj/argo-cd/v3/reposerver/cache"
	repometrics "github.com/argoproj/argo-cd/v3/reposerver/metrics"
	"github.com/argoproj/argo-cd/v3/reposerver/repository"
	"github.com/argoproj/argo-cd/v3/util/argo/normalizers"
	cacheutil "github.com/argoproj/argo-cd/v3/util/cache"
	"github.com/argoproj/argo-cd/v3/util/cache/appstate"
	"github.com/argoproj/argo-cd/v3/util/git"
	kubeutil "github.com/argoproj/argo-cd/v3/util/kube"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/argoproj/argo-cd/v3/util/settings"
	tlsutil "github.com/argoproj/argo-cd/v3/util/tls"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/sirupsen/logrus"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/dev/stack"
)

const (
	argoNamespace = "argocd"
	// applier is the ServiceAccount as which the AppProject of the same name applies: a listed applier.
	applier = "secrets-applier"
	// unlisted is one with the same rights, that the policies do not list.
	unlisted = "another-applier"
	// plain is an AppProject without a ServiceAccount: Argo CD applies with its controller's own, as it does where
	// nothing else is said.
	plain = "plain"
)

// argoCD is a running Argo CD: its application controller, and its repository server.
type argoCD struct {
	versioned.Interface
	cache     *appstate.Cache
	overrides lua.ResourceHealthOverrides
}

func userOf(account string) string { return "system:serviceaccount:" + argoNamespace + ":" + account }

// startArgoCD installs Argo CD's CRDs, accounts and rights from its own manifests, and starts what is needed of it in this
// process, with its files in dir. docs/argocd.md gives accounts the rights that they have here.
func startArgoCD(ctx context.Context, dir string) *argoCD {
	GinkgoHelper()
	found, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/argoproj/argo-cd/v3").Output()
	Expect(err).NotTo(HaveOccurred())
	source := strings.TrimSpace(string(found))
	prepareProcess(dir, source)
	labels := map[string]string{"app.kubernetes.io/part-of": "argocd"}
	create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: argoNamespace}})
	for _, folder := range []string{"crds", "base/application-controller-roles", "cluster-rbac/application-controller"} {
		run(stack.Admin, "kubectl", "apply", "--server-side", "-n", argoNamespace, "-k", filepath.Join(source, "manifests", folder))
	}
	for _, list := range []client.ObjectList{&argov1alpha1.ApplicationList{}, &argov1alpha1.AppProjectList{}} {
		Eventually(func() error { return admin.List(ctx, list) }).Should(Succeed(), "the CRD is served")
	}
	create(ctx,
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: argoNamespace, Name: argocommon.ArgoCDSecretName, Labels: labels}},
		&corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Namespace: argoNamespace, Name: argocommon.ArgoCDConfigMapName, Labels: labels},
			Data: map[string]string{
				"application.sync.impersonation.enabled":  "true",
				"application.sync.impersonation.enforced": "false", // so that the project "plain" applies as the controller
				"cluster.inClusterEnabled":                "false", // this process is in none
			},
		})
	patch, err := filepath.Abs(filepath.Join(gitops, "argocd-cm.yaml"))
	Expect(err).NotTo(HaveOccurred())
	run(stack.Admin, "kubectl", "patch", "configmap", "argocd-cm", "--namespace", "argocd", "--type", "merge", "--patch-file", patch)
	createAppliers(ctx)

	config, err := world.Cluster().ServiceAccountConfig(ctx, argoNamespace, argocommon.DefaultApplicationControllerName)
	Expect(err).NotTo(HaveOccurred())
	addCluster(ctx, "here", config)
	Expect(argov1alpha1.SetK8SConfigDefaults(config)).To(Succeed()) // moves the certificates into a transport
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	DeferCleanup(stop)
	return runController(running, config)
}

// prepareProcess gives Argo CD what its image has: a folder for its copies of repositories, a script that looks at
// signatures of commits, and helm.
func prepareProcess(dir, source string) {
	GinkgoHelper()
	script, err := os.ReadFile(filepath.Join(source, "hack", "git-verify-wrapper.sh"))
	Expect(err).NotTo(HaveOccurred())
	Expect(os.Mkdir(dir, 0o700)).To(Succeed())
	Expect(os.WriteFile(filepath.Join(dir, "git-verify-wrapper.sh"), script, 0o700)).To(Succeed()) //nolint:gosec // it is run
	bin, err := cluster.BinDir()
	Expect(err).NotTo(HaveOccurred())
	helm := filepath.Join(bin, "helm")
	Expect(helm).To(BeAnExistingFile(), "%s is not built: run `make %s`", helm, helm)
	Expect(os.Symlink(helm, filepath.Join(dir, "helm"))).To(Succeed())
	for name, value := range map[string]string{
		"TMPDIR": dir,
		"PATH":   dir + string(os.PathListSeparator) + os.Getenv("PATH"),
		// Nothing here is signed, and there may be no gpg.
		"ARGOCD_GPG_ENABLED": "false",
		// In seconds; by default 2.
		"ARGOCD_SYNC_WAVE_DELAY": "1",
	} {
		Expect(os.Setenv(name, value)).To(Succeed())
	}
}

// runController runs Argo CD's controller as cmd/argocd-application-controller/commands does.
func runController(ctx context.Context, config *rest.Config) *argoCD {
	GinkgoHelper()
	logrus.SetOutput(GinkgoWriter)
	kube, err := kubernetes.NewForConfig(config)
	Expect(err).NotTo(HaveOccurred())
	apps, err := versioned.NewForConfig(config)
	Expect(err).NotTo(HaveOccurred())
	settingsManager := settings.NewSettingsManager(ctx, kube, argoNamespace)
	overrides, err := settingsManager.GetResourceOverrides()
	Expect(err).NotTo(HaveOccurred())
	shards, err := sharding.GetClusterSharding(kube, settingsManager, argocommon.DefaultShardingAlgorithm, false)
	Expect(err).NotTo(HaveOccurred())
	const never = 24 * time.Hour // Argo CD looks when it is told, by a refresh or by an event
	state := appstate.NewCache(cacheutil.NewCache(cacheutil.NewInMemoryCache(time.Hour)), time.Hour)
	controller, err := appcontroller.NewApplicationController(argoNamespace, settingsManager, kube, apps,
		repoclient.NewRepoServerClientset(serveRepositories(ctx), int(patience.Seconds()), tlsutil.Configuration{DisableTLS: true}), nil,
		state, kubeutil.NewKubectl(), never, never, 0, time.Second, nil, 0, 0,
		0, 0, nil, nil, nil, 0, true, shards, nil, nil, false, false, normalizers.IgnoreNormalizerOpts{}, nil, false)
	Expect(err).NotTo(HaveOccurred())
	go controller.Run(ctx, 4, 4, 0)
	return &argoCD{Interface: apps, cache: state, overrides: overrides}
}

// serveRepositories runs Argo CD's repository server, and returns its address.
func serveRepositories(ctx context.Context) string {
	GinkgoHelper()
	size := resource.MustParse("10M")
	server, err := reposerver.NewServer(repometrics.NewMetricsServer(),
		repocache.NewCache(cacheutil.NewCache(cacheutil.NewInMemoryCache(time.Hour)), time.Hour, 0, 0), nil,
		repository.RepoServerInitConstants{
			MaxCombinedDirectoryManifestsSize: size, StreamedManifestMaxExtractedSize: size.Value(), StreamedManifestMaxTarSize: size.Value(),
			EnableBuiltinGitConfig: true,
		}, git.NoopCredsStore{}, "", true)
	Expect(err).NotTo(HaveOccurred())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	serving := server.CreateGRPC()
	go func() { _ = serving.Serve(listener) }()
	context.AfterFunc(ctx, serving.Stop)
	return listener.Addr().String()
}

// createAppliers makes the accounts as which Argo CD applies, and an AppProject for each of them.
func createAppliers(ctx context.Context) {
	GinkgoHelper()
	role := func(kind, name string) rbacv1.RoleRef {
		return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: name}
	}
	configMaps := metav1.ObjectMeta{Namespace: stack.Namespace, Name: "configmaps"}
	create(ctx, &rbacv1.Role{ObjectMeta: configMaps, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"*"}},
	}})
	for _, name := range []string{applier, unlisted} {
		subjects := []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: argoNamespace, Name: name}}
		everywhere := metav1.ObjectMeta{GenerateName: name + "-"}
		team := metav1.ObjectMeta{GenerateName: name + "-", Namespace: stack.Namespace}
		create(ctx,
			&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: argoNamespace, Name: name}},
			&rbacv1.ClusterRoleBinding{ObjectMeta: everywhere, RoleRef: role("ClusterRole", "secretreview-cluster-vouch"), Subjects: subjects},
			&rbacv1.RoleBinding{ObjectMeta: team, RoleRef: role("ClusterRole", "secretreview-gitops-applier"), Subjects: subjects},
			&rbacv1.RoleBinding{ObjectMeta: team, RoleRef: role("Role", configMaps.Name), Subjects: subjects},
			projectOf(name, argov1alpha1.ApplicationDestinationServiceAccount{
				Server: "*", Namespace: stack.Namespace, DefaultServiceAccount: argoNamespace + ":" + name,
			}),
		)
	}
	create(ctx, projectOf(plain))
}

// projectOf is an AppProject that leaves everything to the rights of its accounts.
func projectOf(name string, accounts ...argov1alpha1.ApplicationDestinationServiceAccount) *argov1alpha1.AppProject {
	return &argov1alpha1.AppProject{
		ObjectMeta: metav1.ObjectMeta{Namespace: argoNamespace, Name: name},
		Spec: argov1alpha1.AppProjectSpec{
			SourceRepos:                []string{"*"},
			Destinations:               []argov1alpha1.ApplicationDestination{{Server: "*", Namespace: "*"}},
			ClusterResourceWhitelist:   []argov1alpha1.ClusterResourceRestrictionItem{{Group: "*", Kind: "*"}},
			DestinationServiceAccounts: accounts,
		},
	}
}

// addCluster tells Argo CD how to reach a cluster, under a name.
func addCluster(ctx context.Context, name string, config *rest.Config) {
	GinkgoHelper()
	access, err := json.Marshal(argov1alpha1.ClusterConfig{BearerToken: config.BearerToken, TLSClientConfig: argov1alpha1.TLSClientConfig{
		CAData: config.CAData, CertData: config.CertData, KeyData: config.KeyData,
	}})
	Expect(err).NotTo(HaveOccurred())
	create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: argoNamespace, Name: "cluster-" + name,
			Labels: map[string]string{argocommon.LabelKeySecretType: argocommon.LabelValueSecretTypeCluster},
		},
		StringData: map[string]string{"name": name, "server": config.Host, "config": string(access)},
	})
}

func create(ctx context.Context, objects ...client.Object) {
	GinkgoHelper()
	for _, object := range objects {
		Expect(admin.Create(ctx, object)).To(Succeed())
	}
}
