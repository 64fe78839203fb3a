// Package argocd_test holds the patch for Argo CD's ConfigMap to the health checks that it is made of.
package argocd_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the ConfigMap")

const (
	configMap = "argocd-cm.yaml"

	header = `# Health checks of Argo CD for secretreview's kinds: made of resource_customizations by "make generate".
# kubectl patch configmap argocd-cm --namespace argocd --type merge --patch-file argocd-cm.yaml
`
)

// generated is the patch that the scripts make.
func generated(t *testing.T) string {
	t.Helper()
	scripts, err := filepath.Glob("resource_customizations/*/*/health.lua")
	if err != nil {
		t.Fatal(err)
	}
	if len(scripts) == 0 {
		t.Fatal("there are no health checks")
	}
	data := map[string]string{}
	for _, script := range scripts {
		content, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		kind := filepath.Dir(script)
		data["resource.customizations.health."+filepath.Base(filepath.Dir(kind))+"_"+filepath.Base(kind)] = string(content)
	}
	patch, err := yaml.Marshal(map[string]any{
		"apiVersion": "v1",
		"kind":       "ConfigMap",
		// Argo CD reads no ConfigMap without this label.
		"metadata": map[string]any{"name": "argocd-cm", "namespace": "argocd", "labels": map[string]any{"app.kubernetes.io/part-of": "argocd"}},
		"data":     data,
	})
	if err != nil {
		t.Fatal(err)
	}
	return header + string(patch)
}

func TestTheConfigMapHoldsTheHealthChecks(t *testing.T) {
	want := generated(t)
	if *update {
		if err := os.WriteFile(configMap, []byte(want), 0o644); err != nil { //nolint:gosec // it is published
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(configMap)
	if err != nil {
		t.Fatal(err)
	}
	if string(content) != want {
		t.Errorf("%s is not what the health checks make: run `make generate`", configMap)
	}
	if strings.Contains(want, `\n`) {
		t.Errorf("the scripts in %s are not written as blocks that people can read", configMap)
	}
}
