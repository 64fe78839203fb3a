// Package argocd_test puts secretreview beside Argo CD: its application controller and its repository server run in this
// process, on a cluster with the manager, and apply what Git repositories hold.
//
// It is Argo CD 3.5.7. The library by which it compares and applies, gitops-engine, is a module of its own, of which the newest
// version of the 3.5 line that can be had is that of 3.5.3.
package argocd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	argocommon "github.com/argoproj/argo-cd/v3/common"
	argov1alpha1 "github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/yaml"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/dev/stack"
	"github.com/secretreview/secretreview/test/suite"
)

// patience is how long anything may take that is waited for.
const patience = 90 * time.Second

var (
	world  *stack.Stack
	argocd *argoCD
	admin  client.Client
	// home is where everybody is at home.
	home  string
	count atomic.Int64
)

func TestArgoCD(t *testing.T) {
	log.SetLogger(GinkgoLogr)
	t.Setenv(argocommon.EnvLogLevel, "error") // of what logs past GinkgoWriter
	suite.Run(t, "Beside Argo CD")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(200 * time.Millisecond)
	dir, err := os.MkdirTemp("", "secretreview-argocd-")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return os.RemoveAll(dir) })
	world, err = stack.Start(ctx, stack.Options{
		Dir:            filepath.Join(dir, "stack"),
		ManagerArgs:    []string{"--sweep-interval=5s", "--consistency-grace=0s", "--project-grace=0s", "--lease-duration=40s", "--renew-deadline=30s"},
		GitOpsAppliers: []string{userOf(applier)},
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func(ctx SpecContext) error { return world.Stop(ctx) })

	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	Expect(argov1alpha1.AddToScheme(scheme)).To(Succeed())
	admin, err = client.New(world.Cluster().AdminConfig(), client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	home = filepath.Join(dir, "home")
	Expect(os.Mkdir(home, 0o700)).To(Succeed())
	argocd = startArgoCD(ctx, filepath.Join(dir, "argocd"))
	proposeExpiring(ctx)
})

func unique(prefix string) string { return fmt.Sprintf("%s-%d", prefix, count.Add(1)) }

// run runs a program as one of the stack's people, which must succeed, and returns what it prints.
func run(who, program string, args ...string) string {
	GinkgoHelper()
	output, err := try(who, program, args...)
	Expect(err).NotTo(HaveOccurred(), "%s %s: %s", program, strings.Join(args, " "), output)
	return output
}

// try is run that may fail; the error tells what the program said.
func try(who, program string, args ...string) (string, error) {
	GinkgoHelper()
	env := append(append(os.Environ(), world.Env(who)...), "HOME="+home)
	path := program
	switch program {
	case "sr":
		bin, err := cluster.BinDir()
		Expect(err).NotTo(HaveOccurred())
		path = filepath.Join(bin, program)
	case "kubectl":
		path = world.Cluster().Binaries().Kubectl
	}
	command := exec.Command(path, args...)
	command.Env, command.Dir = env, home
	var said strings.Builder
	command.Stderr = &said
	output, err := command.Output()
	if err != nil {
		return string(output), fmt.Errorf("%w: %s", err, said.String())
	}
	return string(output), nil
}

// newEnvironment gives the project another environment, with a live secret, and returns its name.
func newEnvironment(ctx context.Context, approvals int, more ...string) string {
	GinkgoHelper()
	name := unique("e")
	createLive(ctx, stack.Project, name)
	environment := fmt.Sprintf(`{"name":%q,"requiredApprovals":%d%s}`, name, approvals, strings.Join(more, ""))
	patch := fmt.Sprintf(`[{"op":"add","path":"/spec/environments/-","value":%s}]`, environment)
	run(stack.Admin, "kubectl", "patch", "sproj", stack.Project, "--type=json", "-p", patch)
	Eventually(func() string {
		project := &v1alpha1.SecretProject{}
		Expect(admin.Get(ctx, client.ObjectKey{Namespace: stack.Namespace, Name: stack.Project}, project)).To(Succeed())
		if status := project.Status.Environment(name); status != nil {
			return status.LiveVersionID
		}
		return ""
	}).ShouldNot(BeEmpty())
	return name
}

