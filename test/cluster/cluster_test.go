package cluster_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/secretreview/secretreview/test/cluster"
)

func TestClusterKnowsItsUsersAndKeepsItsDataOverARestart(t *testing.T) {
	g := NewWithT(t)
	c := cluster.Run(t, cluster.Options{AuditLog: true})
	ctx := t.Context()
	admin := client(g, c.AdminConfig())

	_, err := admin.CoreV1().Namespaces().Create(ctx, namespace("team"), metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred(), "the administrator makes a namespace")

	alice := client(g, c.UserConfig("alice", "developers"))
	_, err = alice.CoreV1().ConfigMaps("team").List(ctx, metav1.ListOptions{})
	g.Expect(apierrors.IsForbidden(err)).To(BeTrue(), "a user without rights is refused, got %v", err)

	bind(ctx, g, admin, rbacv1.Subject{Kind: rbacv1.GroupKind, APIGroup: rbacv1.GroupName, Name: "developers"})
	g.Eventually(ctx, func() error {
		_, err := alice.CoreV1().ConfigMaps("team").List(ctx, metav1.ListOptions{})
		return err
	}).WithTimeout(time.Minute).Should(Succeed(), "a right given to her group is hers")

	_, err = admin.CoreV1().ServiceAccounts("team").Create(ctx,
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "robot"}}, metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	config, err := c.ServiceAccountConfig(ctx, "team", "robot")
	g.Expect(err).NotTo(HaveOccurred())
	robot := client(g, config)
	_, err = robot.CoreV1().ConfigMaps("team").List(ctx, metav1.ListOptions{})
	g.Expect(apierrors.IsForbidden(err)).To(BeTrue(), "a ServiceAccount without rights is refused, got %v", err)
	g.Expect(err).To(MatchError(ContainSubstring("system:serviceaccount:team:robot")), "it is known by its token")

	_, err = c.ServiceAccountConfig(ctx, "team", "nobody")
	g.Expect(err).To(MatchError(ContainSubstring("team/nobody")))

	g.Expect(c.RestartAPIServer(ctx)).To(Succeed())
	_, err = alice.CoreV1().ConfigMaps("team").List(ctx, metav1.ListOptions{})
	g.Expect(err).NotTo(HaveOccurred(), "the port, the users, their rights and the data are still there")

	log, err := os.ReadFile(c.AuditLogFile())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(log)).To(ContainSubstring(`"username":"alice"`))

	g.Expect(c.StopAPIServer(ctx)).To(Succeed())
	_, err = admin.CoreV1().Namespaces().Get(ctx, "team", metav1.GetOptions{})
	g.Expect(err).To(HaveOccurred(), "nobody answers during an outage")
}

func TestARestoredClusterIsAsItWasWhenItWasBackedUp(t *testing.T) {
	g := NewWithT(t)
	c := cluster.Run(t, cluster.Options{})
	ctx := t.Context()
	admin := client(g, c.AdminConfig())
	backup := filepath.Join(t.TempDir(), "backup")

	before, err := admin.CoreV1().Namespaces().Create(ctx, namespace("before"), metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Backup(ctx, backup)).To(Succeed())
	_, err = admin.CoreV1().Namespaces().Create(ctx, namespace("since"), metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred(), "it goes on after the backup")

	for range 2 {
		g.Expect(c.Restore(ctx, backup)).To(Succeed())
		restored, err := admin.CoreV1().Namespaces().Get(ctx, "before", metav1.GetOptions{})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(restored.UID).To(Equal(before.UID))
		_, err = admin.CoreV1().Namespaces().Get(ctx, "since", metav1.GetOptions{})
		g.Expect(apierrors.IsNotFound(err)).To(BeTrue(), "got %v", err)
	}
}

