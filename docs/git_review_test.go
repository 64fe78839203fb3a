package docs_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"

	"github.com/secretreview/secretreview/internal/cli/factory"
	commands "github.com/secretreview/secretreview/internal/cli/root"
)

// gitReview is git-review.md and all files beside it, by their names.
func gitReview(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("git-review/*")
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d examples: %v", len(paths), err)
	}
	found := map[string]string{}
	for _, path := range append(paths, "git-review.md") {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found[path] = string(content)
	}
	return found
}

var fenced = regexp.MustCompile("(?ms)^ *```(yaml|json)\n(.*?)^ *```$")

func TestExamplesOfGitReviewAreYAML(t *testing.T) {
	parse := func(name, language, text string) {
		var value any
		for _, document := range strings.Split(text, "\n---\n") {
			var err error
			if language == "json" {
				err = json.Unmarshal([]byte(document), &value)
			} else {
				err = yaml.UnmarshalStrict([]byte(document), &value)
			}
			if _, mapping := value.(map[string]any); err != nil || !mapping {
				t.Errorf("%s: %v in\n%s", name, err, document)
			}
		}
	}
	for name, content := range gitReview(t) {
		if extension := filepath.Ext(name); extension == ".yaml" || extension == ".yml" {
			parse(name, "yaml", content)
		}
		for _, block := range fenced.FindAllStringSubmatch(content, -1) {
			parse(name, block[1], block[2])
		}
	}
}

var checkLine = regexp.MustCompile(`(?m)\bsr (check (?:-|changes)[^>|\n]*)`)

// TestExamplesOfGitReviewCallCommandsAsTheyAre parses the flags of each call of "sr check".
func TestExamplesOfGitReviewCallCommandsAsTheyAre(t *testing.T) {
	calls := 0
	for name, content := range gitReview(t) {
		for _, line := range checkLine.FindAllStringSubmatch(content, -1) {
			calls++
			top := commands.New(&factory.Factory{IOStreams: genericiooptions.NewTestIOStreamsDiscard(), Program: "sr", KubeFlags: factory.NewKubeFlags()})
			command, args, err := top.Find(strings.Fields(line[1]))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if err := command.ParseFlags(args); err != nil {
				t.Errorf("%s: %q: %v", name, line[0], err)
			}
		}
	}
	if calls < 5 {
		t.Errorf("%d calls", calls)
	}
}
