package attack

import (
	"bytes"
	"io"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/secretreview/secretreview/test/e2e/world"
)

// Attackers, beside the people of a team.
const (
	// star has "*" on everything in a team's namespace.
	star = "star"
	// mallory may write everything of ours there, by Kubernetes' own verbs, and has none of ours.
	mallory = "mallory"
)

var everything = rbacv1.PolicyRule{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}}

// ours are Kubernetes' own verbs on our kinds and their subresources.
var ours = rbacv1.PolicyRule{
	APIGroups: []string{"secretreview.dev"}, Resources: []string{"*"},
	Verbs: []string{"get", "list", "watch", "create", "patch", "update", "delete", "deletecollection"},
}

// attacker gives somebody rights in a team's namespace, and returns their shell.
func attacker(team *world.Team, name string, rules ...rbacv1.PolicyRule) *world.Shell {
	GinkgoHelper()
	team.Apply(
		&rbacv1.Role{
			TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "Role"},
			ObjectMeta: metav1.ObjectMeta{Namespace: team.Namespace, Name: "only-" + name}, Rules: rules,
		},
		bound(team, "Role", "only-"+name, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}),
	)
	s := team.As(name)
	Eventually(func() world.Result {
		return s.Kubectl("auth", "can-i", "patch", "secretchanges.secretreview.dev", "-n", team.Namespace)
	}).Should(end(0))
	return s
}

func bound(team *world.Team, kind, role string, subject rbacv1.Subject) *rbacv1.RoleBinding {
	return &rbacv1.RoleBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "RoleBinding"},
		ObjectMeta: metav1.ObjectMeta{Namespace: team.Namespace, Name: role + "-" + subject.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: role},
		Subjects:   []rbacv1.Subject{subject},
	}
}

// clusterwide gives somebody rights in the whole cluster.
func clusterwide(team *world.Team, name string, rules ...rbacv1.PolicyRule) *world.Shell {
	GinkgoHelper()
	team.Apply(
		&rbacv1.ClusterRole{
			TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRole"},
			ObjectMeta: metav1.ObjectMeta{Name: "only-" + name}, Rules: rules,
		},
		&rbacv1.ClusterRoleBinding{
			TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRoleBinding"},
			ObjectMeta: metav1.ObjectMeta{Name: "only-" + name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "only-" + name},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}},
		},
	)
	return team.As(name)
}

// send sends a request's very bytes, which no client has put right before.
func send(user, method, path, contentType, body string) (status int, answer string) {
	GinkgoHelper()
	return sendWith(w.Cluster.UserConfig(user), method, path, contentType, body)
}

func sendWith(config *rest.Config, method, path, contentType, body string) (status int, answer string) {
	GinkgoHelper()
	client, err := rest.HTTPClientFor(config)
	Expect(err).NotTo(HaveOccurred())
	defer client.CloseIdleConnections()
	request, err := http.NewRequest(method, config.Host+path, bytes.NewReader([]byte(body)))
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", contentType)
	response, err := client.Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())
	return response.StatusCode, string(content)
}

// live is what a team's environment holds before an attack.
func live() map[string]string { return map[string]string{"A": w.Secret("a"), "B": w.Secret("b")} }
