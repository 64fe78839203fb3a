package argocd_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/health"
	argov1alpha1 "github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/lua"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/config"
)

const (
	gitops         = "../../gitops/argocd"
	customizations = gitops + "/resource_customizations"
	healthPrefix   = "resource.customizations.health."
)

// overrides are the health checks as Argo CD has them from its ConfigMap: by group/kind, without Lua's libraries.
func overrides(t testing.TB) lua.ResourceHealthOverrides {
	t.Helper()
	var patch corev1.ConfigMap
	content, err := os.ReadFile(filepath.Join(gitops, "argocd-cm.yaml"))
	if err == nil {
		err = yaml.UnmarshalStrict(content, &patch)
	}
	if err != nil {
		t.Fatal(err)
	}
	found := lua.ResourceHealthOverrides{}
	for key, script := range patch.Data {
		groupKind := strings.Replace(strings.TrimPrefix(key, healthPrefix), "_", "/", 1)
		found[groupKind] = argov1alpha1.ResourceOverride{HealthLua: script}
	}
	return found
}

// TestTheScriptsPassArgoCDsOwnTest reads each health_test.yaml as util/lua/health_test.go of Argo CD does, and also runs
// the script as the ConfigMap brings it.
func TestTheScriptsPassArgoCDsOwnTest(t *testing.T) {
	type structure struct {
		Tests []struct {
			InputPath    string              `json:"inputPath"`
			HealthStatus health.HealthStatus `json:"healthStatus"`
		} `json:"tests"`
	}
	fromConfigMap := overrides(t)
	scripts, err := filepath.Glob(customizations + "/*/*/health.lua")
	if err != nil || len(scripts) != len(fromConfigMap) {
		t.Fatalf("found %v (%v), and %d in the ConfigMap", scripts, err, len(fromConfigMap))
	}
	for _, path := range scripts {
		dir := filepath.Dir(path)
		script := string(read(t, path))
		var tests structure
		if err := yaml.UnmarshalStrict(read(t, filepath.Join(dir, "health_test.yaml")), &tests); err != nil {
			t.Fatal(err)
		}
		tried := map[string]bool{}
		for _, test := range tests.Tests {
			tried[filepath.Join(dir, test.InputPath)] = true
			t.Run(filepath.Join(filepath.Base(dir), test.InputPath), func(t *testing.T) {
				object := object(t, read(t, filepath.Join(dir, test.InputPath)))
				got, err := (lua.VM{UseOpenLibs: true}).ExecuteHealthLua(object, script)
				if err != nil || *got != test.HealthStatus {
					t.Errorf("got %v (%v), want %v", got, err, test.HealthStatus)
				}
				got, err = health.GetResourceHealth(object, fromConfigMap)
				if err != nil || got == nil || *got != test.HealthStatus {
					t.Errorf("got %v (%v) by the ConfigMap, want %v", got, err, test.HealthStatus)
				}
			})
		}
		if data, err := filepath.Glob(dir + "/testdata/*.yaml"); err != nil || len(data) != len(tried) {
			t.Errorf("%v in %s are tested, and there are %v (%v)", tried, dir, data, err)
		}
	}
}

