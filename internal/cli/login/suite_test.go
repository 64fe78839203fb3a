package login_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/test/suite"
)

var env *clitest.Env

// patience is for a machine with much else to do.
const patience = 30 * time.Second

func TestSettingUp(t *testing.T) {
	SetDefaultEventuallyTimeout(patience)
	suite.Run(t, "sr init, configure and login")
}

var _ = BeforeSuite(func() { env = clitest.Start(GinkgoTB()) })

func write(s *clitest.Session, name, content string) {
	GinkgoHelper()
	Expect(os.WriteFile(filepath.Join(s.Dir, name), []byte(content), 0o600)).To(Succeed())
}

func read(s *clitest.Session, name string) string {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join(s.Dir, name))
	Expect(err).NotTo(HaveOccurred())
	return string(content)
}

// grant gives somebody rights in the scene's namespace, each as "verbs:resource",
// and waits until the API server's authorizer knows the last of them.
func grant(scene *clitest.Scene, user string, rights ...string) {
	GinkgoHelper()
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: scene.Namespace, Name: "of-" + user}}
	last := authorizationv1.ResourceAttributes{Namespace: scene.Namespace, Group: v1alpha1.GroupName}
	for _, right := range rights {
		verbs, resource, _ := strings.Cut(right, ":")
		rule := rbacv1.PolicyRule{APIGroups: []string{v1alpha1.GroupName}, Resources: []string{resource}, Verbs: strings.Split(verbs, ",")}
		role.Rules = append(role.Rules, rule)
		last.Verb = rule.Verbs[0]
		last.Resource, last.Subresource, _ = strings.Cut(resource, "/")
	}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: role.ObjectMeta,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	}
	Expect(scene.Admin.Create(context.Background(), role)).To(Succeed())
	Expect(scene.Admin.Create(context.Background(), binding)).To(Succeed())
	Eventually(func() bool {
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: user, ResourceAttributes: &last}}
		return scene.Admin.Create(context.Background(), review) == nil && review.Status.Allowed
	}).Should(BeTrue())
}

// replaced replaces a part of a text that must be there.
func replaced(text, part, by string) string {
	GinkgoHelper()
	Expect(text).To(ContainSubstring(part))
	return strings.ReplaceAll(text, part, by)
}
