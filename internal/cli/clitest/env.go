// Package clitest runs commands as people on a real API server and on the
// Secrets Manager emulator over HTTP. No controller runs: tests write status
// themselves.
package clitest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/config"
	"github.com/secretreview/secretreview/test/cluster"
)

// People, each in the group of the same rights in every scene.
const (
	Alice = "alice" // proposer
	Bob   = "bob"   // approver
	Carol = "carol" // approver
	Eve   = "eve"   // nobody
)

// Env is an API server with the CRDs, policies and roles of an installation.
type Env struct {
	Cluster *cluster.Cluster
	// Admin may do anything that admission lets through.
	Admin client.WithWatch

	kubeconfig string
}

// Start starts an Env for a test or, with GinkgoTB(), for a suite.
func Start(t testing.TB) *Env {
	t.Helper()
	e := &Env{Cluster: cluster.Run(t, cluster.Options{})}
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	var err error
	if e.Admin, err = client.NewWithWatch(e.Cluster.AdminConfig(), client.Options{Scheme: scheme}); err != nil {
		t.Fatalf("cannot make a client: %v", err)
	}
	if err := e.install(t.Context()); err != nil {
		t.Fatal(err)
	}
	directory, err := os.MkdirTemp("", "secretreview-clitest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(directory) })
	e.kubeconfig = filepath.Join(directory, "kubeconfig")
	if err := e.writeKubeconfig(); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *Env) install(ctx context.Context) error {
	for _, dir := range []string{config.AdmissionDir, config.CRDDir, config.RBACDir} {
		objects, err := config.Objects(dir)
		if err != nil {
			return err
		}
		for _, object := range objects {
			if object.GetNamespace() != "" {
				continue // the manager's own, which does not run here
			}
			if err := e.Admin.Create(ctx, object); err != nil {
				return fmt.Errorf("cannot install %s %s: %w", object.GetKind(), object.GetName(), err)
			}
		}
	}
	return e.awaitServed(ctx)
}

// awaitServed waits until the API server serves both kinds and the policy
// refuses a change in somebody else's name.
func (e *Env) awaitServed(ctx context.Context) error {
	forged := &v1alpha1.SecretChange{
		ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: "forged"},
		Spec: v1alpha1.SecretChangeSpec{
			Project: Project, Environment: Production, Reason: "a probe", ProposedBy: "somebody-else",
			Rollback: &v1alpha1.RollbackSource{Change: "none"}, BaseVersionID: "00000000-0000-0000-0000-000000000000",
		},
	}
	return poll(ctx, func() bool {
		return e.Admin.List(ctx, &v1alpha1.SecretProjectList{}) == nil &&
			apierrors.IsForbidden(e.Admin.Create(ctx, forged.DeepCopy(), client.DryRunAll))
	})
}

// writeKubeconfig writes a context for each of the people.
func (e *Env) writeKubeconfig() error {
	var contexts []cluster.Context
	for _, name := range []string{Alice, Bob, Carol, Eve} {
		contexts = append(contexts, cluster.Context{Name: name, Config: e.Cluster.UserConfig(name)})
	}
	return e.Cluster.WriteKubeconfig(e.kubeconfig, contexts...)
}