// TestTheTestdataIsWhatTheAPIHas fails when a field of the recorded objects has got another name.
func TestTheTestdataIsWhatTheAPIHas(t *testing.T) {
	for kind, into := range map[string]func() any{
		"SecretChange":  func() any { return &v1alpha1.SecretChange{} },
		"SecretProject": func() any { return &v1alpha1.SecretProject{} },
	} {
		paths, err := filepath.Glob(filepath.Join(customizations, v1alpha1.GroupName, kind, "testdata/*.yaml"))
		if err != nil || len(paths) == 0 {
			t.Errorf("there is no testdata of %s (%v)", kind, err)
		}
		for _, path := range paths {
			if err := yaml.UnmarshalStrict(read(t, path), into()); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
}

// phases are all that the CRD knows.
func phases(t *testing.T) []v1alpha1.Phase {
	t.Helper()
	objects, err := config.Objects(config.CRDDir)
	if err != nil {
		t.Fatal(err)
	}
	var phases []v1alpha1.Phase
	for _, object := range objects {
		var crd apiextensionsv1.CustomResourceDefinition
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &crd); err != nil {
			t.Fatal(err)
		}
		if crd.Spec.Names.Kind != "SecretChange" {
			continue
		}
		status := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["status"]
		for _, value := range status.Properties["phase"].Enum {
			phases = append(phases, v1alpha1.Phase(strings.Trim(string(value.Raw), `"`)))
		}
	}
	return phases
}

func TestEveryPhaseHasAHealth(t *testing.T) {
	want := map[v1alpha1.Phase]health.HealthStatusCode{
		v1alpha1.PhasePending:    health.HealthStatusSuspended,
		v1alpha1.PhaseApproved:   health.HealthStatusProgressing,
		v1alpha1.PhaseApplied:    health.HealthStatusHealthy,
		v1alpha1.PhaseRejected:   health.HealthStatusDegraded,
		v1alpha1.PhaseConflicted: health.HealthStatusDegraded,
		v1alpha1.PhaseExpired:    health.HealthStatusDegraded,
		v1alpha1.PhaseInvalid:    health.HealthStatusDegraded,
	}
	known := phases(t)
	if len(known) != len(want) {
		t.Fatalf("the CRD has the phases %v", known)
	}
	scripts := overrides(t)
	for _, phase := range known {
		change := map[string]any{"status": map[string]any{
			"observedGeneration": int64(1), "phase": string(phase), "message": "So it is", "summary": "+A ~B",
		}}
		got, err := health.GetResourceHealth(kind("SecretChange", change), scripts)
		if message := string(phase) + ": So it is (keys: +A ~B)"; err != nil || got.Status != want[phase] || got.Message != message {
			t.Errorf("%s is %v (%v), want %s", phase, got, err, want[phase])
		}
	}
}

func TestOddObjectsHaveAHealth(t *testing.T) {
	const (
		newChange  = "The secretreview manager has not looked at this change yet"
		newProject = "The secretreview manager has not looked at this project yet"
		stale      = "The secretreview manager has not looked at the newest version of this project yet"
	)
	ready := func(status, message string) map[string]any {
		return map[string]any{"type": "Ready", "status": status, "message": message}
	}
	stalled := map[string]any{"type": "Stalled", "status": "True", "message": "It is bad"}
	project := func(conditions ...any) map[string]any {
		return map[string]any{
			"metadata": map[string]any{"generation": int64(2)},
			"status":   map[string]any{"observedGeneration": int64(2), "conditions": conditions},
		}
	}
	scripts := overrides(t)
	for name, tc := range map[string]struct {
		kind   string
		object map[string]any
		want   health.HealthStatus
	}{
		"a change without a status": {"SecretChange", map[string]any{}, health.HealthStatus{Status: health.HealthStatusProgressing, Message: newChange}},
		"a change with nothing in its status": {"SecretChange", map[string]any{"status": map[string]any{}},
			health.HealthStatus{Status: health.HealthStatusProgressing, Message: newChange}},
		"a change as the CRD makes it": {"SecretChange", map[string]any{"status": map[string]any{"observedGeneration": int64(-1)}},
			health.HealthStatus{Status: health.HealthStatusProgressing, Message: newChange}},
		"a change that waits for its project": {"SecretChange",
			map[string]any{"status": map[string]any{"observedGeneration": int64(1), "message": "Waiting"}},
			health.HealthStatus{Status: health.HealthStatusProgressing, Message: "Waiting"}},
		"a change with an empty phase": {"SecretChange",
			map[string]any{"status": map[string]any{"observedGeneration": int64(1), "phase": ""}},
			health.HealthStatus{Status: health.HealthStatusProgressing, Message: newChange}},
		"a change in a phase that nobody knows": {"SecretChange",
			map[string]any{"status": map[string]any{"observedGeneration": int64(1), "phase": "Haunted", "message": "Boo"}},
			health.HealthStatus{Status: health.HealthStatusDegraded, Message: "Haunted: Boo"}},
		"a change that says nothing of itself": {"SecretChange",
			map[string]any{"status": map[string]any{"observedGeneration": int64(1), "phase": "Applied"}},
			health.HealthStatus{Status: health.HealthStatusHealthy, Message: "Applied"}},
		"a change that is being deleted": {"SecretChange",
			map[string]any{"metadata": map[string]any{"deletionTimestamp": "2026-01-01T00:00:00Z"}, "status": map[string]any{"phase": "Applied"}},
			health.HealthStatus{Status: health.HealthStatusProgressing, Message: "Pending deletion"}},

		"a project without a status": {"SecretProject", map[string]any{}, health.HealthStatus{Status: health.HealthStatusProgressing, Message: newProject}},
		"a project as the CRD makes it": {"SecretProject",
			map[string]any{"metadata": map[string]any{"generation": int64(1)}, "status": map[string]any{"observedGeneration": int64(-1)}},
			health.HealthStatus{Status: health.HealthStatusProgressing, Message: newProject}},
		"a project of which an older version was ready": {"SecretProject",
			map[string]any{
				"metadata": map[string]any{"generation": int64(3)},
				"status":   map[string]any{"observedGeneration": int64(2), "conditions": []any{ready("True", "All is well")}},
			}, health.HealthStatus{Status: health.HealthStatusProgressing, Message: stale}},
		"a project without the condition": {"SecretProject", project(stalled), health.HealthStatus{Status: health.HealthStatusProgressing, Message: newProject}},
		"a project that is ready":         {"SecretProject", project(ready("True", "All is well")), health.HealthStatus{Status: health.HealthStatusHealthy, Message: "All is well"}},
		"a project that needs a person":   {"SecretProject", project(ready("False", "It is bad"), stalled), health.HealthStatus{Status: health.HealthStatusDegraded, Message: "It is bad"}},
		"a project that is tried again": {"SecretProject", project(ready("False", "Not now")),
			health.HealthStatus{Status: health.HealthStatusProgressing, Message: "Not now"}},
		"a project that has drifted": {"SecretProject",
			project(map[string]any{"type": "InSync", "status": "False", "message": "Somebody was here"}, ready("True", "All is well")),
			health.HealthStatus{Status: health.HealthStatusHealthy, Message: "All is well. Drift: Somebody was here"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := health.GetResourceHealth(kind(tc.kind, tc.object), scripts)
			if err != nil || got == nil || *got != tc.want {
				t.Errorf("got %v (%v), want %v", got, err, tc.want)
			}
		})
	}
}

// kind gives an object its kind.
func kind(name string, content map[string]any) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: content}
	object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(name))
	object.SetName("x")
	return object
}

func object(t testing.TB, text []byte) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(text, &object.Object); err != nil {
		t.Fatal(err)
	}
	return object
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
