package schema_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/secretreview/secretreview/config"
	"github.com/secretreview/secretreview/internal/cli/check/schema"
	"github.com/secretreview/secretreview/test/cluster"
)

// canary stands where a person may have pasted a value.
const canary = "canary-hunter2"

const change = `
apiVersion: secretreview.dev/v1alpha1
kind: SecretChange
metadata: {name: api-x7k2p, namespace: default}
spec:
  project: api
  environment: production
  reason: because
  proposedBy: alice
  staged:
    secretARN: arn:aws:secretsmanager:eu-central-1:123456789012:secret:secret-review/pending/api/api-x7k2p-AbCdEf
    versionID: 7f07b8e6-b368-4559-8d5a-3bf3bf625b46
    digest: sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
`

const project = `
apiVersion: secretreview.dev/v1alpha1
kind: SecretProject
metadata: {name: api, namespace: default}
spec:
  environments:
  - name: production
`

// cases replace a part of a manifest by another.
var cases = map[string]struct {
	manifest, old, new string
	// want are the fields that are refused.
	want []string
}{
	"a change":  {manifest: change},
	"a project": {manifest: project},
	"a change with reviews": {
		manifest: change, old: "  staged:", new: "  reviews: [{reviewer: bob, verdict: Approved, comment: fine}]\n  staged:",
	},
	"a rollback": {
		manifest: before(change, "  staged:"), old: "  reason:",
		new: "  rollback: {change: api-1}\n  baseVersionID: 7f07b8e6-b368-4559-8d5a-3bf3bf625b46\n  reason:",
	},
	"a rollback without its base": {
		manifest: before(change, "  staged:"), old: "  reason:", new: "  rollback: {change: api-1}\n  reason:", want: []string{"spec"},
	},
	"no source":              {manifest: before(change, "  staged:"), want: []string{"spec"}},
	"two sources":            {manifest: change, old: "  staged:", new: "  restore: {change: a}\n  staged:", want: []string{"spec"}},
	"no spec":                {manifest: before(change, "spec:"), want: []string{"spec"}},
	"a spec that is a text":  {manifest: before(change, "spec:") + "spec: " + canary, want: []string{"spec"}},
	"a value in the spec":    {manifest: change, old: "  reason:", new: "  value: " + canary + "\n  reason:", want: []string{"spec.value"}},
	"values in the spec":     {manifest: change, old: "  reason:", new: "  data: {A: " + canary + "}\n  reason:", want: []string{"spec.data"}},
	"a value beside it":      {manifest: change, old: "spec:", new: "stringData: {A: " + canary + "}\nspec:", want: []string{"stringData"}},
	"a value in the source":  {manifest: change, old: "    digest:", new: "    value: " + canary + "\n    digest:", want: []string{"spec.staged.value"}},
	"an unknown metadata":    {manifest: change, old: "namespace:", new: "foo: " + canary + ", namespace:", want: []string{"metadata.foo"}},
	"an unknown status":      {manifest: change, old: "spec:", new: "status: {foo: " + canary + "}\nspec:", want: []string{"status.foo"}},
	"no reason":              {manifest: change, old: "  reason: because\n", new: "", want: []string{"spec.reason"}},
	"a blank reason":         {manifest: change, old: "because", new: `" "`, want: []string{"spec.reason"}},
	"a long reason":          {manifest: change, old: "because", new: strings.Repeat("ä", 1500), want: []string{"spec.reason"}},
	"a reason of a number":   {manifest: change, old: "because", new: "5", want: []string{"spec.reason"}},
	"a reserved environment": {manifest: change, old: "production", new: "status", want: []string{"spec.environment"}},
	"a digest of another form": {
		manifest: change, old: "sha256:", new: "md5:", want: []string{"spec.staged.digest"},
	},
	"a value for a version": {
		manifest: change, old: "7f07b8e6-b368-4559-8d5a-3bf3bf625b46", new: canary, want: []string{"spec.staged.versionID"},
	},
	"a value for an ARN": {manifest: change, old: "arn:aws:", new: canary + ":", want: []string{"spec.staged.secretARN"}},
	"a verdict that is none": {
		manifest: change, old: "  staged:", new: "  reviews: [{reviewer: bob, verdict: " + canary + "}]\n  staged:", want: []string{"spec.reviews[0].verdict"},
	},
	"a reviewer who comes twice": {
		manifest: change, old: "  staged:", new: "  reviews: [{reviewer: bob, verdict: Approved}, {reviewer: bob, verdict: Approved}]\n  staged:",
		want: []string{"spec.reviews[1]"},
	},
	"a name that is none":          {manifest: change, old: "name: api-x7k2p", new: "name: Canary_Hunter2", want: []string{"metadata.name"}},
	"a label that is none":         {manifest: change, old: "namespace:", new: "labels: {a: '" + canary + "!'}, namespace:", want: []string{"metadata.labels"}},
	"a project called pending":     {manifest: project, old: "name: api", new: "name: pending", want: []string{""}},
	"a project's name pending":     {manifest: project, old: "  environments:", new: "  projectName: pending\n  environments:", want: []string{"spec.projectName"}},
	"a project of a dotted name":   {manifest: project, old: "name: api", new: "name: a.b", want: []string{""}},
	"no environments":              {manifest: before(project, "  environments:") + "  suspend: true", want: []string{"spec.environments"}},
	"an environment twice":         {manifest: project, old: "  - name: production\n", new: "  - name: a\n  - name: a\n", want: []string{"spec.environments[1]"}},
	"a short time to live":         {manifest: project, old: "  environments:", new: "  changeTTL: 1s\n  environments:", want: []string{"spec.changeTTL"}},
	"a time to live that is none":  {manifest: project, old: "  environments:", new: "  changeTTL: " + canary + "\n  environments:", want: []string{"spec.changeTTL"}},
	"a quorum that is too large":   {manifest: project, old: "  - name: production\n", new: "  - name: production\n    requiredApprovals: 17\n", want: []string{"spec.environments[0].requiredApprovals"}},
	"a mistyped conflict policy":   {manifest: project, old: "  environments:", new: "  conflictPolicy: byKey\n  environments:", want: []string{"spec.conflictPolicy"}},
	"a null where there is a rule": {manifest: project, old: "  environments:", new: "  changeTTL: null\n  environments:"},
}

