package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/secretreview/secretreview/test/cluster/process"
)

// startTimeout limits one start of the whole cluster or of its API server. It is long because all packages'
// tests share two cores in CI; a start takes a few seconds on an idle machine.
const startTimeout = 3 * time.Minute

// Options says what cluster to start. Its zero value is etcd and kube-apiserver of the default release.
type Options struct {
	// KubernetesVersion is a minor release such as "1.33". Empty means K8S_VERSION, or else the default.
	KubernetesVersion string
	// Dir is where data, keys and logs go; it must be empty or absent, and stays after Stop. Empty means a
	// temporary folder, which Stop removes.
	Dir string
	// AuditLog makes the API server write every request to AuditLogFile: whole objects for our API group and
	// for events, who did what for the rest.
	AuditLog bool
	// ControllerManager starts kube-controller-manager with what tests need of it: the garbage collector,
	// namespace deletion, ServiceAccounts, aggregated ClusterRoles and type checks of admission policies.
	// The garbage collector takes up to 30 seconds to notice a new CRD.
	ControllerManager bool
	// APIServerArgs are added to the API server's flags, as "--flag=value".
	APIServerArgs []string
}

// Cluster is a running etcd and kube-apiserver. Its methods may be called from several goroutines, except
// those that start and stop.
type Cluster struct {
	options  Options
	binaries Binaries
	dir      string

	etcdPort, apiServerPort, managerPort port
	users                                *authority
	serving                              *authority

	etcd, apiServer, controllerManager *process.Process
}

// Start starts a cluster and returns when it answers. ctx limits the start alone, not the cluster's life: the
// caller must Stop it, and its programs die with this process anyway. When it fails it leaves nothing running.
func Start(ctx context.Context, options Options) (*Cluster, error) {
	binaries, err := FindBinaries(options.KubernetesVersion)
	if err != nil {
		return nil, err
	}
	c := &Cluster{options: options, binaries: binaries}
	if c.dir, err = makeDir(options.Dir); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := c.start(ctx); err != nil {
		return nil, errors.Join(err, c.Stop()) // what was started must stop also when ctx has ended
	}
	return c, nil
}

func makeDir(dir string) (string, error) {
	if dir == "" {
		temporary, err := os.MkdirTemp("", "secretreview-cluster-")
		if err != nil {
			return "", fmt.Errorf("cannot make a folder for the cluster: %w", err)
		}
		return temporary, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("cannot make the cluster's folder: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("cannot look into the cluster's folder: %w", err)
	}
	if len(entries) > 0 {
		return "", fmt.Errorf("the cluster's folder %s is not empty: name another or remove what is there", dir)
	}
	return filepath.Abs(dir)
}

func (c *Cluster) start(ctx context.Context) error {
	for _, reserve := range []*port{&c.etcdPort, &c.apiServerPort, &c.managerPort} {
		reserved, err := reservePort()
		if err != nil {
			return err
		}
		*reserve = reserved
	}
	if err := c.writeKeys(); err != nil {
		return err
	}
	if err := c.startEtcd(); err != nil {
		return err
	}
	// The API server waits for etcd by itself.
	if err := c.StartAPIServer(ctx); err != nil {
		return err
	}
	if !c.options.ControllerManager {
		return nil
	}
	return c.startControllerManager(ctx)
}

// Dir is the folder with the cluster's data, keys and logs.
func (c *Cluster) Dir() string { return c.dir }

// Binaries are the programs that the cluster runs, and the kubectl of its release.
func (c *Cluster) Binaries() Binaries { return c.binaries }

// AuditLogFile is where the API server writes its audit log when Options.AuditLog asks for it: a JSON object
// a line.
func (c *Cluster) AuditLogFile() string { return filepath.Join(c.dir, "audit.log") }

// EtcdDataDir is etcd's folder. Custom resources are stored there as uncompressed JSON, so a search of its
// files for a string finds whatever the API server has ever stored of it.
func (c *Cluster) EtcdDataDir() string { return filepath.Join(c.dir, "etcd") }

// LogFiles are the logs of the cluster's programs, which exist once these were started.
func (c *Cluster) LogFiles() []string {
	return []string{c.logFile(etcdName), c.logFile(apiServerName), c.logFile(controllerManagerName)}
}

// RestartAPIServer stops the API server and starts it again on the same port, with the same data and users.
func (c *Cluster) RestartAPIServer(ctx context.Context) error {
	if err := c.StopAPIServer(ctx); err != nil {
		return err
	}
	return c.StartAPIServer(ctx)
}

// StopAPIServer stops the API server alone, as an outage. Clients are refused until StartAPIServer.
func (c *Cluster) StopAPIServer(ctx context.Context) error {
	return stop(ctx, c.apiServer)
}

// KillAPIServer ends the API server at once, without waiting for those who watch. Clients are refused until
// StartAPIServer.
func (c *Cluster) KillAPIServer() error { return c.apiServer.Kill() }

// Crashed tells of each program that has ended although nobody stopped it.
func (c *Cluster) Crashed() error {
	var crashed []error
	for _, p := range []*process.Process{c.etcd, c.apiServer, c.controllerManager} {
		if p != nil {
			crashed = append(crashed, p.Crashed())
		}
	}
	return errors.Join(crashed...)
}

// Stop stops everything and removes the folder if it is a temporary one. It may be called again.
func (c *Cluster) Stop() error {
	ctx := context.Background()
	err := errors.Join(stop(ctx, c.controllerManager), stop(ctx, c.apiServer), stop(ctx, c.etcd))
	for _, reserved := range []*port{&c.etcdPort, &c.apiServerPort, &c.managerPort} {
		reserved.release()
	}
	if c.options.Dir == "" {
		err = errors.Join(err, os.RemoveAll(c.dir))
	}
	return err
}

func stop(ctx context.Context, p *process.Process) error {
	if p == nil {
		return nil
	}
	return p.Stop(ctx)
}
