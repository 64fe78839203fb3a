package world

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/secretreview/secretreview/test/cluster"
)

// commands are what is built for the tests.
var commands = []string{"./cmd/manager", "./cmd/sr", "./test/emulator"}

// build builds this project's programs from the tree into dir, and puts kubectl and sr's other names beside them. They
// get the race detector where the tests have it: then all packages are built that way already.
func build(dir, kubectl string) error {
	root, err := cluster.RepositoryRoot()
	if err != nil {
		return err
	}
	args := []string{"build", "-o", dir + string(filepath.Separator)}
	if raceDetector {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, commands...)...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build %v: %w\n%s", commands, err, out)
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
