package flux_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/cluster/process"
	"github.com/secretreview/secretreview/test/dev/stack"
)

const (
	// system is where Flux is installed.
	system         = "flux-system"
	controllerName = "kustomize-controller"
	// deployer applies what is no change, as examples/flux/changes.yaml has it.
	deployer = "demo-deploy"
	// unlisted has every right that the example's account has, and is missing in the list of appliers.
	unlisted = "unlisted"
)

// fluxTypes are the packages that Flux's CRDs are made from, as its releases do: no module has the files of all.
var fluxTypes = []string{
	"github.com/fluxcd/helm-controller/api/v2",
	"github.com/fluxcd/kustomize-controller/api/v1",
	"github.com/fluxcd/source-controller/api/v1",
}

// startController installs Flux's CRDs, and starts kustomize-controller as Flux does: as a cluster administrator.
func (l *local) startController(ctx context.Context) {
	GinkgoHelper()
	l.installCRDs(ctx)
	for _, object := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: system}},
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: controllerName}},
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: deployer}},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "cluster-reconciler-flux-system"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: system, Name: controllerName}},
		},
		&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: stack.Namespace, Name: deployer},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "edit"},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: system, Name: deployer}},
		},
	} {
		Expect(l.admin.Create(ctx, object)).To(Succeed())
	}
	for _, object := range example("access.yaml") {
		Expect(l.admin.Create(ctx, object.DeepCopy())).To(Succeed())
		object.SetName(unlisted)
		if subjects, has, err := unstructured.NestedSlice(object.Object, "subjects"); has {
			Expect(err).NotTo(HaveOccurred())
			subjects[0].(map[string]any)["name"] = unlisted
			Expect(unstructured.SetNestedSlice(object.Object, subjects, "subjects")).To(Succeed())
		}
		Expect(l.admin.Create(ctx, object)).To(Succeed())
	}
	account, err := l.Cluster().ServiceAccountConfig(ctx, system, controllerName)
	Expect(err).NotTo(HaveOccurred())
	kubeconfig := filepath.Join(l.dir, controllerName+".kubeconfig")
	Expect(l.Cluster().WriteKubeconfig(kubeconfig, cluster.Context{Name: controllerName, Config: account})).To(Succeed())
	scratch := filepath.Join(l.dir, "tmp")
	Expect(os.Mkdir(scratch, 0o700)).To(Succeed())
	l.controller, err = process.Start(process.Command{
		Name: controllerName, Path: program(controllerName), Dir: l.dir, LogFile: filepath.Join(l.dir, controllerName+".log"),
		Args: []string{
			"--metrics-addr=127.0.0.1:0", "--health-addr=127.0.0.1:0", "--no-remote-bases", "--requeue-dependency=1s",
			"--feature-gates=CancelHealthCheckOnNewRevision=true",
			"--concurrent=32", // so many that no spec waits for what an earlier one has left waiting
		},
		Env: []string{"KUBECONFIG=" + kubeconfig, "RUNTIME_NAMESPACE=" + system, "TMPDIR=" + scratch, "HOME=" + l.dir},
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func(ctx SpecContext) {
		Expect(l.controller.Crashed()).To(Succeed())
		Expect(l.controller.Stop(ctx)).To(Succeed())
		said, err := os.ReadFile(l.controller.LogFile())
		Expect(err).NotTo(HaveOccurred())
		Expect(string(said)).NotTo(Or(ContainSubstring(first), ContainSubstring(second)), "Flux knows no value")
	})
}

func (l *local) installCRDs(ctx context.Context) {
	GinkgoHelper()
	dir := GinkgoT().TempDir()
	args := []string{"crd", "output:crd:dir=" + dir}
	for _, types := range fluxTypes {
		args = append(args, "paths="+types)
	}
	output, err := exec.CommandContext(ctx, program("controller-gen"), args...).CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(output))
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	Expect(err).NotTo(HaveOccurred())
	Expect(files).NotTo(BeEmpty())
	for _, file := range files {
		for _, object := range objects(file) {
			Expect(l.admin.Create(ctx, object)).To(Succeed())
		}
	}
	for _, list := range []client.ObjectList{
		&kustomizev1.KustomizationList{}, &sourcev1.GitRepositoryList{}, &sourcev1.OCIRepositoryList{}, &helmv2.HelmReleaseList{},
	} {
		Eventually(ctx, func() error { return l.admin.List(ctx, list) }).Should(Succeed())
	}
}
