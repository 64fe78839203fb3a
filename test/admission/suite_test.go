// Package admission tries the shipped policies, CRDs and roles on a real API server, as people with different rights.
package admission

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/guard"
	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/install"
	"github.com/secretreview/secretreview/test/suite"
)

// team is the namespace in which everybody has their rights; elsewhere they have none.
const team = "team"

var (
	server *cluster.Cluster
	scheme = runtime.NewScheme()
	mapper meta.RESTMapper
	admin  client.Client
	// names are what the policies under test list.
	names = guard.Options{
		Appliers:                 []string{argo, flux},
		BackupAccounts:           []string{velero},
		ReviewingServiceAccounts: []string{reviewBot},
		ProposingServiceAccounts: []string{flux},
		SessionEnforcedRoles:     []string{"arn:aws:iam::123456789012:role/team/Enforced"},
	}
)

func TestAdmission(t *testing.T) {
	suite.RunWithPolicies(t, "Admission", func() *cluster.Cluster { return server })
}

var _ = BeforeSuite(func(ctx context.Context) {
	log.SetLogger(GinkgoLogr)
	SetDefaultEventuallyTimeout(time.Minute)
	SetDefaultEventuallyPollingInterval(100 * time.Millisecond)
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(apiextensionsv1.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())

	server = cluster.Run(GinkgoTB(), cluster.Options{ControllerManager: true, AuditLog: true})
	Expect(install.Apply(ctx, server.AdminConfig(), install.Options{Guard: names})).To(Succeed())
	var err error
	admin, err = client.New(server.AdminConfig(), client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	mapper = admin.RESTMapper()

	Expect(admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: team}})).To(Succeed())
	giveRights(ctx)
})
