package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/secretreview/secretreview/infra/cdk/app"
)

// regions are some of each partition.
var regions = []string{"eu-central-1", "us-east-1", "cn-north-1", "us-gov-west-1"}

func TestLintFindsNothing(t *testing.T) {
	needsPython(t, "cfn-lint")
	dir := t.TempDir()
	apart := example(t, "secretreview.yaml")
	apart.ProjectStacks = []app.ProjectStack{{Name: "shop", Projects: []string{"shop"}}}
	arguments := append([]string{"-c", "import sys; from cfnlint.runner import main; sys.exit(main())", "--regions"}, regions...)
	arguments = append(arguments, "--include-checks", "W", "--template")
	templates := 0
	for name, made := range map[string]synthesized{"full": full(t), "minimal": configured(t, example(t, "minimal.yaml")), "apart": configured(t, apart)} {
		for stack, text := range made {
			path := filepath.Join(dir, name+"-"+stack+".json")
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			arguments = append(arguments, path)
			templates++
		}
	}
	if output, err := exec.CommandContext(t.Context(), pythonWith(t, "cfn-lint", "requirements.txt"), arguments...).CombinedOutput(); err != nil {
		t.Fatalf("cfn-lint: %v\n%s", err, output)
	}
	fmt.Printf("\nREPORT: infra/cdk: cfn-lint found nothing in %d templates\n", templates)
}
