package disaster_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/controller/rewind"
	"github.com/secretreview/secretreview/internal/guard"
	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/cluster/process"
	"github.com/secretreview/secretreview/test/install"
)

const (
	// clusterName is that of every cluster here: the new one takes the place of the lost one.
	clusterName = "production-cluster"
	namespace   = "team"
	project     = "api"
	veleroUser  = "system:serviceaccount:velero:velero"
)

// site is a cluster and its manager. Several share an AWS account.
type site struct {
	aws        *account
	dir        string
	cluster    *cluster.Cluster
	admin      client.Client
	alice      client.Client
	velero     client.Client
	manager    *process.Process
	kubeconfig map[string]string
}

// newSite starts a cluster with everything on it but a project.
func newSite(aws *account) *site {
	GinkgoHelper()
	ctx := context.Background()
	s := &site{aws: aws, dir: GinkgoT().TempDir(), cluster: cluster.Run(GinkgoTB(), cluster.Options{}), kubeconfig: map[string]string{}}
	scheme := runtime.NewScheme()
	Expect(errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme))).To(Succeed())
	var err error
	s.admin, err = client.New(s.cluster.AdminConfig(), client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	s.alice, err = client.New(s.cluster.UserConfig("alice"), client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	Expect(install.Apply(ctx, s.cluster.AdminConfig(), install.Options{Guard: guard.Options{BackupAccounts: []string{veleroUser}}})).To(Succeed())
	s.grant(ctx)
	s.velero, err = client.New(s.account(ctx, "velero", "velero"), client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	for name, config := range map[string]*rest.Config{
		"admin": s.cluster.AdminConfig(), "alice": s.cluster.UserConfig("alice"), "bob": s.cluster.UserConfig("bob"), "carol": s.cluster.UserConfig("carol"), "dave": s.cluster.UserConfig("dave"),
		"manager": s.account(ctx, install.Namespace, install.ServiceAccount),
	} {
		s.kubeconfig[name] = filepath.Join(s.dir, name+".kubeconfig")
		Expect(s.cluster.WriteKubeconfig(s.kubeconfig[name], cluster.Context{Name: name, Namespace: namespace, Config: config})).To(Succeed())
	}
	s.startManager()
	DeferCleanup(func() { s.stopManager() })
	return s
}

func (s *site) account(ctx context.Context, namespace, name string) *rest.Config {
	GinkgoHelper()
	config, err := s.cluster.ServiceAccountConfig(ctx, namespace, name)
	Expect(err).NotTo(HaveOccurred())
	return config
}

// grant makes the namespaces, gives people their roles, and Velero what its installation gives it.
func (s *site) grant(ctx context.Context) {
	GinkgoHelper()
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "velero"}},
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "velero", Name: "velero"}},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "velero"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: "velero", Name: "velero"}},
		},
	}
	for role, people := range map[string][]string{"secretreview-proposer": {"alice"}, "secretreview-approver": {"bob", "carol", "dave"}} {
		binding := &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: role},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		}
		for _, name := range people {
			binding.Subjects = append(binding.Subjects, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name})
		}
		objects = append(objects, binding)
	}
	for _, object := range objects {
		Expect(s.admin.Create(ctx, object)).To(Succeed())
	}
}

// startManager starts the manager that make build has built, and returns when it is at work. It does not wait for the lease of
// one that was killed to expire.
func (s *site) startManager() {
	GinkgoHelper()
	Expect(s.admin.DeleteAllOf(context.Background(), &coordinationv1.Lease{}, client.InNamespace(install.Namespace))).To(Succeed())
	metrics, health := freeAddress(), freeAddress()
	var err error
	s.manager, err = process.Start(process.Command{
		Name: "manager", Path: binary("manager"), Dir: s.dir, LogFile: filepath.Join(s.dir, "manager.log"),
		Args: []string{
			"--cluster-name=" + clusterName, "--backup-accounts=" + veleroUser,
			// Shorter than in a real cluster, but long enough for a restore to bring a status after its object.
			"--sweep-interval=2s", "--sweep-grace=0s", "--consistency-grace=5s",
			// A manager that loses its lease ends, and nobody here starts it again: a busy machine must not cost it.
			"--lease-duration=100s", "--renew-deadline=90s",
			"--metrics-bind-address=" + metrics, "--health-probe-bind-address=" + health,
		},
		Env: append(s.aws.environment("manager"), "KUBECONFIG="+s.kubeconfig["manager"], "POD_NAMESPACE="+install.Namespace, "HOME="+s.dir),
	})
	Expect(err).NotTo(HaveOccurred())
	Eventually(func() error {
		if !s.manager.Running() {
			return StopTrying("the manager has ended").Wrap(s.manager.Exited())
		}
		response, err := http.Get("http://" + health + "/readyz")
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode != http.StatusOK {
			return errors.New(response.Status)
		}
		return nil
	}).Should(Succeed())
}

func (s *site) stopManager() {
	GinkgoHelper()
	if s.manager.Running() {
		Expect(s.manager.Stop(context.Background())).To(Succeed())
	}
}

func freeAddress() string {
	GinkgoHelper()
	address, err := cluster.FreeAddress()
	Expect(err).NotTo(HaveOccurred())
	return address
}

// binary is a program that a target of the Makefile builds.
func binary(name string) string {
	GinkgoHelper()
	dir, err := cluster.BinDir()
	Expect(err).NotTo(HaveOccurred())
	path := filepath.Join(dir, name)
	_, err = os.Stat(path)
	Expect(err).NotTo(HaveOccurred(), "%s is not built: run `make build`", name)
	return path
}

// run has somebody run a program that has to succeed, and returns what it prints.
func (s *site) run(who, program string, args ...string) string {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary(program), args...)
	cmd.Dir = s.dir
	cmd.Env = append(s.aws.environment(who), "KUBECONFIG="+s.kubeconfig[who], "HOME="+s.dir)
	var out, notes bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &notes
	err := cmd.Run()
	Expect(err).NotTo(HaveOccurred(), fmt.Sprintf("%s: %s %s\n%s%s", who, program, strings.Join(args, " "), out.String(), notes.String()))
	return out.String()
}

// write writes until the manager must have looked at the cluster's revision since, as a cluster does in the hours after a
// backup.
func (s *site) write() {
	GinkgoHelper()
	ctx := context.Background()
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "busy"}}
	Expect(s.admin.Create(ctx, object)).To(Succeed())
	for until, i := time.Now().Add(2*rewind.DefaultInterval), 0; time.Now().Before(until); i++ {
		object.Data = map[string]string{"count": strconv.Itoa(i)}
		Expect(s.admin.Update(ctx, object)).To(Succeed())
	}
}
