package cluster

import (
	"os"
	"testing"

	"github.com/secretreview/secretreview/test/cluster/process"
)

// keepEnv, when not empty, keeps the folders of all clusters that Run started.
const keepEnv = "SECRETREVIEW_KEEP"

// Run starts a cluster for a test, or for a suite when called in BeforeSuite with GinkgoTB(), and stops it at
// the end. When the test has failed by then it logs the end of the API server's log, and the cluster's folder
// is kept. The end of a ginkgo suite does not know whether a spec failed: set SECRETREVIEW_KEEP to keep it there.
func Run(t testing.TB, options Options) *Cluster {
	t.Helper()
	if options.Dir == "" {
		dir, err := os.MkdirTemp("", "secretreview-cluster-")
		if err != nil {
			t.Fatalf("cannot make a folder for the cluster: %v", err)
		}
		options.Dir = dir
		t.Cleanup(func() { removeUnlessKept(t, dir) })
	}
	c, err := Start(t.Context(), options)
	if err != nil {
		t.Fatalf("cannot start a cluster: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the cluster's folder %s is kept; the end of its API server's log:\n%s", c.Dir(), process.Tail(c.logFile(apiServerName)))
		}
		if err := c.Crashed(); err != nil {
			t.Errorf("a program of the cluster has crashed: %v", err)
		}
		if err := c.Stop(); err != nil {
			t.Errorf("cannot stop the cluster: %v", err)
		}
	})
	return c
}

func removeUnlessKept(t testing.TB, dir string) {
	t.Helper()
	if t.Failed() || os.Getenv(keepEnv) != "" {
		return
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Errorf("cannot remove the cluster's folder: %v", err)
	}
}
