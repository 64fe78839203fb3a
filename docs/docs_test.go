// Package docs_test holds the documents to the code.
package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = ".."

// documents are all Markdown files of the project, by their path from root.
func documents(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/runbooks/*.md"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			found[strings.TrimPrefix(path, root+"/")] = string(content)
		}
	}
	if len(found) == 0 {
		t.Fatal("there are no documents")
	}
	return found
}

// constants returns the values of a file's string constants, by name.
func constants(t *testing.T, path string) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, value := range spec.Values {
			if literal, isLiteral := value.(*ast.BasicLit); isLiteral && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil {
					values[spec.Names[i].Name] = text
				}
			}
		}
		return true
	})
	return values
}

func TestDocumentsTellOfEveryConditionReasonAndMetric(t *testing.T) {
	all := documents(t)
	for path, where := range map[string]struct {
		document string
		prefixes []string
	}{
		"api/v1alpha1/conditions.go":             {"docs/operations.md", []string{"Condition", "Reason"}},
		"internal/controller/metrics/metrics.go": {"docs/observability.md", []string{""}},
	} {
		told := 0
		for name, value := range constants(t, path) {
			if !slices.ContainsFunc(where.prefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
				continue
			}
			told++
			if !regexp.MustCompile("`[^`\n]*\\b" + regexp.QuoteMeta(value) + "\\b[^`\n]*`").MatchString(all[where.document]) {
				t.Errorf("%s says nothing of %q (%s in %s)", where.document, value, name, path)
			}
		}
		if told == 0 {
			t.Errorf("%s has no constants", path)
		}
	}
}

var (
	link = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	// code is what is shown as it is, in which nothing is a link: a pattern may look like one.
	code = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	// file is a path of this repository in backticks.
	file    = regexp.MustCompile("`((?:api|cmd|config|docs|examples|internal|test|tools)/[A-Za-z0-9_./-]*)`")
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
)

// anchors are a document's headings as GitHub makes links of them.
func anchors(document string) []string {
	var all []string
	for _, found := range heading.FindAllStringSubmatch(document, -1) {
		text := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(found[1]), "")
		all = append(all, strings.ReplaceAll(text, " ", "-"))
	}
	return all
}

func TestLinksLeadSomewhere(t *testing.T) {
	all := documents(t)
	for name, document := range all {
		for _, found := range link.FindAllStringSubmatch(code.ReplaceAllString(document, "code"), -1) {
			target, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			path := name
			if target != "" {
				path = filepath.Join(filepath.Dir(name), target)
			}
			if _, err := os.Stat(filepath.Join(root, path)); err != nil {
				t.Errorf("%s links to %s, which is not there", name, found[1])
			} else if anchor != "" && !slices.Contains(anchors(all[path]), anchor) {
				t.Errorf("%s links to %s, which has no such heading", name, found[1])
			}
		}
	}
}

func TestNamedFilesAreThere(t *testing.T) {
	for name, document := range documents(t) {
		for _, found := range file.FindAllStringSubmatch(document, -1) {
			if _, err := os.Stat(filepath.Join(root, found[1])); err != nil {
				t.Errorf("%s names %s, which is not there", name, found[1])
			}
		}
	}
}
