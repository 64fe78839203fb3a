// Package crash kills the manager, a process of its own, before and after every call that it makes of AWS and of
// Kubernetes, and at random, and holds afterwards that nothing was lost and nothing done twice.
package crash_test

import (
	"flag"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/secretreview/secretreview/test/suite"
)

// patience is how long anything may take that is waited for.
const patience = 5 * time.Minute

var (
	seed  = flag.Uint64("crash.seed", 0, "of all that is random; 0 picks one, which is printed")
	kills = flag.Int("crash.kills", 8, "how often the manager is killed at random, under load")
	every = flag.Int("crash.every", 8, "one of so many calls is killed at; 1 means every one")
)

// site is where all specs are at work.
var at *site

func TestCrash(t *testing.T) {
	log.SetLogger(GinkgoLogr)
	suite.Run(t, "Crashes")
}

var _ = BeforeSuite(func() {
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	at = newSite()
})
