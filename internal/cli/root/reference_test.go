package root_test

import (
	"flag"
	"os"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/root"
)

var update = flag.Bool("update", false, "write docs/cli.md")

const referenceFile = "../../../docs/cli.md"

func TestReferenceIsWhatTheCommandsSay(t *testing.T) {
	streams := genericiooptions.NewTestIOStreamsDiscard()
	got := root.Reference(root.New(&factory.Factory{IOStreams: streams, Program: "sr", KubeFlags: factory.NewKubeFlags()}))
	if *update {
		if err := os.WriteFile(referenceFile, []byte(got), 0o644); err != nil { //nolint:gosec // a page of the documentation
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Error("docs/cli.md is stale: run \"make generate\"")
	}
}
