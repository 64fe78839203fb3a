package world

import (
	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Accounts of GitOps controllers. Both have the same rights; the installation lists the Applier alone.
const (
	gitopsNamespace = "gitops"
	Applier         = "applier"
	Unlisted        = "unlisted"
)

func gitopsUser(account string) string {
	return "system:serviceaccount:" + gitopsNamespace + ":" + account
}

// GitOps returns a Shell with the token of a GitOps controller's account, which may propose, approve and vouch in the team's
// namespace.
func (t *Team) GitOps(account string) *Shell {
	ginkgo.GinkgoHelper()
	subject := rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: gitopsNamespace, Name: account}
	objects := []client.Object{
		&corev1.Namespace{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}, ObjectMeta: metav1.ObjectMeta{Name: gitopsNamespace}},
		&corev1.ServiceAccount{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"}, ObjectMeta: metav1.ObjectMeta{Namespace: gitopsNamespace, Name: account},
		},
	}
	for _, role := range []string{"secretreview-gitops-applier", "secretreview-approver"} {
		binding := t.binding(role)
		binding.Name, binding.Subjects = role+"-"+account, []rbacv1.Subject{subject}
		objects = append(objects, binding)
	}
	vouch := clusterBinding("secretreview-cluster-vouch", subject)
	vouch.Name += "-" + account
	t.Apply(append(objects, vouch)...)
	s := t.Person(account).Shell().WithToken(t.ServiceAccountToken(gitopsNamespace, account))
	gomega.Eventually(func() int {
		return s.Kubectl("auth", "can-i", "vouch", "secretprojects.secretreview.dev/"+t.Namespace+"/"+t.Project).Code
	}).WithTimeout(Patience).Should(gomega.BeZero())
	return s
}
