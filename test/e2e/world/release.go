package world

import (
	"context"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/secretreview/secretreview/test/helm"
	"github.com/secretreview/secretreview/test/install"
)

// Release is a chart with the manager that belongs to it.
type Release struct {
	// Chart is a folder or an archive, Manager a program, both by their paths. What is empty is the tree's.
	Chart, Manager string
}

// chart is where the release's chart is.
func (r Release) chart() (string, error) {
	if r.Chart != "" {
		return r.Chart, nil
	}
	return helm.Chart()
}

// Upgrade has helm upgrade the installation to another release, and starts that one's manager in place of the running one.
func (w *World) Upgrade(ctx context.Context, to Release) {
	ginkgo.GinkgoHelper()
	chart, err := to.chart()
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	w.replaceManager(ctx, to, append([]string{"upgrade", helm.Release, chart, "--namespace=" + install.Namespace}, setValues()...)...)
}

// RollBack has helm go back to a revision of the installation, and starts the manager of the release that it was of.
func (w *World) RollBack(ctx context.Context, revision string, to Release) {
	ginkgo.GinkgoHelper()
	w.replaceManager(ctx, to, "rollback", helm.Release, revision, "--namespace="+install.Namespace)
}

// replaceManager lets the old manager end once the new objects are there, as a rolling update does.
func (w *World) replaceManager(ctx context.Context, to Release, args ...string) {
	ginkgo.GinkgoHelper()
	_, err := w.helm.Run(ctx, args...)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	// The trials may make an older API server die of the new policies.
	gomega.Eventually(func() error {
		if _, err := w.Cluster.Revive(ctx); err != nil {
			return err
		}
		limited, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		return install.WaitUntilEnforced(limited, w.Cluster.AdminConfig())
	}).WithTimeout(2 * time.Minute).Should(gomega.Succeed())
	deployed, err := w.deployed(ctx)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	if w.Manager.process.Running() {
		w.Manager.Stop()
	}
	w.release, w.Manager.container = to, deployed.Spec.Template.Spec.Containers[0]
	w.Manager.Start()
}
