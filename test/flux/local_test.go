package flux_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/testserver"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/cluster/process"
	"github.com/secretreview/secretreview/test/dev/stack"
)

// key is in every environment of the specs, with the value first.
const (
	key   = "TOKEN"
	first = "first-token"
)

// local is a local cluster as `make up` starts it, with kustomize-controller on it.
type local struct {
	*stack.Stack
	admin client.Client
	aws   secretstore.Store
	// dir is for what the specs write.
	dir        string
	artifacts  *testserver.ArtifactServer
	controller *process.Process
}

func start(ctx context.Context) *local {
	GinkgoHelper()
	for _, name := range []string{"controller-gen", "sr", controllerName} {
		program(name) // tells early what would fail late
	}
	dir := folder()
	running, err := stack.Start(ctx, stack.Options{
		Dir: filepath.Join(dir, "stack"), GitOpsAppliers: appliers(),
		ManagerArgs: []string{"--sweep-interval=2s"}, // drift shows with the next listing
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func(ctx SpecContext) { Expect(running.Stop(ctx)).To(Succeed()) })
	l := &local{Stack: running, dir: dir, artifacts: &testserver.ArtifactServer{HTTPServer: testserver.NewHTTPServer(GinkgoT().TempDir())}}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, v1alpha1.AddToScheme, sourcev1.AddToScheme, kustomizev1.AddToScheme, helmv2.AddToScheme,
	} {
		Expect(add(scheme)).To(Succeed())
	}
	l.admin, err = client.New(l.Cluster().AdminConfig(), client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	l.aws, err = l.Store(ctx, stack.Admin)
	Expect(err).NotTo(HaveOccurred())
	l.artifacts.Start()
	DeferCleanup(l.artifacts.Stop)
	l.startController(ctx)
	return l
}

// folder is removed at the end unless SECRETREVIEW_KEEP is set.
func folder() string {
	GinkgoHelper()
	dir, err := os.MkdirTemp("", "secretreview-flux-")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error {
		if os.Getenv("SECRETREVIEW_KEEP") != "" {
			return nil
		}
		return os.RemoveAll(dir)
	})
	return dir
}

func (l *local) logs() []string { return append(l.LogFiles(), l.controller.LogFile()) }

// program is the path of one that the Makefile builds.
func program(name string) string {
	GinkgoHelper()
	bin, err := cluster.BinDir()
	Expect(err).NotTo(HaveOccurred())
	path := filepath.Join(bin, name)
	_, err = os.Stat(path)
	Expect(err).NotTo(HaveOccurred(), "%s is not built: run `make %s`", name, path)
	return path
}

// environment adds one to the project, with a live secret, and returns its name.
func (l *local) environment(ctx context.Context, policy v1alpha1.Environment) string {
	GinkgoHelper()
	policy.Name = newName()
	l.createLive(ctx, stack.Project, policy.Name)
	project := &v1alpha1.SecretProject{}
	project.Namespace, project.Name = stack.Namespace, stack.Project
	Eventually(ctx, func() error {
		err := l.admin.Get(ctx, client.ObjectKeyFromObject(project), project)
		project.Spec.Environments = append(project.Spec.Environments, policy)
		return errors.Join(err, l.admin.Update(ctx, project))
	}).Should(Succeed())
	Eventually(ctx, func() ([]v1alpha1.EnvironmentStatus, error) {
		err := l.admin.Get(ctx, client.ObjectKeyFromObject(project), project)
		return project.Status.Environments, err
	}).Should(ContainElement(And(HaveField("Name", policy.Name), HaveField("LiveVersionID", Not(BeEmpty())))))
	return policy.Name
}

// newName is for a project, or an environment of one.
func newName() string { return "n-" + uuid.NewString()[:8] }

func (l *local) createLive(ctx context.Context, project, environment string) {
	GinkgoHelper()
	dev, err := l.aws.Describe(ctx, naming.LiveSecret(naming.DefaultPrefix, stack.Project, "dev"))
	Expect(err).NotTo(HaveOccurred())
	_, err = l.aws.Create(ctx, secretstore.CreateInput{
		Name: naming.LiveSecret(naming.DefaultPrefix, project, environment), VersionID: uuid.NewString(), KMSKeyID: dev.KMSKeyID,
		Value: sensitive.New(`{"` + key + `":"` + first + `"}`),
		Tags:  map[string]string{naming.TagOwner: naming.Owner(stack.ClusterName, stack.Namespace)},
	})
	Expect(err).NotTo(HaveOccurred())
}

