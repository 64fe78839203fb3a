package source_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/secretreview/secretreview/internal/cli/check/source"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
)

// tree makes files of their contents, directories of names that end with a
// slash, and symbolic links of contents that begin with "->".
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		target, link := strings.CutPrefix(content, "->")
		var err error
		switch {
		case link:
			err = os.Symlink(target, path)
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(path, 0o700)
		default:
			err = os.WriteFile(path, []byte(content), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func walk(ctx context.Context, dir, stdin string, paths ...string) (seen []string, err error) {
	f := &factory.Factory{Directory: dir, IOStreams: genericiooptions.IOStreams{In: strings.NewReader(stdin)}}
	err = source.Walk(ctx, f, paths, func(file source.File) {
		what := string(file.Content)
		switch {
		case file.Link:
			what = "link"
		case file.TooLarge():
			what = "too large"
		case !file.Manifest:
			what = "head of " + file.FirstLine()
		case !file.Certain:
			what = "perhaps " + what
		}
		seen = append(seen, file.Name+": "+what)
	})
	return seen, err
}

func TestFilesAreFoundInOrderAndOnce(t *testing.T) {
	outside := tree(t, map[string]string{"x.yaml": "outside"})
	dir := tree(t, map[string]string{
		"m/b.yaml": "b", "m/a/z.yml": "z", "m/a/y.JSON": "y", "m/.env": "# secretreview: x\r\nA=b", "m/README.md": "# Title\n" + strings.Repeat("x", 1<<20),
		"m/.git/c.yaml": "c", "m/.github/d.yaml": "d", "m/inside.yaml": "->a/z.yml", "m/outside.yaml": "->" + outside + "/x.yaml",
		"m/up.yaml": "->../secret.yaml", "m/dir": "->" + outside, "m/dangling.yaml": "->nowhere", "secret.yaml": "secret", "named.txt": "named",
		"m/empty/": "", "huge.yaml": strings.Repeat("#", source.MaxBytes+1), "link.yaml": "->m/b.yaml",
	})
	for name, tc := range map[string]struct{ paths, want []string }{
		"a directory": {[]string{"m"}, []string{
			"m/.env: head of # secretreview: x", "m/.github/d.yaml: d", "m/README.md: head of # Title", "m/a/y.JSON: y", "m/a/z.yml: z", "m/b.yaml: b",
			"m/dangling.yaml: link", "m/dir: link", "m/outside.yaml: link", "m/up.yaml: link",
		}},
		"files, in the order in which they are named": {[]string{"m/b.yaml", "./m/a/z.yml", "named.txt"}, []string{"m/b.yaml: b", "./m/a/z.yml: z", "named.txt: perhaps named"}},
		"a file that is in a directory, too":          {[]string{"m/a/z.yml", "m/a", "m/a/z.yml"}, []string{"m/a/z.yml: z", "m/a/y.JSON: y"}},
		"a link that is named":                        {[]string{"link.yaml"}, []string{"link.yaml: b"}},
		"a file that is too large":                    {[]string{"huge.yaml"}, []string{"huge.yaml: too large"}},
		"standard input":                              {[]string{"-", "m/b.yaml"}, []string{"-: input", "m/b.yaml: b"}},
		"an empty directory":                          {[]string{"m/empty"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			seen, err := walk(t.Context(), dir, "input", tc.paths...)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(seen, tc.want) {
				t.Errorf("%q instead of %q", seen, tc.want)
			}
		})
	}
}

func TestWhatCannotBeReadFails(t *testing.T) {
	dir := tree(t, map[string]string{"m/a.yaml": "a", "m/b.yaml": "b"})
	t.Run("a path that is not there", func(t *testing.T) {
		_, err := walk(t.Context(), dir, "", "m", "none\x1b[2J")
		if exit.CodeOf(err) != exit.Usage || !strings.Contains(err.Error(), `there is no file or directory "none\x1b[2J"`) {
			t.Errorf("%v", err)
		}
	})
	t.Run("a file that nobody may read", func(t *testing.T) {
		if err := os.Chmod(filepath.Join(dir, "m", "b.yaml"), 0); err != nil {
			t.Fatal(err)
		}
		if _, err := os.ReadFile(filepath.Join(dir, "m", "b.yaml")); err == nil {
			t.Skip("this user may read everything")
		}
		_, err := walk(t.Context(), dir, "", "m")
		if exit.CodeOf(err) != exit.Failure || !strings.Contains(err.Error(), "read m/b.yaml") {
			t.Errorf("%v", err)
		}
	})
	t.Run("somebody who gives up", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := walk(ctx, dir, "", "m"); exit.CodeOf(err) != exit.Cancelled {
			t.Errorf("%v", err)
		}
	})
}

func TestALongFirstLineIsCut(t *testing.T) {
	if line := (source.File{Content: bytes.Repeat([]byte("x"), 1<<20)}).FirstLine(); len(line) != 1<<10 {
		t.Errorf("%d bytes", len(line))
	}
}
