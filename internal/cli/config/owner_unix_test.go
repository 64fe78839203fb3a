//go:build unix

package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/cli/config"
	"github.com/secretreview/secretreview/internal/cli/exit"
)

const (
	somebody     = 4242
	somebodyElse = 4343
)

func TestAFileAboveIsTrustedByItsOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	for name, tc := range map[string]struct {
		file, directory int
		at              string
		refused         bool
	}{
		"one's own":                             {file: 0, directory: 0, at: "."},
		"another user's":                        {file: somebody, directory: 0, at: ".", refused: true},
		"the owner's of the directory":          {file: somebody, directory: somebody, at: "."},
		"another user's than both":              {file: somebodyElse, directory: somebody, at: ".", refused: true},
		"another user's, but in this directory": {file: somebody, directory: 0, at: "work"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			work := filepath.Join(root, "work")
			write(t, filepath.Join(work, "file"), "")
			path := filepath.Join(root, tc.at, config.LocalName)
			write(t, path, `{"project":"p"}`)
			for path, owner := range map[string]int{path: tc.file, work: tc.directory} {
				if err := os.Chown(path, owner, owner); err != nil {
					t.Fatal(err)
				}
			}
			got, err := config.Load(work, "", "")
			if (err != nil) != tc.refused {
				t.Fatalf("unexpected: %v", err)
			}
			if err == nil && got.Project != "p" {
				t.Errorf("the file was not read: %+v", got)
			}
			if err != nil && (exit.CodeOf(err) != exit.Usage || !strings.Contains(err.Error(), "belongs to another user")) {
				t.Errorf("unexpected: %v", err)
			}
		})
	}
}