func TestKubeconfigHasAContextForEveryUser(t *testing.T) {
	g := NewWithT(t)
	c := cluster.Run(t, cluster.Options{})
	path := filepath.Join(t.TempDir(), "config")
	g.Expect(c.WriteKubeconfig(path,
		cluster.Context{Name: "admin", Config: c.AdminConfig()},
		cluster.Context{Name: "eve", Namespace: "team", Config: c.UserConfig("eve")},
	)).To(Succeed())

	info, err := os.Stat(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(info.Mode().Perm()).To(Equal(fs.FileMode(0o600)))

	for name, want := range map[string]struct{ namespace, user string }{
		"":      {namespace: "default", user: "admin"},
		"admin": {namespace: "default", user: "admin"},
		"eve":   {namespace: "team", user: "eve"},
	} {
		loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
			&clientcmd.ClientConfigLoadingRules{ExplicitPath: path}, &clientcmd.ConfigOverrides{CurrentContext: name})
		namespace, _, err := loader.Namespace()
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(namespace).To(Equal(want.namespace))
		config, err := loader.ClientConfig()
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(whoAmI(t.Context(), g, config)).To(Equal(want.user))
	}
}

func TestControllerManagerCollectsGarbageAndEmptiesNamespaces(t *testing.T) {
	g := NewWithT(t)
	c := cluster.Run(t, cluster.Options{ControllerManager: true})
	ctx := t.Context()
	admin := client(g, c.AdminConfig())
	_, err := admin.CoreV1().Namespaces().Create(ctx, namespace("doomed"), metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())

	owner, err := admin.CoreV1().ConfigMaps("doomed").Create(ctx, configMap("owner"), metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	owned := configMap("owned")
	owned.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID}}
	_, err = admin.CoreV1().ConfigMaps("doomed").Create(ctx, owned, metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())

	g.Expect(admin.CoreV1().ConfigMaps("doomed").Delete(ctx, "owner", metav1.DeleteOptions{})).To(Succeed())
	g.Eventually(ctx, func() bool {
		_, err := admin.CoreV1().ConfigMaps("doomed").Get(ctx, "owned", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	}).WithTimeout(time.Minute).Should(BeTrue(), "what a deleted object owned goes too")

	g.Expect(admin.CoreV1().Namespaces().Delete(ctx, "doomed", metav1.DeleteOptions{})).To(Succeed())
	g.Eventually(ctx, func() bool {
		_, err := admin.CoreV1().Namespaces().Get(ctx, "doomed", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	}).WithTimeout(time.Minute).Should(BeTrue(), "a deleted namespace ends")
}

func TestStartFailsWithASentenceAndLeavesNothing(t *testing.T) {
	tests := map[string]struct {
		prepare func(t *testing.T) cluster.Options
		want    string
	}{
		"programs that are not built": {
			prepare: func(t *testing.T) cluster.Options {
				t.Setenv("SECRETREVIEW_BIN", t.TempDir())
				return cluster.Options{KubernetesVersion: "1.33"}
			},
			want: "run `make tools K8S_VERSION=1.33`",
		},
		"a folder in use": {
			prepare: func(t *testing.T) cluster.Options {
				dir := t.TempDir()
				if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600); err != nil {
					t.Fatal(err)
				}
				return cluster.Options{Dir: dir}
			},
			want: "is not empty",
		},
		"a flag that the API server does not know": {
			prepare: func(*testing.T) cluster.Options {
				return cluster.Options{APIServerArgs: []string{"--no-such-flag"}}
			},
			want: "unknown flag: --no-such-flag",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			temporary := t.TempDir()
			t.Setenv("TMPDIR", temporary)
			options := test.prepare(t)
			c, err := cluster.Start(t.Context(), options)
			if err == nil {
				t.Fatal(errors.Join(errors.New("it started"), c.Stop()))
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %q lacks %q", err, test.want)
			}
			if left, err := filepath.Glob(filepath.Join(temporary, "secretreview-*")); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
}

func client(g *WithT, config *rest.Config) *kubernetes.Clientset {
	client, err := kubernetes.NewForConfig(config)
	g.Expect(err).NotTo(HaveOccurred())
	return client
}

func whoAmI(ctx context.Context, g *WithT, config *rest.Config) string {
	review, err := client(g, config).AuthenticationV1().SelfSubjectReviews().Create(ctx, selfSubjectReview(), metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	return review.Status.UserInfo.Username
}

func bind(ctx context.Context, g *WithT, admin kubernetes.Interface, subject rbacv1.Subject) {
	_, err := admin.RbacV1().Roles("team").Create(ctx, &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Name: "viewers"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"list"}}},
	}, metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = admin.RbacV1().RoleBindings("team").Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "viewers"},
		Subjects:   []rbacv1.Subject{subject},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "viewers"},
	}, metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
}
