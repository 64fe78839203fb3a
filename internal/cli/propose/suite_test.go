package propose_test

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/test/suite"
)

var env *clitest.Env

func TestPropose(t *testing.T) {
	suite.Run(t, "sr propose")
}

var _ = BeforeSuite(func() { env = clitest.Start(GinkgoTB()) })

// to puts a command line together that says where and why.
func to(args ...string) []string {
	return append([]string{"propose", "-p", clitest.Project, "-e", clitest.Production, "-r", "because"}, args...)
}

// writeFile writes a file into a session's directory.
func writeFile(s *clitest.Session, name, content string) {
	GinkgoHelper()
	Expect(os.WriteFile(filepath.Join(s.Dir, name), []byte(content), 0o600)).To(Succeed())
}

// expectNothingDone holds that a failed command left nothing anywhere, and
// said why in one sentence on stderr alone.
func expectNothingDone(scene *clitest.Scene, result clitest.Result, code exit.Code) {
	GinkgoHelper()
	Expect(result.Code).To(Equal(code), result.Err)
	Expect(result.Out).To(BeEmpty())
	Expect(result.Err).To(MatchRegexp(`(?m)^sr: [^\n]+\n\z`))
	Expect(scene.Changes()).To(BeEmpty())
	Expect(scene.Staged()).To(BeEmpty())
}