func object(t *testing.T, manifest string) map[string]any {
	t.Helper()
	value := map[string]any{}
	if err := yaml.Unmarshal([]byte(manifest), &value); err != nil {
		t.Fatal(err)
	}
	return numbers(value)
}

// numbers makes whole numbers of what YAML reads as floats, as the API server does.
func numbers(value map[string]any) map[string]any {
	text, _ := (&unstructured.Unstructured{Object: value}).MarshalJSON()
	u := &unstructured.Unstructured{}
	if u.UnmarshalJSON(text) == nil {
		return u.Object
	}
	return value
}

func TestProblemsAreFoundWithoutACluster(t *testing.T) {
	schemas, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, problem := range schemas.Create(t.Context(), object(t, edited(t, tc.manifest, tc.old, tc.new))) {
				got = append(got, problem.Path)
				if strings.Contains(strings.ToLower(problem.Message), "hunter2") {
					t.Errorf("it tells the value: %s", problem.Message)
				}
				if problem.Message == "" != problem.Unknown {
					t.Errorf("%+v", problem)
				}
			}
			if slices.Sort(got); !slices.Equal(slices.Compact(got), tc.want) {
				t.Errorf("%q instead of %q", got, tc.want)
			}
		})
	}
}

// before is what stands before a mark.
func before(manifest, mark string) string {
	part, _, _ := strings.Cut(manifest, mark)
	return part
}

func edited(t *testing.T, manifest, old, new string) string {
	t.Helper()
	if !strings.Contains(manifest, old) {
		t.Fatalf("there is no %q in it", old)
	}
	return strings.Replace(manifest, old, new, 1)
}

func TestTheKindsAreThoseOfThisRelease(t *testing.T) {
	schemas, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]bool{
		"secretreview.dev/v1alpha1 SecretChange": true, "secretreview.dev/v1alpha1 SecretProject": true,
		"secretreview.dev/v1 SecretChange": false, "v1 Secret": false, "secretreview.dev/v1alpha1 Secretchange": false,
	} {
		apiVersion, name, _ := strings.Cut(kind, " ")
		if got := schemas.Knows(apiVersion, name); got != want {
			t.Errorf("%s: %v", kind, got)
		}
	}
}

// TestARealAPIServerSaysTheSame dry-runs each case on a real API server that has the CRDs and no policies.
func TestARealAPIServerSaysTheSame(t *testing.T) {
	running := cluster.Run(t, cluster.Options{})
	admin, err := client.New(running.AdminConfig(), client.Options{Scheme: runtime.NewScheme()})
	if err != nil {
		t.Fatal(err)
	}
	crds, err := config.Objects(config.CRDDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, crd := range crds {
		if err := admin.Create(t.Context(), crd); err != nil {
			t.Fatal(err)
		}
	}
	create := func(manifest string) error {
		return admin.Create(t.Context(), &unstructured.Unstructured{Object: object(t, manifest)}, client.DryRunAll, client.FieldValidation("Strict"))
	}
	err = wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
		return create(change) == nil && create(project) == nil, nil
	})
	if err != nil {
		t.Fatalf("the API server does not take them: %v, %v", create(change), create(project))
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := create(edited(t, tc.manifest, tc.old, tc.new))
			var status apierrors.APIStatus
			if (err == nil) != (len(tc.want) == 0) {
				t.Fatalf("it says %v", err)
			}
			if !errors.As(err, &status) || status.Status().Details == nil {
				return // Unknown fields come as a text.
			}
			var got []string
			for _, cause := range status.Status().Details.Causes {
				if cause.Message != "" && !strings.Contains(cause.Message, "some validation rules were not checked") {
					got = append(got, strings.TrimPrefix(strings.TrimPrefix(cause.Field, "<nil>"), "."))
				}
			}
			if slices.Sort(got); len(got) > 0 && !slices.Equal(slices.Compact(got), tc.want) {
				t.Errorf("it refuses %q instead of %q: %v", got, tc.want, err)
			}
		})
	}
}
