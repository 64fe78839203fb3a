package argocd_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/sync/common"
	argocommon "github.com/argoproj/argo-cd/v3/common"
	argov1alpha1 "github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/argo"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/secretreview/secretreview/test/dev/stack"
)

// application is an Application with a Git repository of its own.
type application struct {
	name, repository string
}

// newApplication makes an Application of which Git holds these objects. Nothing is synchronized until somebody asks for it,
// unless an option says otherwise.
func newApplication(objects []*unstructured.Unstructured, options ...func(*argov1alpha1.Application)) *application {
	GinkgoHelper()
	a := newRepository()
	a.commit(objects...)
	a.create(options...)
	return a
}

// newRepository is an application that is not there yet, with an empty repository.
func newRepository() *application {
	GinkgoHelper()
	a := &application{name: unique("app"), repository: GinkgoT().TempDir()}
	a.git("init", "--quiet", "--initial-branch=main")
	return a
}

func (a *application) create(options ...func(*argov1alpha1.Application)) {
	GinkgoHelper()
	app := &argov1alpha1.Application{
		ObjectMeta: metav1.ObjectMeta{Namespace: argoNamespace, Name: a.name, Annotations: map[string]string{}},
		Spec: argov1alpha1.ApplicationSpec{
			Project:     applier,
			Source:      &argov1alpha1.ApplicationSource{RepoURL: "file://" + a.repository, TargetRevision: "main", Path: "."},
			Destination: argov1alpha1.ApplicationDestination{Name: "here", Namespace: stack.Namespace},
			SyncPolicy:  &argov1alpha1.SyncPolicy{},
		},
	}
	for _, option := range options {
		option(app)
	}
	_, err := argocd.ArgoprojV1alpha1().Applications(argoNamespace).Create(GinkgoT().Context(), app, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
}

func holding(objects ...*unstructured.Unstructured) []*unstructured.Unstructured { return objects }

// in puts an Application into an AppProject.
func in(project string) func(*argov1alpha1.Application) {
	return func(app *argov1alpha1.Application) { app.Spec.Project = project }
}

// serverSideDiff compares by a dry run of the API server.
func serverSideDiff(app *argov1alpha1.Application) {
	app.Annotations[argocommon.AnnotationCompareOptions] = "ServerSideDiff=true"
}

// automated synchronizes, prunes and heals by itself.
func automated(app *argov1alpha1.Application) {
	prune, heal := true, true
	app.Spec.SyncPolicy.Automated = &argov1alpha1.SyncPolicyAutomated{Prune: &prune, SelfHeal: &heal}
}

// git runs git in the repository.
func (a *application) git(args ...string) {
	GinkgoHelper()
	run(stack.Admin, "git", append([]string{"-C", a.repository, "-c", "user.name=alice", "-c", "user.email=alice@example.com"}, args...)...)
}

// commit makes these objects all that Git holds.
func (a *application) commit(objects ...*unstructured.Unstructured) {
	GinkgoHelper()
	old, err := filepath.Glob(filepath.Join(a.repository, "*.yaml"))
	Expect(err).NotTo(HaveOccurred())
	for _, path := range old {
		Expect(os.Remove(path)).To(Succeed())
	}
	for _, object := range objects {
		text, err := yaml.Marshal(object.Object)
		Expect(err).NotTo(HaveOccurred())
		path := filepath.Join(a.repository, object.GetKind()+"-"+object.GetName()+".yaml")
		Expect(os.WriteFile(path, text, 0o600)).To(Succeed())
	}
	a.git("add", "--all")
	a.git("commit", "--quiet", "--allow-empty", "--message", "because")
}

func (a *application) get() *argov1alpha1.Application {
	GinkgoHelper()
	app, err := argocd.ArgoprojV1alpha1().Applications(argoNamespace).Get(GinkgoT().Context(), a.name, metav1.GetOptions{})
	Expect(err).NotTo(HaveOccurred())
	return app
}

// compare has Argo CD compare Git with what it knows of the cluster, and returns what it shows.
func (a *application) compare() *argov1alpha1.Application {
	GinkgoHelper()
	_, err := argo.RefreshApp(argocd.ArgoprojV1alpha1().Applications(argoNamespace), a.name, argov1alpha1.RefreshTypeNormal, nil)
	Expect(err).NotTo(HaveOccurred())
	var app *argov1alpha1.Application
	Eventually(func() map[string]string {
		app = a.get()
		return app.Annotations
	}).ShouldNot(HaveKey(argov1alpha1.AnnotationKeyRefresh))
	return app
}

// refresh is compare where Argo CD knows each object as the API server has it now. Argo CD also compares whenever an
// object changes, and tells what it knows of the objects apart from what it makes of it: so the answer counts that it
// gives between two moments at which it knew them all.
func (a *application) refresh() *argov1alpha1.Application {
	GinkgoHelper()
	var app *argov1alpha1.Application
	Eventually(func(g Gomega) {
		app = a.compare()
		before := a.known(g, app)
		app = a.compare()
		g.Expect(a.known(g, app)).To(Equal(before))
	}).Should(Succeed())
	return app
}

// known are the versions of the objects that Argo CD compared last, which must be those that the API server has.
func (a *application) known(g Gomega, app *argov1alpha1.Application) map[string]string {
	var compared []*argov1alpha1.ResourceDiff
	g.Expect(argocd.cache.GetAppManagedResources(app.InstanceName(argoNamespace), &compared)).To(Succeed())
	g.Expect(compared).To(HaveLen(len(app.Status.Resources)))
	versions := map[string]string{}
	for _, resource := range compared {
		g.Expect(resource.ResourceVersion).To(Equal(versionOf(resource)), resource.Name)
		versions[resource.Kind+"/"+resource.Name] = resource.ResourceVersion
	}
	return versions
}

// versionOf is the resourceVersion of the object now, empty if there is none.
func versionOf(of *argov1alpha1.ResourceDiff) string {
	GinkgoHelper()
	var state unstructured.Unstructured
	for _, text := range []string{of.LiveState, of.TargetState} {
		if text != "" && text != "null" {
			Expect(json.Unmarshal([]byte(text), &state)).To(Succeed())
			break
		}
	}
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(state.GroupVersionKind())
	err := admin.Get(GinkgoT().Context(), client.ObjectKey{Namespace: of.Namespace, Name: of.Name}, live)
	if apierrors.IsNotFound(err) {
		return ""
	}
	Expect(err).NotTo(HaveOccurred())
	return live.GetResourceVersion()
}

// outOfSync are the names of the objects that differ.
func outOfSync(app *argov1alpha1.Application) []string {
	names := []string{}
	for _, resource := range app.Status.Resources {
		if resource.Status == argov1alpha1.SyncStatusCodeOutOfSync {
			names = append(names, resource.Name)
		}
	}
	slices.Sort(names)
	return names
}

// healthOf is what is shown of one object.
func healthOf(app *argov1alpha1.Application, name string) argov1alpha1.HealthStatus {
	for _, resource := range app.Status.Resources {
		if resource.Name == name && resource.Health != nil {
			return *resource.Health
		}
	}
	return argov1alpha1.HealthStatus{}
}

// begin starts a synchronization that prunes, as somebody does by a button.
func (a *application) begin(options ...string) {
	GinkgoHelper()
	operation := &argov1alpha1.Operation{Sync: &argov1alpha1.SyncOperation{Prune: true, SyncOptions: options}}
	_, err := argo.SetAppOperation(argocd.ArgoprojV1alpha1().Applications(argoNamespace), a.name, operation)
	Expect(err).NotTo(HaveOccurred())
}

// ended waits for the end of the synchronization that is under way.
func (a *application) ended() *argov1alpha1.OperationState {
	GinkgoHelper()
	var state *argov1alpha1.OperationState
	Eventually(func() bool {
		app := a.get()
		state = app.Status.OperationState
		return app.Operation == nil && state != nil && state.Phase.Completed()
	}).Should(BeTrue(), "the synchronization goes on")
	return state
}

// sync synchronizes.
func (a *application) sync() *argov1alpha1.OperationState {
	GinkgoHelper()
	a.begin()
	return a.ended()
}

// synced is sync that must succeed.
func (a *application) synced() *argov1alpha1.OperationState {
	GinkgoHelper()
	state := a.sync()
	Expect(state.Phase).To(Equal(common.OperationSucceeded), state.Message)
	return state
}

// messageOf is what a synchronization says of one object.
func messageOf(state *argov1alpha1.OperationState, name string) string {
	if state.SyncResult == nil {
		return ""
	}
	for _, resource := range state.SyncResult.Resources {
		if resource.Name == name {
			return resource.Message
		}
	}
	return ""
}
