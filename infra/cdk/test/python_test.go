package test

import (
	"fmt"
	"os"
	"testing"

	"github.com/secretreview/secretreview/test/python"
)

func needsPython(t *testing.T, what string) {
	t.Helper()
	if !python.Installed() {
		fmt.Printf("\nREPORT: infra/cdk: %s was left out, because there is no python3\n", what)
		t.Skip("there is no python3")
	}
}

// pythonWith returns the interpreter of an environment with what a file requires.
func pythonWith(t *testing.T, name, requirements string) string {
	t.Helper()
	content, err := os.ReadFile(requirements)
	if err != nil {
		t.Fatal(err)
	}
	return python.Environment(t, name, content)
}
