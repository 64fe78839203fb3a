package image_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	uses = regexp.MustCompile(`(?m)^\s*(?:- )?uses: (.+)$`)
	// pinned is an action at a commit, which nobody can move, with the release that the commit is.
	pinned = regexp.MustCompile(`^[\w-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	// rights are what a workflow gives jobs that ask for none.
	rights = regexp.MustCompile(`(?m)^permissions:(?: \{\}|\n  contents: read)\n\n`)
)

func TestWorkflowsRunOnlyWhatIsPinned(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("found %d workflows, %v", len(paths), err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !rights.Match(content) {
			t.Errorf("%s gives all its jobs rights to write", path)
		}
		for _, found := range uses.FindAllStringSubmatch(string(content), -1) {
			if !strings.HasPrefix(found[1], "./") && !pinned.MatchString(found[1]) {
				t.Errorf("%s uses %s, which is not pinned to a commit and its release", path, found[1])
			}
		}
	}
}
