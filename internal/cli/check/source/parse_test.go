package source_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/cli/check/source"
)

func TestObjectsAreReadAsKubectlReadsThem(t *testing.T) {
	for name, tc := range map[string]struct {
		content string
		// want is kind, line and the line of the field spec.a of each object.
		want []string
	}{
		"nothing":                       {"", nil},
		"comments alone":                {"# a\n---\n# b\n", nil},
		"one document":                  {"kind: A\nspec:\n  a: 1\n", []string{"A 1 3"}},
		"several documents":             {"---\nkind: A\n---\n# more\nkind: B\nspec: {a: 1}\n--- # end\nkind: C", []string{"A 2 2", "B 5 6", "C 8 8"}},
		"Windows' line ends":            {"kind: A\r\n---\r\nkind: B\r\nspec:\r\n  a: 1\r\n", []string{"A 1 1", "B 3 5"}},
		"JSON":                          {"{\n\t\"kind\": \"A\",\n\t\"spec\": {\n\t\t\"a\": 1}}", []string{"A 1 4"}},
		"a list of kubectl's":           {"kind: List\napiVersion: v1\nitems:\n- kind: A\n  spec:\n    a: 1\n- kind: B\n- text\n", []string{"A 4 6", "B 7 7"}},
		"a list of lists":               {"kind: List\nitems:\n- kind: AList\n  items:\n  - kind: A\n", []string{"A 5 5"}},
		"a kind that ends with List":    {"kind: AllowList\nspec: {a: 1}\n", []string{"AllowList 1 2"}},
		"an alias":                      {"kind: A\nx: &x {a: 1}\nspec: *x\n", []string{"A 1 2"}},
		"a merge":                       {"kind: A\nspec:\n  <<: {b: 1}\n  a: 1\n", []string{"A 1 4"}},
		"documents that are no objects": {"- a\n---\ntext\n---\n5\n---\nkind: A\n", []string{"A 7 7"}},
		"a separator in a text":         {"kind: A\nspec:\n  a: |\n    ---\n    b\n", []string{"A 1 3"}},
	} {
		t.Run(name, func(t *testing.T) {
			objects, err := source.Parse([]byte(tc.content))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, o := range objects {
				got = append(got, fmt.Sprintf("%s %d %d", o.Kind(), o.Line(""), o.Line("spec.a")))
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("%q instead of %q", got, tc.want)
			}
		})
	}
}

// bomb has aliases of aliases, nine times each.
func bomb() string {
	var text strings.Builder
	text.WriteString("kind: A\na0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 9; i++ {
		fmt.Fprintf(&text, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	return text.String()
}

func TestWhatCannotBeReadSaysWhereAndNotWhat(t *testing.T) {
	for name, tc := range map[string]struct {
		content string
		objects int
		line    int
		why     string
	}{
		"a text that is not YAML":           {"kind: A\nb: [hunter2\n", 0, 1, "not YAML"},
		"one document of two":               {"kind: A\n---\nkind: B\n---\nb: {hunter2\n", 2, 5, "not YAML"},
		"a tab":                             {"kind: A\nb:\n\thunter2: 1\n", 0, 3, "not YAML"},
		"bytes that are no text":            {"kind: \xff\xfehunter2\n", 0, 1, "not YAML"},
		"something behind a separator":      {"kind: A\n--- hunter2\nkind: B\n", 0, 1, "lines of their own"},
		"a document behind a document":      {"kind: A\n...\nkind: hunter2\n", 0, 1, "kubectl would not see it"},
		"aliases that expand to too much":   {bomb(), 0, 1, "aliases"},
		"an alias of itself":                {"kind: A\na: &a\n  b: *a\n", 0, 1, "cannot be read"},
		"a key that is a mapping":           {"kind: A\n? {hunter2: 1}\n: 2\n", 0, 1, "cannot be read"},
		"an alias of nothing":               {"kind: A\na: *hunter2\n", 0, 1, "not YAML"},
		"a tag that does not fit its value": {"kind: A\na: !!int hunter2\n", 0, 1, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			objects, err := source.Parse([]byte(tc.content))
			var broken *source.BrokenError
			if !errors.As(err, &broken) {
				t.Fatalf("%v", err)
			}
			if len(objects) != tc.objects || broken.Line != tc.line || !strings.Contains(broken.Why, tc.why) || strings.Contains(broken.Why, "hunter2") {
				t.Errorf("%d objects, line %d: %s", len(objects), broken.Line, broken.Why)
			}
		})
	}
}

const nested = `kind: A
spec:
  reviews:
  - reviewer: bob
    comment: |
      first
      second
  - {reviewer: carol}
metadata:
  annotations:
    example.com/a.b: x
    example.com/a: y
`

func TestFieldsHaveLines(t *testing.T) {
	objects, err := source.Parse([]byte("# one\n---\n" + nested))
	if err != nil || len(objects) != 1 {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		"": 3, "kind": 3, "spec": 4, "spec.reviews": 5, "spec.reviews[0]": 6, "spec.reviews[0].comment": 7, "spec.reviews[1].reviewer": 10,
		"spec.reviews[1].comment": 10, "spec.reviews[10].reviewer": 5, "spec.none.at.all": 4, "none": 3,
		"metadata.annotations.example.com/a.b": 13, "metadata.annotations.example.com/a": 14, "metadata.annotations[example.com/a]": 14,
	} {
		if got := objects[0].Line(path); got != want {
			t.Errorf("%q is in line %d, not %d", path, got, want)
		}
	}
	var scalars []string
	for scalar := range objects[0].Scalars() {
		scalars = append(scalars, fmt.Sprintf("%d %s=%q", scalar.Line, scalar.Path, scalar.Text))
	}
	want := []string{
		`3 kind="A"`, `6 spec.reviews[0].reviewer="bob"`, `7 spec.reviews[0].comment="first\nsecond\n"`, `10 spec.reviews[1].reviewer="carol"`,
		`13 metadata.annotations.example.com/a.b="x"`, `14 metadata.annotations.example.com/a="y"`,
	}
	if !slices.Equal(scalars, want) {
		t.Errorf("%q", scalars)
	}
}

func TestKeysThatStandTwiceAreFound(t *testing.T) {
	objects, err := source.Parse([]byte("kind: A\nspec:\n  a: 1\n  b: [{c: 1, c: 2}]\n  a: 2\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []source.Duplicate{{Path: "spec.b[0].c", Line: 4, First: 4}, {Path: "spec.a", Line: 5, First: 3}}
	if got := objects[0].Duplicates(); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{nested, bomb(), "kind: List\nitems: [{kind: A}]", "a: &a [*a]", "--- x", "...\n---\n", "<<: {a: 1}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		objects, _ := source.Parse(content)
		for _, o := range objects {
			last := strings.Count(string(content), "\n") + 2
			for scalar := range o.Scalars() {
				if line := o.Line(scalar.Path); line < 1 || line > last || scalar.Line < 1 || scalar.Line > last {
					t.Errorf("%q is in line %d and in line %d of %d", scalar.Path, scalar.Line, line, last)
				}
			}
			o.Duplicates()
		}
	})
}
