// Package e2e drives the built programs alone, over sockets, as the people and the accounts that use them.
package e2e

import (
	"os"
	"os/signal"
	"syscall"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/format"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/secretreview/secretreview/test/e2e/world"
	"github.com/secretreview/secretreview/test/suite"
)

var w *world.World

func TestE2E(t *testing.T) {
	format.MaxLength = 20_000
	log.SetLogger(GinkgoLogr)
	suite.Run(t, "The built programs, end to end")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	SetDefaultEventuallyTimeout(world.Patience)
	hearSignals()
	var err error
	w, err = world.Start(ctx)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func(ctx SpecContext) { Expect(w.Stop(ctx)).To(Succeed()) })
	proposeExpiring()
})

// hearSignals has programs start as in a foreground shell, also where these tests run behind nohup or in the background: a
// signal that is ignored is inherited, one that is caught is not.
func hearSignals() {
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if signal.Ignored(s) {
			held := make(chan os.Signal, 1)
			signal.Notify(held, s)
			DeferCleanup(func() { signal.Stop(held) })
		}
	}
}

// A manager that has died by itself explains why a spec failed, and would have all later ones fail.
var _ = AfterEach(func() {
	if err := w.Manager.Crashed(); err != nil {
		w.Manager.Start()
		Fail("the manager has died: " + err.Error())
	}
})

var _ = AfterSuite(func() {
	if w == nil {
		return
	}
	By("comparing what was asked of IAM with what infra/cdk's policies are held to")
	w.CheckRecording()
	By("holding the chart's roles to what the manager asked of the API server")
	w.Manager.CheckRights(wholeSuite())
	By("searching for values wherever none may be")
	Expect(w.Where(w.Mark)).To(BeEmpty(), "the secret values of all specs are known where they must not be")
	Expect(w.Manager.Log()).NotTo(Or(ContainSubstring("DATA RACE"), ContainSubstring("panic")))
})

// wholeSuite says whether all specs were to run.
func wholeSuite() bool {
	config, _ := GinkgoConfiguration()
	return !testing.Short() && len(config.FocusStrings)+len(config.SkipStrings)+len(config.FocusFiles)+len(config.SkipFiles) == 0 && config.LabelFilter == ""
}
