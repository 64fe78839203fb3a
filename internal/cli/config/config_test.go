package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/cli/config"
	"github.com/secretreview/secretreview/internal/cli/exit"
)

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLoad(t *testing.T) {
	for name, tc := range map[string]struct {
		files map[string]string
		want  config.Config
	}{
		"nothing is there": {},
		"the local file says everything": {
			files: map[string]string{"a/b/.sr.json": `{"project":"p","environment":"e","namespace":"n","context":"c","region":"r","prefix":"x/"}`},
			want:  config.Config{Project: "p", Environment: "e", Namespace: "n", Context: "c", Region: "r", Prefix: "x/"},
		},
		"it may lie above":           {files: map[string]string{".sr.json": `{"project":"p"}`}, want: config.Config{Project: "p"}},
		"the nearest one counts":     {files: map[string]string{".sr.json": `{"project":"far","region":"r"}`, "a/.sr.json": `{"project":"near"}`}, want: config.Config{Project: "near"}},
		"one below does not":         {files: map[string]string{"a/b/c/.sr.json": `{"project":"p"}`}},
		"the user's file is below":   {files: map[string]string{"a/.sr.json": `{"project":"p"}`, "user.json": `{"project":"other","region":"r"}`}, want: config.Config{Project: "p", Region: "r"}},
		"the user's file alone":      {files: map[string]string{"user.json": `{"project":"p"}`}, want: config.Config{Project: "p"}},
		"env stands for environment": {files: map[string]string{"a/b/.sr.json": `{"project":"p","env":"e"}`}, want: config.Config{Project: "p", Environment: "e"}},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			start := filepath.Join(root, "a", "b")
			if err := os.MkdirAll(start, 0o700); err != nil {
				t.Fatal(err)
			}
			for path, content := range tc.files {
				write(t, filepath.Join(root, path), content)
			}
			got, err := config.Load(start, filepath.Join(root, "user.json"))
			if err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("%+v instead of %+v", got, tc.want)
			}
		})
	}
}

func TestLoadRefusesWhatItDoesNotUnderstand(t *testing.T) {
	for name, tc := range map[string]struct{ content, want string }{
		"an unknown field":              {`{"project":"p","proyect":"x"}`, `unknown field "proyect": it can have project, environment, namespace, context, region, prefix`},
		"a field in another case":       {`{"Project":"p"}`, `unknown field "Project"`},
		"a field that is no string":     {`{"project":5}`, `field "project" must be a string`},
		"both names of the environment": {`{"env":"a","environment":"b"}`, `leave one out`},
		"an array":                      {`["p"]`, `it must be a JSON object`},
		"no JSON":                       {`project: p`, `it is not JSON`},
		"an empty file":                 {``, `it is not JSON`},
		"text after the object":         {`{"project":"p"} x`, `it is not JSON`},
		"a file that is far too long":   {strings.Repeat(" ", 70000), `over 65536 bytes`},
	} {
		for _, file := range []string{config.LocalName, "user.json"} {
			t.Run(name+" in "+file, func(t *testing.T) {
				root := t.TempDir()
				write(t, filepath.Join(root, file), tc.content)
				_, err := config.Load(root, filepath.Join(root, "user.json"))
				if exit.CodeOf(err) != exit.Usage {
					t.Fatalf("unexpected: %v", err)
				}
				if !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), filepath.Join(root, file)) {
					t.Errorf("unexpected: %v", err)
				}
			})
		}
	}
}

func TestADirectoryIsNoConfiguration(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, config.LocalName), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(root, ""); exit.CodeOf(err) != exit.Usage {
		t.Errorf("unexpected: %v", err)
	}
}
