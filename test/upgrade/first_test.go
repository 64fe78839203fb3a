package upgrade_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/e2e/world"
)

// firstCommit is what the chart of the first version was packed from.
const firstCommit = "571ae7a5edaa4a46506a7f8aa7c60b8d3d9823b9"

// first is the first version: its chart as it was packed, and its manager as the repository's history has it. It is false
// where there is no history, as in an archive of the sources.
func first(dir string) (release world.Release, there bool, err error) {
	root, err := cluster.RepositoryRoot()
	if err != nil {
		return release, false, err
	}
	known := exec.Command("git", "-C", root, "cat-file", "-e", firstCommit+"^{commit}")
	if there = known.Run() == nil; !there {
		return release, false, nil
	}
	sources := filepath.Join(dir, "first")
	if err := os.Mkdir(sources, 0o700); err != nil {
		return release, false, err
	}
	archive, err := exec.Command("git", "-C", root, "archive", firstCommit).Output()
	if err != nil {
		return release, false, fmt.Errorf("cannot take the first version out of the history: %w", err)
	}
	unpack := exec.Command("tar", "-x", "-C", sources)
	unpack.Stdin = bytes.NewReader(archive)
	if out, err := unpack.CombinedOutput(); err != nil {
		return release, false, fmt.Errorf("cannot unpack the first version: %w\n%s", err, out)
	}
	manager := filepath.Join(dir, "first-manager")
	build := exec.Command("go", "build", "-o", manager, "./cmd/manager")
	build.Dir = sources
	if out, err := build.CombinedOutput(); err != nil {
		return release, false, fmt.Errorf("cannot build the first version's manager: %w\n%s", err, out)
	}
	chart := filepath.Join(root, "test", "chart", "testdata", "secretreview-0.1.0.tgz")
	return world.Release{Chart: chart, Manager: manager}, true, nil
}
