package storetest_test

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"github.com/secretreview/secretreview/internal/secretstore/storetest"
	"github.com/secretreview/secretreview/test/python"
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
	if !python.Installed() {
		t.Skip("moto needs python3, which is not installed")
	}
	fmt.Println("REPORT:", storetest.Run(t, storetest.Harness{
		Store:    store(t, startMoto(t, python.Environment(t, "moto", motoRequirements))),
		Name:     "moto",
		Prefix:   "contract/",
		KMSKeyID: "alias/contract",
		Moto:     true,
	}))
}

var motoAddress = regexp.MustCompile(`Running on (http://127\.0\.0\.1:\d+)`)

// startMoto serves moto on a port that it picks, until the test ends.
func startMoto(t *testing.T, interpreter string) string {
	t.Helper()
	server := exec.CommandContext(t.Context(), interpreter, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0")
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
