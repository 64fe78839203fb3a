package pull_test

import (
	"io/fs"
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

func TestPull(t *testing.T) {
	suite.Run(t, "sr pull")
}

var _ = BeforeSuite(func() { env = clitest.Start(GinkgoTB()) })

// from puts a command line together that says what to pull.
func from(args ...string) []string {
	return append([]string{"pull", "-p", clitest.Project, "-e", clitest.Production}, args...)
}

// header is the line that pull writes.
func header(version string) string {
	return "# secretreview: project=backend-api environment=production version=" + version + "\n"
}

func write(s *clitest.Session, name, content string, mode fs.FileMode) {
	GinkgoHelper()
	path := filepath.Join(s.Dir, name)
	Expect(os.WriteFile(path, []byte(content), mode)).To(Succeed())
	Expect(os.Chmod(path, mode)).To(Succeed())
}

func read(s *clitest.Session, name string) string {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join(s.Dir, name))
	Expect(err).NotTo(HaveOccurred())
	return string(content)
}

// files lists what is in a session's directory, with the mode of each.
func files(s *clitest.Session) map[string]fs.FileMode {
	GinkgoHelper()
	entries, err := os.ReadDir(s.Dir)
	Expect(err).NotTo(HaveOccurred())
	found := map[string]fs.FileMode{}
	for _, entry := range entries {
		info, err := entry.Info()
		Expect(err).NotTo(HaveOccurred())
		found[entry.Name()] = info.Mode()
	}
	return found
}

// expectFailure holds that a command said why it failed in one sentence, on
// stderr alone.
func expectFailure(result clitest.Result, code exit.Code) {
	GinkgoHelper()
	Expect(result.Code).To(Equal(code), result.Err)
	Expect(result.Out).To(BeEmpty())
	Expect(result.Err).To(MatchRegexp(`\Asr: [^\n]+\n\z`))
}
