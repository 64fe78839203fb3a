//go:build unix

package config_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/secretreview/secretreview/internal/cli/config"
	"github.com/secretreview/secretreview/internal/cli/exit"
)

var written = config.Config{Project: "p<&>", Environment: "e", Region: "r", Prefix: "x/"}

const text = `{
  "project": "p<&>",
  "environment": "e",
  "region": "r",
  "prefix": "x/"
}
`

func expect(t *testing.T, path, content string, mode fs.FileMode) {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != content || info.Mode() != mode {
		t.Errorf("%s, mode %v, %v", got, info.Mode(), err)
	}
}

func chmod(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// withUmask is for the tests of one process, which do not run in parallel.
func withUmask(t *testing.T, mask int) {
	before := syscall.Umask(mask)
	t.Cleanup(func() { syscall.Umask(before) })
}

func TestTheUsersFileIsTheirsAlone(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, path string){
		"where there was none": func(*testing.T, string) {},
		"where the directory was everybody's": func(t *testing.T, path string) {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
		},
		"where the file was everybody's": func(t *testing.T, path string) {
			write(t, path, "{}")
			chmod(t, path, 0o666)
		},
	} {
		t.Run(name, func(t *testing.T) {
			withUmask(t, 0)
			path := filepath.Join(t.TempDir(), "config", "secretreview", "config.json")
			prepare(t, path)
			if err := config.WriteUser(path, written); err != nil {
				t.Fatal(err)
			}
			expect(t, path, text, 0o600)
			if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("%v, %v", info.Mode(), err)
			}
			if got, err := config.Read(path); err != nil || got != written {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestALinkedUsersFileStaysLinked(t *testing.T) {
	root := t.TempDir()
	target, path := filepath.Join(root, "dotfiles", "sr.json"), filepath.Join(root, "secretreview", "config.json")
	write(t, target, "{}")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
	if err := config.WriteUser(path, written); err != nil {
		t.Fatal(err)
	}
	expect(t, target, text, 0o600)
	if _, err := os.Readlink(path); err != nil {
		t.Error(err)
	}
}

func TestALocalFileIsReplacedOnlyWhereThatIsMeant(t *testing.T) {
	withUmask(t, 0o022)
	path := filepath.Join(t.TempDir(), config.LocalName)
	if err := config.WriteLocal(path, written, false); err != nil {
		t.Fatal(err)
	}
	expect(t, path, text, 0o644)
	if err := config.WriteLocal(path, config.Config{}, false); !errors.Is(err, config.ErrExists) {
		t.Errorf("unexpected: %v", err)
	}
	expect(t, path, text, 0o644)
	if err := config.WriteLocal(path, config.Config{}, true); err != nil {
		t.Fatal(err)
	}
	expect(t, path, "{}\n", 0o644)
}

func TestALinkInARepositoryIsNotWrittenThrough(t *testing.T) {
	root := t.TempDir()
	victim, path := filepath.Join(root, "victim"), filepath.Join(root, config.LocalName)
	write(t, victim, "precious")
	if err := os.Symlink(victim, path); err != nil {
		t.Fatal(err)
	}
	if err := config.WriteLocal(path, written, false); !errors.Is(err, config.ErrExists) {
		t.Errorf("unexpected: %v", err)
	}
	if err := config.WriteLocal(path, written, true); err != nil {
		t.Fatal(err)
	}
	expect(t, victim, "precious", 0o600)
	expect(t, path, text, 0o644)
}

func TestWhatCannotBeWrittenIsNamedAndNothingIsLost(t *testing.T) {
	root := t.TempDir()
	directory := filepath.Join(root, config.LocalName)
	if err := os.Mkdir(directory, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := config.WriteLocal(directory, written, true); exit.CodeOf(err) != exit.Usage {
		t.Errorf("unexpected: %v", err)
	}
	write(t, filepath.Join(root, "file"), "precious")
	if err := config.WriteUser(filepath.Join(root, "file", "config.json"), written); exit.CodeOf(err) != exit.Failure {
		t.Errorf("unexpected: %v", err)
	}
	expect(t, filepath.Join(root, "file"), "precious", 0o600)
}

func TestExposed(t *testing.T) {
	root := t.TempDir()
	for mode, want := range map[fs.FileMode]bool{0o600: false, 0o400: false, 0o640: true, 0o604: true, 0o602: true, 0o644: true} {
		path := filepath.Join(root, mode.String())
		write(t, path, "{}")
		chmod(t, path, mode)
		if got, exposed := config.Exposed(path); exposed != want || exposed && got != mode {
			t.Errorf("%v: %v, %v", mode, got, exposed)
		}
	}
	if _, exposed := config.Exposed(filepath.Join(root, "none")); exposed {
		t.Error("a file that is not there is exposed")
	}
}
