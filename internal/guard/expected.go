package guard

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/secretreview/secretreview/config"
)

// IdentityPolicy is the name of the policy that establishes identities, and of its binding.
const IdentityPolicy = "secretreview-identity"

// Ref names a cluster-scoped object that the guard looks after.
type Ref struct {
	schema.GroupVersionKind
	Name string
}

func (r Ref) String() string { return r.Kind + " " + r.Name }

// Expected is what the cluster's admission policies, their bindings and the CRDs have to be. The policy that fills in
// proposedBy is not among them: whatever it writes, the others check.
type Expected struct {
	refs    []Ref
	objects map[Ref]*unstructured.Unstructured
}

// Expect renders the shipped manifests for an installation. It fails only on manifests that are broken as built.
func Expect(options Options) (*Expected, error) {
	expected := &Expected{objects: map[Ref]*unstructured.Unstructured{}}
	for _, dir := range []string{config.AdmissionDir, config.CRDDir} {
		objects, err := config.Objects(dir)
		if err != nil {
			return nil, err
		}
		for _, object := range objects {
			if err := fillIn(object, options.lists()); err != nil {
				return nil, err
			}
			ref := Ref{GroupVersionKind: object.GroupVersionKind(), Name: object.GetName()}
			expected.refs = append(expected.refs, ref)
			expected.objects[ref] = object
		}
	}
	return expected, nil
}

// fillIn writes the lists into those of a policy's variables that bear their names.
func fillIn(object *unstructured.Unstructured, lists map[string][]string) error {
	variables, found, err := unstructured.NestedSlice(object.Object, "spec", "variables")
	if err != nil {
		return fmt.Errorf("the variables of %s are malformed: %w", object.GetName(), err)
	}
	if !found {
		return nil
	}
	for _, variable := range variables {
		fields, isMap := variable.(map[string]any)
		if !isMap {
			return fmt.Errorf("the variables of %s are malformed: one is no object", object.GetName())
		}
		name, _ := fields["name"].(string)
		if list, ours := lists[name]; ours {
			fields["expression"] = literal(list)
		}
	}
	return unstructured.SetNestedSlice(object.Object, variables, "spec", "variables")
}

// Refs are the objects to look at, policies and bindings first, then CRDs.
func (e *Expected) Refs() []Ref { return append([]Ref(nil), e.refs...) }

// Objects returns copies of what is expected, in the order of Refs, ready to be applied.
func (e *Expected) Objects() []*unstructured.Unstructured {
	objects := make([]*unstructured.Unstructured, len(e.refs))
	for i, ref := range e.refs {
		objects[i] = e.objects[ref].DeepCopy()
	}
	return objects
}
