package world

import (
	"context"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/secretreview/secretreview/internal/guard"
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

// replaceManager lets the old manager end once the new objects are there, as a rolling update does, and waits until the
// new one has found them in force: it counts no approval that was given before. An API server that may
// die of policies judges nothing while it compiles them: there the old manager ends first, and the new one begins later.
func (w *World) replaceManager(ctx context.Context, to Release, args ...string) {
	ginkgo.GinkgoHelper()
	mayDie := w.Cluster.MayDieOfPolicies()
	if mayDie {
		w.endManager()
	}
	_, err := w.helm.Run(ctx, args...)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	if mayDie {
		// Nothing tells that it has compiled them.
		select {
		case <-ctx.Done():
		case <-time.After(guard.EnforcementDelay):
		}
	}
	deployed, err := w.deployed(ctx)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	w.endManager()
	w.release, w.Manager.container = to, deployed.Spec.Template.Spec.Containers[0]
	w.Manager.Start()
	gomega.Eventually(w.Manager.trusts).WithTimeout(Patience).Should(gomega.BeTrue())
}

// endManager ends the manager where it still runs.
func (w *World) endManager() {
	ginkgo.GinkgoHelper()
	if w.Manager.process.Running() {
		w.Manager.Stop()
	}
}
