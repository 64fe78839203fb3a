package files_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/cli/files"
)

func TestReplaceMakesAPrivateFile(t *testing.T) {
	for name, before := range map[string]fs.FileMode{"where there is none": 0, "over one that others read": 0o666, "over one that nobody writes": 0o400} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			if before != 0 {
				if err := os.WriteFile(path, []byte("old and longer"), before); err != nil {
					t.Fatal(err)
				}
			}
			if err := files.Replace(path, []byte("new")); err != nil {
				t.Fatal(err)
			}
			content, err := os.ReadFile(path)
			if err != nil || string(content) != "new" {
				t.Errorf("%q, %v", content, err)
			}
			info, err := os.Stat(path)
			if err != nil || info.Mode() != files.Private {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}
		})
	}
}

func TestReplaceLeavesNothingWhenItFails(t *testing.T) {
	directory := t.TempDir()
	taken := filepath.Join(directory, "taken")
	if err := os.MkdirAll(filepath.Join(taken, "inside"), 0o700); err != nil {
		t.Fatal(err)
	}
	err := files.Replace(taken, []byte("canary"))
	if err == nil || strings.Contains(err.Error(), directory) || strings.Contains(err.Error(), "canary") {
		t.Errorf("unexpected: %v", err)
	}
	entries, err := os.ReadDir(directory)
	if err != nil || len(entries) != 1 {
		t.Errorf("left %v, %v", entries, err)
	}
}

func TestReplaceDoesNotFollowLinks(t *testing.T) {
	directory := t.TempDir()
	aim, link := filepath.Join(directory, "aim"), filepath.Join(directory, "link")
	if err := os.WriteFile(aim, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(aim, link); err != nil {
		t.Fatal(err)
	}
	if err := files.Replace(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(aim); err != nil || string(content) != "old" {
		t.Errorf("%q, %v", content, err)
	}
}

func TestReadTellsATooLongFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	for limit, want := range map[int64]int{3: 4, 4: 5, 5: 5, 9: 5} {
		if content, err := files.Read(path, limit); err != nil || len(content) != want {
			t.Errorf("limit %d: %d bytes, %v", limit, len(content), err)
		}
	}
	_, err := files.Read(path+"x", 5)
	if !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), path) {
		t.Errorf("unexpected: %v", err)
	}
}
