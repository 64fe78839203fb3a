// Package disaster loses clusters and restores them, by the built programs: what docs/disaster-recovery.md says was tried
// here.
package disaster_test

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/secretreview/secretreview/test/suite"
)

// patience is how long anything may take that is waited for.
const patience = 90 * time.Second

func TestDisaster(t *testing.T) {
	log.SetLogger(GinkgoLogr)
	suite.Run(t, "Disasters")
}

var _ = BeforeSuite(func() {
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(100 * time.Millisecond)
})
