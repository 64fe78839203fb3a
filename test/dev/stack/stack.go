package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/guard"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/cluster/process"
	"github.com/secretreview/secretreview/test/install"
)

// What the story is about.
const (
	// ClusterName is the manager's --cluster-name, and stands in the owner tags of live secrets.
	ClusterName = "local"
	// Namespace is where the project and its changes are, and the default of every kubeconfig context.
	Namespace = "demo"
	// Project is the SecretProject, under the same name in AWS.
	Project = "backend-api"
	// Region is where the emulator pretends to be.
	Region = "us-east-1"
)

// Options say what to start.
type Options struct {
	// Dir is where everything is kept: keys, data, logs. It must be empty or absent, and stays after Stop.
	Dir string
	// KubernetesVersion is as in cluster.Options.
	KubernetesVersion string
	// ManagerArgs are added to the manager's flags.
	ManagerArgs []string
	// Principals may call AWS, beside People and the manager.
	Principals []emulator.Principal
	// GitOpsAppliers are user names that the policies list as appliers. The manager is told of them, too.
	GitOpsAppliers []string
	// Progress is told what is being done next, in a few words. Nil means nobody is.
	Progress func(step string)
}

// Stack is everything, running.
type Stack struct {
	dir         string
	bin         string
	managerArgs []string
	principals  []emulator.Principal
	appliers    []string
	progress    func(string)

	cluster  *cluster.Cluster
	admin    client.Client
	emulator *process.Process
	endpoint string
	manager  *manager
}

// Start starts everything and returns when the manager has accepted the project. ctx limits the start alone; the
// caller must Stop the stack, and its programs die with this process anyway. When it fails it leaves nothing
// running, but the logs.
func Start(ctx context.Context, options Options) (*Stack, error) {
	bin, err := cluster.BinDir()
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(options.Dir)
	if err != nil {
		return nil, fmt.Errorf("cannot tell where %s is: %w", options.Dir, err)
	}
	s := &Stack{
		dir: dir, bin: bin, managerArgs: options.ManagerArgs, principals: options.Principals, appliers: options.GitOpsAppliers, progress: options.Progress,
	}
	for _, name := range s.appliers {
		s.managerArgs = append(slices.Clip(s.managerArgs), "--gitops-appliers="+name)
	}
	if s.progress == nil {
		s.progress = func(string) {}
	}
	if err := s.start(ctx, options.KubernetesVersion); err != nil {
		return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	return s, nil
}

func (s *Stack) start(ctx context.Context, version string) error {
	if err := s.checkBuilt(); err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("cannot make the folder of the local cluster: %w", err)
	}
	steps := []struct {
		name string
		run  func(context.Context) error
	}{
		{"starting etcd, kube-apiserver and kube-controller-manager", func(ctx context.Context) error { return s.startCluster(ctx, version) }},
		{"starting the Secrets Manager emulator", s.startEmulator},
		{"putting live secrets into it", s.seed},
		{"installing policies, CRDs and roles", s.install},
		{"giving alice, bob and carol their rights", s.grant},
		{"writing kubeconfig and AWS profiles", s.writeAccess},
		{"starting the manager", s.startManager},
		{"creating the project " + Project + " and waiting for the manager to accept it", s.createProject},
	}
	for _, step := range steps {
		s.progress(step.name)
		if err := step.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// checkBuilt tells early what would fail late.
func (s *Stack) checkBuilt() error {
	for _, name := range []string{emulatorName, managerName, "sr"} {
		if _, err := os.Stat(filepath.Join(s.bin, name)); err != nil {
			return fmt.Errorf("%s is not built in %s: run `make build`", name, s.bin)
		}
	}
	return nil
}

func (s *Stack) startCluster(ctx context.Context, version string) error {
	var err error
	s.cluster, err = cluster.Start(ctx, cluster.Options{
		KubernetesVersion: version,
		Dir:               s.file("cluster"),
		AuditLog:          true,
		ControllerManager: true,
	})
	if err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return fmt.Errorf("cannot register the API's types: %w", err)
	}
	s.admin, err = client.New(s.cluster.AdminConfig(), client.Options{Scheme: scheme})
	if err != nil {
		return fmt.Errorf("cannot make an administrator's client: %w", err)
	}
	return nil
}

func (s *Stack) install(ctx context.Context) error {
	return install.Apply(ctx, s.cluster.AdminConfig(), install.Options{Guard: guard.Options{Appliers: s.appliers}})
}

// Cluster is the Kubernetes cluster of the stack.
func (s *Stack) Cluster() *cluster.Cluster { return s.cluster }

// Endpoint is the emulator's URL.
func (s *Stack) Endpoint() string { return s.endpoint }

// LogFiles are the logs of all programs of the stack.
func (s *Stack) LogFiles() []string {
	return append(s.cluster.LogFiles(), s.logFile(emulatorName), s.logFile(managerName))
}

// KillManager ends the manager at once, as a node's failure would. It is started again, as a Deployment would.
func (s *Stack) KillManager() error { return s.manager.kill() }

// Stop stops everything. It may be called again.
func (s *Stack) Stop(ctx context.Context) error {
	var err error
	if s.manager != nil {
		err = s.manager.stop(ctx)
	}
	if s.emulator != nil {
		err = errors.Join(err, s.emulator.Stop(ctx))
	}
	if s.cluster != nil {
		err = errors.Join(err, s.cluster.Stop()) // it must stop also when ctx has ended
	}
	return err
}

func (s *Stack) file(name string) string { return filepath.Join(s.dir, name) }

func (s *Stack) logFile(program string) string { return s.file(program + ".log") }
