package propose_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/internal/cli/clitest"
)

var env *clitest.Env

func TestPropose(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "sr propose")
}

var _ = BeforeSuite(func() { env = clitest.Start(GinkgoTB()) })
