package world

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/secretreview/secretreview/test/cluster"
)

// commands are what is built for the tests.
var commands = []string{"./cmd/manager", "./cmd/sr", "./test/emulator"}

// build builds this project's programs from the tree into dir, and puts kubectl and sr's other names beside them. They
// get the race detector where the tests have it: then all packages are built that way already.
func build(dir, kubectl string) error {
	if err := compile(dir, commands); err != nil {
		return err
	}
	for name, target := range map[string]string{
		"kubectl":    kubectl,
		"kubectl-sr": "sr",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("cannot link %s: %w", name, err)
		}
	}
	return nil
}

func compile(dir string, commands []string, flags ...string) error {
	root, err := cluster.RepositoryRoot()
	if err != nil {
		return err
	}
	args := append([]string{"build", "-o", dir + string(filepath.Separator)}, flags...)
	if raceDetector {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, commands...)...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build %v: %w\n%s", commands, err, out)
	}
	return nil
}

// BuildPanicking builds manager and sr so that they panic as PANIC_AT or PANIC_RARER say, and returns their directory: see
// internal/sensitive.
func (w *World) BuildPanicking() string {
	ginkgo.GinkgoHelper()
	dir := w.file("panicking")
	gomega.Expect(os.MkdirAll(dir, 0o700)).To(gomega.Succeed())
	gomega.Expect(compile(dir, []string{"./cmd/manager", "./cmd/sr"}, "-tags=panics")).To(gomega.Succeed())
	return dir
}
