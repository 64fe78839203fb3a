package edit

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
)

func TestWhichEditorIsStarted(t *testing.T) {
	for name, tc := range map[string]struct {
		vars     map[string]string
		terminal bool
		want     []string
	}{
		"the one for this program goes first": {map[string]string{"SR_EDITOR": "a", "VISUAL": "b", "EDITOR": "c"}, true, []string{"a"}},
		"then VISUAL":                         {map[string]string{"VISUAL": "b", "EDITOR": "c"}, true, []string{"b"}},
		"then EDITOR":                         {map[string]string{"EDITOR": "c"}, false, []string{"c"}},
		"else vi":                             {nil, true, []string{"vi"}},
		"none without a terminal":             {nil, false, nil},
		"blanks are none":                     {map[string]string{"EDITOR": " "}, false, nil},
		"arguments are left to the shell":     {map[string]string{"EDITOR": "code --wait"}, true, []string{"sh", "-c", `trap : INT; code --wait "$@"`, "code --wait"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := &factory.Factory{Getenv: func(key string) string { return tc.vars[key] }, Terminal: factory.Terminal{StdinTTY: tc.terminal}}
			got, err := findEditor(f)
			if !slices.Equal(got, tc.want) || (err != nil) != (tc.want == nil) || err != nil && exit.CodeOf(err) != exit.Usage {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestTheDirectoryIsPrivateAndLeavesNothing(t *testing.T) {
	parent := t.TempDir()
	dir, err := newPrivateDir(func(string) string { return parent })
	if err != nil || !dir.inMemory || filepath.Dir(dir.path) != parent {
		t.Fatalf("got %+v, %v", dir, err)
	}
	info, err := os.Stat(dir.path)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("got %v, %v", info, err)
	}
	outside := filepath.Join(parent, "outside")
	for path, content := range map[string]string{outside: "stays", filepath.Join(dir.path, "a"): "canary", filepath.Join(dir.path, ".a.swp"): "canary"} {
		if err := os.WriteFile(path, []byte(content), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir.path, "deep", "er"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir.path, "link")); err != nil {
		t.Fatal(err)
	}
	kept, err := os.Open(filepath.Join(dir.path, "a"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = kept.Close() }()
	if err := wipe(dir.path); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir.path); !os.IsNotExist(err) {
		t.Errorf("the directory is still there: %v", err)
	}
	content := make([]byte, 6)
	if _, err := kept.ReadAt(content, 0); err != nil || string(content) != "\x00\x00\x00\x00\x00\x00" {
		t.Errorf("it was not overwritten: %q, %v", content, err)
	}
	if content, err := os.ReadFile(outside); err != nil || string(content) != "stays" {
		t.Errorf("a link led outside: %q, %v", content, err)
	}
}

func TestTheGuardTakesNoOtherDirectory(t *testing.T) {
	for _, args := range [][]string{{"/home/somebody"}, {}, {"sr-edit-1", "sr-edit-2"}, {"/tmp/sr-edit-1/.."}} {
		if onePrivateDir(nil, args) == nil {
			t.Errorf("it takes %q", args)
		}
	}
}
