package argocd_test

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"

	argov1alpha1 "github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/dev/stack"
	"github.com/secretreview/secretreview/test/install"
)

// Argo CD sorts the objects of a wave by kind: CRDs early, and kinds that it does not know, which policies are, last.
var _ = DescribeTable("Argo CD applies the admission policies", func(ctx SpecContext, wave string, first bool) {
	fresh := cluster.Run(GinkgoTB(), cluster.Options{AuditLog: true})
	objects, err := install.Objects(install.Options{})
	Expect(err).NotTo(HaveOccurred())
	for i, object := range objects {
		if object.GroupVersionKind().Group == "admissionregistration.k8s.io" {
			objects[i] = withAnnotation(object, syncWave, wave)
		}
	}
	name := unique("fresh")
	addCluster(ctx, name, fresh.AdminConfig())
	app := newApplication(objects, in(plain), func(app *argov1alpha1.Application) { app.Spec.Destination.Name = name })
	DeferCleanup(func(ctx SpecContext) {
		// Argo CD would watch the cluster for ever, and keep its API server from ending.
		Expect(admin.Delete(ctx, &argov1alpha1.Application{ObjectMeta: metav1.ObjectMeta{Namespace: argoNamespace, Name: app.name}})).To(Succeed())
		run(stack.Admin, "kubectl", "delete", "secret", "--namespace", argoNamespace, "cluster-"+name)
	})
	app.synced()
	order := created(fresh.AuditLogFile())
	for _, kind := range []string{"validatingadmissionpolicies", "validatingadmissionpolicybindings"} {
		Expect(order).To(ContainElements(kind, "customresourcedefinitions"))
		if first {
			Expect(lastIndex(order, kind)).To(BeNumerically("<", slices.Index(order, "customresourcedefinitions")))
		} else {
			Expect(slices.Index(order, kind)).To(BeNumerically(">", lastIndex(order, "customresourcedefinitions")))
		}
	}
},
	Entry("after the CRDs, if nothing is said", "", false),
	Entry("before the CRDs, if they are in an earlier wave", "-1", true),
)

// created are the resources of all objects that the API server has created, in their order.
func created(auditLog string) []string {
	GinkgoHelper()
	content, err := os.ReadFile(auditLog)
	Expect(err).NotTo(HaveOccurred())
	var resources []string
	for line := range strings.Lines(string(content)) {
		var event auditv1.Event
		Expect(json.Unmarshal([]byte(line), &event)).To(Succeed())
		if event.ResponseStatus != nil && event.ResponseStatus.Code == http.StatusCreated && event.ObjectRef != nil {
			resources = append(resources, event.ObjectRef.Resource)
		}
	}
	return resources
}

func lastIndex(names []string, name string) int {
	for i, found := range slices.Backward(names) {
		if found == name {
			return i
		}
	}
	return -1
}
