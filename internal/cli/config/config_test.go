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
		"it may lie above":         {files: map[string]string{".sr.json": `{"project":"p"}`}, want: config.Config{Project: "p"}},
		"the nearest one counts":   {files: map[string]string{".sr.json": `{"project":"far","region":"r"}`, "a/.sr.json": `{"project":"near"}`}, want: config.Config{Project: "near"}},
		"one below does not":       {files: map[string]string{"a/b/c/.sr.json": `{"project":"p"}`}},
		"the user's file is below": {files: map[string]string{"a/.sr.json": `{"project":"p"}`, "user.json": `{"project":"other","region":"r"}`}, want: config.Config{Project: "p", Region: "r"}},
		"the user's file alone":    {files: map[string]string{"user.json": `{"project":"p"}`}, want: config.Config{Project: "p"}},
		"the replaced tool's file is below both": {
			files: map[string]string{"a/.sr.json": `{"project":"p"}`, "user.json": `{"region":"r"}`, "legacy.json": `{"defaultProject":"q","defaultEnv":"e","region":"s","secretPrefix":"x/"}`},
			want:  config.Config{Project: "p", Environment: "e", Region: "r", Prefix: "x/"},
		},
		"of the replaced tool's file only what we know counts": {
			files: map[string]string{"legacy.json": `{"apiUrl":"https://x","region":"r","idToken":"t","tokenExpiresAt":1.5,"project":"p","nested":{"region":["s"]}}`},
			want:  config.Config{Region: "r"},
		},
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
			got, err := config.Load(start, filepath.Join(root, "user.json"), filepath.Join(root, "legacy.json"))
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
		"an unknown field":              {"{\n  \"project\": \"p\",\n  \"proyect\": \"x\"\n}", `unknown field "proyect" at line 3, column 11: it can have project, environment, namespace, context, region, prefix`},
		"a field in another case":       {`{"Project":"p"}`, `unknown field "Project" at line 1, column 10`},
		"a field that is no string":     {"{\n\"project\": 5\n}", `field "project" must be a string, at line 2, column 12`},
		"both names of the environment": {"{\"env\":\"a\",\n\"environment\":\"b\"}", `both "env" and "environment", at line 2, column 13: leave one out`},
		"a field twice":                 {"{\"project\":\"a\",\n\"project\":\"b\"}", `"project" twice, again at line 2, column 9: leave one out`},
		"an array":                      {`["p"]`, `it must be a JSON object`},
		"null":                          {`null`, `it must be a JSON object`},
		"no JSON":                       {`project: p`, `it is not JSON, from line 1, column 1 on`},
		"a comma that is missing":       {"{\n  \"project\": \"ü\"\n  \"environment\": \"e\"\n}\n", `it is not JSON, from line 3, column 3 on`},
		"a comma too many":              {"{\n  \"project\": \"p\",\n}\n", `it is not JSON, from line 3, column 1 on`},
		"wide characters before it":     {"{\"project\": \"üü\" x}", `it is not JSON, from line 1, column 18 on`},
		"a brace that is missing":       {"{\n  \"project\": \"p\"\n", `it is not JSON, from line 2, column 17 on`},
		"an empty file":                 {``, `it is not JSON, from line 1, column 1 on`},
		"text after the object":         {"{\"project\":\"p\"}\nx", `it is not JSON, from line 2, column 1 on`},
		"a file that is far too long":   {strings.Repeat(" ", 70000), `over 65536 bytes`},
	} {
		for _, file := range []string{config.LocalName, "user.json"} {
			t.Run(name+" in "+file, func(t *testing.T) { refused(t, file, tc.content, tc.want) })
		}
	}
	for name, tc := range map[string]struct{ content, want string }{
		"no JSON":                   {"{\n", `it is not JSON, from line 1, column 2 on`},
		"a field that is no string": {"{\"apiUrl\": 1,\n \"region\": {}}", `field "region" must be a string, at line 2`},
	} {
		t.Run(name+" in the replaced tool's file", func(t *testing.T) { refused(t, "legacy.json", tc.content, tc.want) })
	}
}

func refused(t *testing.T, file, content, want string) {
	t.Helper()
	root := t.TempDir()
	write(t, filepath.Join(root, file), content)
	_, err := config.Load(root, filepath.Join(root, "user.json"), filepath.Join(root, "legacy.json"))
	if exit.CodeOf(err) != exit.Usage {
		t.Fatalf("unexpected: %v", err)
	}
	if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), filepath.Join(root, file)) {
		t.Errorf("unexpected: %v", err)
	}
}

func TestADirectoryIsNoConfiguration(t *testing.T) {
	for _, file := range []string{config.LocalName, "user.json", "legacy.json"} {
		t.Run(file, func(t *testing.T) {
			root := t.TempDir()
			if err := os.Mkdir(filepath.Join(root, file), 0o700); err != nil {
				t.Fatal(err)
			}
			_, err := config.Load(root, filepath.Join(root, "user.json"), filepath.Join(root, "legacy.json"))
			if exit.CodeOf(err) != exit.Usage || !strings.Contains(err.Error(), filepath.Join(root, file)+" is a directory") {
				t.Errorf("unexpected: %v", err)
			}
		})
	}
}

func TestTheReplacedToolsFileIsWhereThatToolHasIt(t *testing.T) {
	t.Setenv("HOME", "/home/alice")
	t.Setenv("SR_CONFIG_DIR", "")
	if got := config.LegacyFile(); got != "/home/alice/.cdk-gitify-secrets/config.json" {
		t.Error(got)
	}
	t.Setenv("SR_CONFIG_DIR", "/elsewhere")
	if got := config.LegacyFile(); got != "/elsewhere/config.json" {
		t.Error(got)
	}
}
