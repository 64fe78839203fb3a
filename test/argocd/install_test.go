package argocd_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	argov1alpha1 "github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/dev/stack"
	"github.com/secretreview/secretreview/test/install"
)

var _ = Describe("A cluster on which Argo CD installs secretreview", func() {
	var fresh *cluster.Cluster
	var app *application
	var there func(*argov1alpha1.Application)

	BeforeEach(func(ctx SpecContext) {
		fresh = cluster.Run(GinkgoTB(), cluster.Options{AuditLog: true, ControllerManager: true})
		name := unique("fresh")
		addCluster(ctx, name, fresh.AdminConfig())
		app = newRepository()
		there = func(a *argov1alpha1.Application) {
			a.Spec.Project = plain
			a.Spec.Destination = argov1alpha1.ApplicationDestination{Name: name, Namespace: install.Namespace}
		}
		DeferCleanup(func(ctx SpecContext) {
			// Argo CD would watch the cluster for ever, and keep its API server from ending.
			Expect(admin.Delete(ctx, &argov1alpha1.Application{ObjectMeta: metav1.ObjectMeta{Namespace: argoNamespace, Name: app.name}})).To(Succeed())
			run(stack.Admin, "kubectl", "delete", "secret", "--namespace", argoNamespace, "cluster-"+name)
		})
	})

	// Argo CD sorts the objects of a wave by kind: CRDs early, and kinds that it does not know, which policies are, last.
	DescribeTable("gets the admission policies", func(wave string, first bool) {
		objects, err := install.Objects(install.Options{})
		Expect(err).NotTo(HaveOccurred())
		for i, object := range objects {
			if object.GroupVersionKind().Group == "admissionregistration.k8s.io" {
				objects[i] = withAnnotation(object, syncWave, wave)
			}
		}
		app.commit(objects...)
		app.create(there)
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

	It("gets the chart, and stays in sync with it", func() {
		values, err := json.Marshal(map[string]any{"clusterName": "fresh", "aws": map[string]any{"region": "eu-central-1"}})
		Expect(err).NotTo(HaveOccurred())
		Expect(os.CopyFS(filepath.Join(app.repository, "chart"), os.DirFS("../../charts/secretreview"))).To(Succeed())
		app.commit()
		app.create(there, func(a *argov1alpha1.Application) {
			a.Spec.Source.Path = "chart"
			a.Spec.Source.Helm = &argov1alpha1.ApplicationSourceHelm{ReleaseName: "secretreview", ValuesObject: &runtime.RawExtension{Raw: values}}
			a.Spec.SyncPolicy.SyncOptions = argov1alpha1.SyncOptions{"CreateNamespace=true"}
		})
		app.begin("CreateNamespace=true")
		state := app.ended()
		Expect(state.Phase).To(BeEquivalentTo("Succeeded"), "%s: %v", state.Message, state.SyncResult)
		Eventually(func(g Gomega) {
			status := app.compare()
			g.Expect(status.Status.Conditions).To(BeEmpty())
			g.Expect(outOfSync(status)).To(BeEmpty())
			g.Expect(status.Status.Sync.Status).To(Equal(argov1alpha1.SyncStatusCodeSynced))
			g.Expect(status.Status.Resources).To(ContainElements(
				HaveField("Name", "secretchanges.secretreview.dev"), HaveField("Name", "secretreview-identity"), HaveField("Kind", "Deployment")))
		}).Should(Succeed())
	})
})

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