// putVersion writes to a live secret past all review.
func (l *local) putVersion(ctx context.Context, project, environment, label string) {
	GinkgoHelper()
	Expect(l.aws.Put(ctx, secretstore.PutInput{
		ID: naming.LiveSecret(naming.DefaultPrefix, project, environment), VersionID: uuid.NewString(),
		Value: sensitive.New(`{}`), Labels: []string{label},
	})).To(Succeed())
}

// awaitProject waits until a condition has a reason.
func (l *local) awaitProject(ctx context.Context, name, condition, reason string) {
	GinkgoHelper()
	Eventually(ctx, func() ([]metav1.Condition, error) {
		project := &v1alpha1.SecretProject{}
		err := l.admin.Get(ctx, client.ObjectKey{Namespace: stack.Namespace, Name: name}, project)
		return project.Status.Conditions, err
	}).Should(ContainElement(And(HaveField("Type", condition), HaveField("Reason", reason))))
}

// live is the value that is live.
func (l *local) live(ctx context.Context, environment string) string {
	GinkgoHelper()
	return l.sr(ctx, stack.Carol, "pull", "-p", stack.Project, "-e", environment, "-o", "-")
}

// sr runs it as one of the people, which must succeed, and returns what it prints.
func (l *local) sr(ctx context.Context, name string, args ...string) string {
	GinkgoHelper()
	return l.run(ctx, name, program("sr"), args...)
}

func (l *local) kubectl(ctx context.Context, name string, args ...string) {
	GinkgoHelper()
	l.run(ctx, name, l.Cluster().Binaries().Kubectl, args...)
}

func (l *local) run(ctx context.Context, name, path string, args ...string) string {
	GinkgoHelper()
	command := exec.CommandContext(ctx, path, args...)
	command.Env = append(l.Env(name), "HOME="+l.dir)
	command.Dir = l.dir
	var said strings.Builder
	command.Stderr = &said
	printed, err := command.Output()
	Expect(err).NotTo(HaveOccurred(), "%s$ %s %s\n%s", name, filepath.Base(path), strings.Join(args, " "), said.String())
	return string(printed)
}

// manifest has alice stage a new value, and returns what sr prints for Git, and the change in it.
func (l *local) manifest(ctx context.Context, environment, value string) (printed string, change *v1alpha1.SecretChange) {
	GinkgoHelper()
	printed = l.sr(ctx, stack.Alice, proposal(environment, value, "yaml")...)
	return printed, parse(printed)
}

func parse(manifest string) *v1alpha1.SecretChange {
	GinkgoHelper()
	change := &v1alpha1.SecretChange{}
	Expect(yaml.UnmarshalStrict([]byte(manifest), change)).To(Succeed())
	return change
}

// propose has alice propose a new value in the cluster itself, and returns the change's name.
func (l *local) propose(ctx context.Context, environment, value string) string {
	GinkgoHelper()
	_, name, _ := strings.Cut(l.sr(ctx, stack.Alice, proposal(environment, value, "name")...), "/")
	return strings.TrimSpace(name)
}

func proposal(environment, value, output string) []string {
	return []string{
		"propose", "-p", stack.Project, "-e", environment, "-r", "Rotate the token", "--set", key + "=" + value, "-o", output,
	}
}

func (l *local) approve(ctx context.Context, name, change string) {
	GinkgoHelper()
	l.sr(ctx, name, "approve", change, "-y", "--no-wait", "-c", "fine")
}

func (l *local) reject(ctx context.Context, name, change string) {
	GinkgoHelper()
	l.sr(ctx, name, "reject", change, "-y", "--no-wait", "-c", "wrong token")
}

// outlast waits until what is decided counts as younger than a change: creation times are in whole seconds, and what is
// decided within the same may be older for as long as the consistency grace, which are minutes.
func (l *local) outlast(ctx context.Context, name string) {
	GinkgoHelper()
	Eventually(time.Now).Should(BeTemporally(">", l.change(ctx, name).CreationTimestamp.Add(2*time.Second)))
}

// change reads one.
func (l *local) change(ctx context.Context, name string) *v1alpha1.SecretChange {
	GinkgoHelper()
	change := &v1alpha1.SecretChange{}
	Expect(l.admin.Get(ctx, client.ObjectKey{Namespace: stack.Namespace, Name: name}, change)).To(Succeed())
	return change
}

// await returns the change once it is in a phase.
func (l *local) await(ctx context.Context, name string, phase v1alpha1.Phase) *v1alpha1.SecretChange {
	GinkgoHelper()
	change := &v1alpha1.SecretChange{}
	Eventually(ctx, func() (v1alpha1.SecretChangeStatus, error) {
		err := l.admin.Get(ctx, client.ObjectKey{Namespace: stack.Namespace, Name: name}, change)
		return change.Status, err
	}).Should(HaveField("Phase", phase))
	return change
}
