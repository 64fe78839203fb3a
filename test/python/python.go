// Package python runs programs written in Python beside tests.
package python

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Installed tells whether there is a python3, without which tests leave out what needs it, and say so.
func Installed() bool {
	_, err := exec.LookPath("python3")
	return err == nil
}

// Environment returns the interpreter of a virtual environment with the packages that requirements, the content of a
// requirements.txt, names. It is made once, in the user's cache directory, from PyPI.
func Environment(t testing.TB, name string, requirements []byte) string {
	t.Helper()
	interpreter, err := environment(t, name, requirements)
	if err != nil {
		t.Fatal(err)
	}
	return interpreter
}

func environment(t testing.TB, name string, requirements []byte) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("the environment of %s needs a cache directory: %w", name, err)
	}
	sum := sha256.Sum256(requirements)
	dir := filepath.Join(cache, "secretreview", fmt.Sprintf("%s-%x", name, sum[:6]))
	if _, err := os.Stat(interpreterIn(dir)); err == nil {
		return interpreterIn(dir), nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", fmt.Errorf("cannot make the folder for the environment of %s: %w", name, err)
	}
	making, err := os.MkdirTemp(filepath.Dir(dir), name+"-making-")
	if err != nil {
		return "", fmt.Errorf("cannot make the environment of %s: %w", name, err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(making) })
	if err := fill(t, making, name, requirements); err != nil {
		return "", err
	}
	// Another run may have been first; what it made is as good.
	if err := os.Rename(making, dir); err != nil {
		if _, missing := os.Stat(interpreterIn(dir)); missing != nil {
			return "", errors.Join(err, missing)
		}
	}
	return interpreterIn(dir), nil
}

func fill(t testing.TB, dir, name string, requirements []byte) error {
	file := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(file, requirements, 0o600); err != nil {
		return fmt.Errorf("cannot write what %s requires: %w", name, err)
	}
	for _, step := range []struct {
		what    string
		command []string
	}{
		{"make a Python environment (does python3 have its venv module?)", []string{"python3", "-m", "venv", dir}},
		{"install " + name + " from PyPI", []string{interpreterIn(dir), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", file}},
	} {
		output, err := exec.CommandContext(t.Context(), step.command[0], step.command[1:]...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("cannot %s: %w\n%s", step.what, err, output)
		}
	}
	return nil
}

func interpreterIn(dir string) string { return filepath.Join(dir, "bin", "python3") }
