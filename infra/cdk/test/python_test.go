package test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func needsPython(t *testing.T, what string) {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		fmt.Printf("\nREPORT: infra/cdk: %s was left out, because there is no python3\n", what)
		t.Skip("there is no python3")
	}
}

// python returns the interpreter of a virtual environment with what a file
// requires, which is made once in the user's cache.
func python(t *testing.T, name, requirements string) string {
	t.Helper()
	content, err := os.ReadFile(requirements)
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatalf("the environment of %s needs a cache directory: %v", name, err)
	}
	sum := sha256.Sum256(content)
	dir := filepath.Join(cache, "secretreview", fmt.Sprintf("%s-%x", name, sum[:6]))
	interpreter := filepath.Join(dir, "bin", "python3")
	if _, err := os.Stat(interpreter); err == nil {
		return interpreter
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	making, err := os.MkdirTemp(filepath.Dir(dir), name+"-making-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(making) })
	run(t, "make a Python environment (does python3 have its venv module?)", "python3", "-m", "venv", making)
	run(t, "install "+name+" from PyPI", filepath.Join(making, "bin", "python3"),
		"-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", requirements)
	// Another run may have been first; what it made is as good.
	if err := os.Rename(making, dir); err != nil {
		if _, missing := os.Stat(interpreter); missing != nil {
			t.Fatal(err)
		}
	}
	return interpreter
}

func run(t *testing.T, what, program string, arguments ...string) {
	t.Helper()
	if output, err := exec.CommandContext(t.Context(), program, arguments...).CombinedOutput(); err != nil {
		t.Fatalf("cannot %s: %v\n%s", what, err, output)
	}
}
