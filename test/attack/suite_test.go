// Package attack tries, one spec each, what people could try who have no right, or fewer than they would need: against a
// real API server, the built manager and sr, and the Secrets Manager emulator. Each attack is refused or ends safe, and
// says why. test/admission has those on the policies alone, in every way of writing and for every kind of user.
package attack

import (
	"fmt"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/format"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/secretreview/secretreview/test/e2e/world"
	"github.com/secretreview/secretreview/test/suite"
)

var w *world.World

// As short as they are frequent.
var (
	end  = world.End
	fail = world.Fail
)

func TestAttack(t *testing.T) {
	format.MaxLength = 20_000
	log.SetLogger(GinkgoLogr)
	suite.Run(t, "Attacks")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	SetDefaultEventuallyTimeout(world.Patience)
	var err error
	w, err = world.Start(ctx)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func(ctx SpecContext) { Expect(w.Stop(ctx)).To(Succeed()) })
})

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
	By("searching for values wherever none may be")
	search := w.Search(w.Mark)
	fmt.Printf("\nREPORT: %d places with %d MiB were searched for values in %d forms\n", search.Places, search.Bytes>>20, search.Forms)
	Expect(search.Found).To(BeEmpty(), "the secret values of all specs are known where they must not be")
	Expect(w.Manager.Log()).NotTo(Or(ContainSubstring("DATA RACE"), ContainSubstring("panic")))
})
