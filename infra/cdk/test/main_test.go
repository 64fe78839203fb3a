// Package test holds the templates of infra/cdk to what they must be, and puts
// their policies before an IAM policy simulator.
package test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/aws/jsii-runtime-go"
)

// module is the folder of infra/cdk.
const module = ".."

func TestMain(m *testing.M) {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			fmt.Fprintln(os.Stderr, "the CDK and the IAM policy simulator need node and npm:", err)
			os.Exit(1)
		}
	}
	// The CDK says at length which releases of Node it likes best.
	_ = os.Setenv("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "1")
	_ = os.Setenv("JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION", "1")
	code := m.Run()
	jsii.Close()
	os.Exit(code)
}

var installed = sync.OnceValue(func() error {
	lock, err := os.Stat(filepath.Join(module, "package-lock.json"))
	if err != nil {
		return err
	}
	// npm leaves this file when it is done.
	done, err := os.Stat(filepath.Join(module, "node_modules", ".package-lock.json"))
	if err == nil && !done.ModTime().Before(lock.ModTime()) {
		return nil
	}
	install := exec.Command("npm", "ci", "--no-audit", "--no-fund")
	install.Dir = module
	if output, err := install.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, output)
	}
	return nil
})

// node runs a script of this folder with the modules that package-lock.json pins.
func node(t *testing.T, input []byte, script string) []byte {
	t.Helper()
	if err := installed(); err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), "node", script)
	var failed bytes.Buffer
	run.Stdin, run.Stderr = bytes.NewReader(input), &failed
	output, err := run.Output()
	if err != nil {
		t.Fatalf("node %s: %v\n%s", script, err, failed.String())
	}
	return output
}
