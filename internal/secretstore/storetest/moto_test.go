package storetest_test

import (
	"bufio"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/secretreview/secretreview/internal/secretstore/storetest"
)

//go:embed testdata/moto-requirements.txt
var motoRequirements []byte

// motoStart bounds how long moto's server may take to say where it listens.
const motoStart = time.Minute

// TestMotoKeepsTheContract runs the suite on an independent implementation of
// the service, in a virtual environment that it makes once in the user's cache.
func TestMotoKeepsTheContract(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: moto's server takes seconds to install and start")
	}
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("moto needs python3, which is not installed")
	}
	fmt.Println("REPORT:", storetest.Run(t, storetest.Harness{
		Store:    store(t, startMoto(t, motoPython(t))),
		Name:     "moto",
		Prefix:   "contract/",
		KMSKeyID: "alias/contract",
		Moto:     true,
	}))
}

// motoPython returns the interpreter of an environment that holds moto.
func motoPython(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatalf("moto's environment needs a cache directory: %v", err)
	}
	dir := filepath.Join(cache, "secretreview", fmt.Sprintf("moto-%x", sha256.Sum256(motoRequirements))[:17])
	python := filepath.Join(dir, "bin", "python3")
	if _, err := os.Stat(python); err == nil {
		return python
	}
	making, err := os.MkdirTemp(mkdir(t, filepath.Dir(dir)), "moto-making-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(making) })
	requirements := filepath.Join(making, "requirements.txt")
	if err := os.WriteFile(requirements, motoRequirements, 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "make a Python environment (does python3 have its venv module?)", "python3", "-m", "venv", making)
	run(t, "install moto from PyPI", filepath.Join(making, "bin", "python3"),
		"-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", requirements)
	// Another run may have been first; what it made is as good.
	if err := os.Rename(making, dir); err != nil {
		if _, missing := os.Stat(python); missing != nil {
			t.Fatal(err)
		}
	}
	return python
}

func mkdir(t *testing.T, dir string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func run(t *testing.T, what, program string, args ...string) {
	t.Helper()
	if output, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
		t.Fatalf("cannot %s: %v\n%s", what, err, output)
	}
}

var motoAddress = regexp.MustCompile(`Running on (http://127\.0\.0\.1:\d+)`)

// startMoto serves moto on a port that it picks, until the test ends.
func startMoto(t *testing.T, python string) string {
	t.Helper()
	server := exec.CommandContext(t.Context(), python, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0")
	output, writer := io.Pipe()
	server.Stdout, server.Stderr = writer, writer
	server.WaitDelay = time.Second
	server.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	if err := server.Start(); err != nil {
		t.Fatalf("start moto: %v", err)
	}
	t.Cleanup(func() { // the context has ended by now, and the server with it
		_ = server.Wait()
		_ = writer.Close()
	})
	address := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(output); lines.Scan(); {
			if found := motoAddress.FindStringSubmatch(lines.Text()); found != nil {
				address <- found[1]
			}
		}
	}()
	select {
	case found := <-address:
		return found
	case <-time.After(motoStart):
		t.Fatal("moto did not say where it listens")
		return ""
	}
}
