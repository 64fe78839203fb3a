package factory_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/secretstore"
)

const kubeconfig = `
apiVersion: v1
kind: Config
current-context: first
clusters:
- {name: c, cluster: {server: "https://127.0.0.1:1"}}
users:
- {name: u, user: {token: x}}
contexts:
- {name: first, context: {cluster: c, user: u, namespace: of-first}}
- {name: second, context: {cluster: c, user: u, namespace: of-second}}
- {name: bare, context: {cluster: c, user: u}}
`

func TestNamespace(t *testing.T) {
	for name, tc := range map[string]struct {
		local, user        string
		namespace, context string
		want               string
		code               exit.Code
	}{
		"the current context's":              {want: "of-first"},
		"--context's":                        {context: "second", want: "of-second"},
		"a context's that has none":          {context: "bare", want: "default"},
		"of .sr.json's context":              {local: `{"context":"second"}`, want: "of-second"},
		"--context goes before .sr.json's":   {local: `{"context":"second"}`, context: "first", want: "of-first"},
		".sr.json's":                         {local: `{"namespace":"local"}`, user: `{"namespace":"user"}`, want: "local"},
		"the user's file's":                  {user: `{"namespace":"user"}`, want: "user"},
		"--namespace's":                      {local: `{"namespace":"local"}`, namespace: "flag", want: "flag"},
		"none, where a file is not good":     {local: `{"nothing":"x"}`, code: exit.Usage},
		"none, where the context is not one": {context: "nowhere", code: exit.Usage},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFactory(t, tc.local, tc.user)
			*f.KubeFlags.Namespace, *f.KubeFlags.Context = tc.namespace, tc.context
			got, err := f.Namespace()
			if exit.CodeOf(err) != tc.code || got != tc.want {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func newFactory(t *testing.T, local, user string) *factory.Factory {
	t.Helper()
	dir := t.TempDir()
	f := &factory.Factory{Directory: dir, UserConfig: filepath.Join(dir, "user.json"), KubeFlags: factory.NewKubeFlags()}
	for path, content := range map[string]string{".sr.json": local, "user.json": user, "kubeconfig": kubeconfig} {
		if content == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, path), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	*f.KubeFlags.KubeConfig = filepath.Join(dir, "kubeconfig")
	return f
}

func TestFlagsGoBeforeFiles(t *testing.T) {
	f := newFactory(t, `{"project":"local","environment":"local"}`, `{"project":"user","region":"user"}`)
	f.Flags.Environment = "flag"
	c, err := f.Config()
	if err != nil {
		t.Fatal(err)
	}
	if c.Project != "local" || c.Environment != "flag" || c.Region != "user" {
		t.Errorf("unexpected: %+v", c)
	}
}

func TestStoreConnectsOnceForEachRegion(t *testing.T) {
	var asked []string
	f := &factory.Factory{NewStore: func(_ context.Context, region string) (secretstore.Store, error) {
		asked = append(asked, region)
		if region == "broken" {
			return nil, errors.New("broken")
		}
		return nil, nil
	}}
	for _, region := range []string{"a", "b", "a", "broken", "broken"} {
		_, err := f.Store(t.Context(), region)
		if (err != nil) != (region == "broken") {
			t.Errorf("%s: %v", region, err)
		}
	}
	if len(asked) != 4 {
		t.Errorf("asked for %v", asked)
	}
}

func TestPathsBeginAtTheDirectory(t *testing.T) {
	f := &factory.Factory{Directory: "/work"}
	for path, want := range map[string]string{"a": "/work/a", "../a": "/a", "/b/a": "/b/a"} {
		if got := f.Path(path); got != want {
			t.Errorf("%s: %s instead of %s", path, got, want)
		}
	}
}