// createLive makes a live secret as a platform team would.
func createLive(ctx context.Context, project, environment string) secretstore.Version {
	GinkgoHelper()
	store, err := world.Store(ctx, stack.Admin)
	Expect(err).NotTo(HaveOccurred())
	live, err := store.Create(ctx, secretstore.CreateInput{
		Name: naming.LiveSecret(naming.DefaultPrefix, project, environment), VersionID: uuid.NewString(), Value: sensitive.New(`{"A":"1"}`),
		Tags: map[string]string{naming.TagOwner: naming.Owner(stack.ClusterName, stack.Namespace)},
	})
	Expect(err).NotTo(HaveOccurred())
	return live
}

// fromGit is what alice commits: the manifest that sr prints.
func fromGit(environment string) *unstructured.Unstructured {
	GinkgoHelper()
	printed := run(stack.Alice, "sr", "propose", "-n", stack.Namespace, "-p", stack.Project, "-e", environment,
		"-r", "because", "--set", "A="+uuid.NewString(), "-o", "yaml")
	manifest := &unstructured.Unstructured{}
	Expect(yaml.Unmarshal([]byte(printed), &manifest.Object)).To(Succeed())
	return manifest
}

// withReviews adds reviews to a manifest, as if they had been given in Git.
func withReviews(manifest *unstructured.Unstructured, reviews ...v1alpha1.Review) *unstructured.Unstructured {
	GinkgoHelper()
	var list []any
	text, err := json.Marshal(reviews)
	Expect(err).NotTo(HaveOccurred())
	Expect(json.Unmarshal(text, &list)).To(Succeed())
	changed := manifest.DeepCopy()
	Expect(unstructured.SetNestedSlice(changed.Object, list, "spec", "reviews")).To(Succeed())
	return changed
}

// withAnnotation sets an annotation of a manifest, or takes it away where the value is empty.
func withAnnotation(manifest *unstructured.Unstructured, key, value string) *unstructured.Unstructured {
	changed := manifest.DeepCopy()
	annotations := changed.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = value
	if value == "" {
		delete(annotations, key)
	}
	changed.SetAnnotations(annotations)
	return changed
}

// later is something else that an application deploys, in a later wave than all without one.
func later() *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": unique("later"), "namespace": stack.Namespace},
	}}
	return withAnnotation(object, syncWave, "1")
}

func get(name string) *v1alpha1.SecretChange {
	GinkgoHelper()
	change := &v1alpha1.SecretChange{}
	Expect(admin.Get(GinkgoT().Context(), client.ObjectKey{Namespace: stack.Namespace, Name: name}, change)).To(Succeed())
	return change
}

func exists(object *unstructured.Unstructured) bool {
	GinkgoHelper()
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(object.GroupVersionKind())
	err := admin.Get(GinkgoT().Context(), client.ObjectKeyFromObject(object), live)
	Expect(client.IgnoreNotFound(err)).To(Succeed())
	return err == nil
}

// awaitPhase waits until a change is there, and in a phase.
func awaitPhase(name string, phase v1alpha1.Phase) *v1alpha1.SecretChange {
	GinkgoHelper()
	change := &v1alpha1.SecretChange{}
	Eventually(func() (v1alpha1.Phase, error) {
		err := admin.Get(GinkgoT().Context(), client.ObjectKey{Namespace: stack.Namespace, Name: name}, change)
		return change.Status.Phase, err
	}).Should(Equal(phase))
	return change
}

// approve and reject review a change in the cluster, as sr does it.
func approve(who, change string) {
	GinkgoHelper()
	run(who, "sr", "approve", change, "-n", stack.Namespace, "-y", "--no-wait")
}

func reject(who, change string) {
	GinkgoHelper()
	run(who, "sr", "reject", change, "-n", stack.Namespace, "-y", "-c", "not like this")
}

func reviewers(change *v1alpha1.SecretChange) []string {
	var names []string
	for _, review := range change.Spec.Reviews {
		names = append(names, review.Reviewer)
	}
	return names
}
