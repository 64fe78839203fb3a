package guard

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/secretreview/secretreview/config"
)

func expect(t *testing.T, options Options) *Expected {
	t.Helper()
	expected, err := Expect(options)
	if err != nil {
		t.Fatal(err)
	}
	return expected
}

// asApplied returns what a cluster has onto which exactly the expected objects were put.
func asApplied(expected *Expected) Found {
	found := Found{}
	for i, object := range expected.Objects() {
		object.SetUID(types.UID(rune('a' + i)))
		object.SetGeneration(1)
		found[expected.Refs()[i]] = object
	}
	return found
}

// named returns the found object of a kind, or the only one of it where name is empty.
func named(t *testing.T, found Found, kind, name string) (Ref, *unstructured.Unstructured) {
	t.Helper()
	for ref, object := range found {
		if ref.Kind == kind && (name == "" || ref.Name == name) {
			return ref, object
		}
	}
	t.Fatalf("there is no %s %s", kind, name)
	return Ref{}, nil
}

// at walks to a nested value; numbers are indexes of lists.
func at(t *testing.T, value any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch step := step.(type) {
		case string:
			value = value.(map[string]any)[step]
		case int:
			value = value.([]any)[step]
		}
	}
	if value == nil {
		t.Fatalf("there is nothing at %v", path)
	}
	return value
}

// shippedAsIs holds the files' content with no list filled in.
func shippedAsIs(t *testing.T) *Expected {
	t.Helper()
	expected := &Expected{objects: map[Ref]*unstructured.Unstructured{}}
	for _, dir := range []string{config.AdmissionDir, config.CRDDir} {
		objects, err := config.Objects(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range objects {
			ref := Ref{GroupVersionKind: object.GroupVersionKind(), Name: object.GetName()}
			expected.refs = append(expected.refs, ref)
			expected.objects[ref] = object
		}
	}
	return expected
}
