package guard

import (
	"fmt"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// Found are the objects that the cluster has, of those that are expected.
type Found map[Ref]*unstructured.Unstructured

// Problem is one way in which the cluster differs from what is expected.
type Problem struct {
	Ref
	// Detail says how: a clause that goes on from the object's name.
	Detail string
}

func (p Problem) String() string { return p.Ref.String() + " " + p.Detail }

// Compare returns a problem for each object that is missing, is being deleted or has another spec than expected. Only
// what guards nothing may differ: descriptions and printer columns. Further policies and bindings can only refuse more.
func (e *Expected) Compare(found Found) []Problem {
	var problems []Problem
	for _, ref := range e.refs {
		if detail := e.compareOne(ref, found[ref]); detail != "" {
			problems = append(problems, Problem{Ref: ref, Detail: detail})
		}
	}
	return problems
}

func (e *Expected) compareOne(ref Ref, object *unstructured.Unstructured) string {
	if object == nil {
		return "is missing"
	}
	if object.GetDeletionTimestamp() != nil {
		return "is being deleted"
	}
	if path := difference("spec", guarding(e.objects[ref]), guarding(object)); path != "" {
		return fmt.Sprintf("is not as shipped at %s", path)
	}
	return ""
}

// guarding returns a copy of the spec without what guards nothing and what the API server adds. It adds five defaults
// to a policy, all of which are written out in the shipped ones, and one to a CRD.
func guarding(object *unstructured.Unstructured) map[string]any {
	spec, _, _ := unstructured.NestedMap(object.Object, "spec")
	if object.GetKind() != "CustomResourceDefinition" {
		return spec
	}
	if reflect.DeepEqual(spec["conversion"], map[string]any{"strategy": "None"}) {
		delete(spec, "conversion")
	}
	versions, _ := spec["versions"].([]any)
	for _, version := range versions {
		if fields, isMap := version.(map[string]any); isMap {
			delete(fields, "additionalPrinterColumns")
			if schema, isMap := fields["schema"].(map[string]any); isMap {
				dropDescriptions(schema["openAPIV3Schema"])
			}
		}
	}
	return spec
}

// dropDescriptions walks a structural schema. What stands under "properties" are names of fields, not keywords.
func dropDescriptions(schema any) {
	keywords, isMap := schema.(map[string]any)
	if !isMap {
		return
	}
	delete(keywords, "description")
	dropDescriptions(keywords["items"])
	dropDescriptions(keywords["additionalProperties"])
	properties, _ := keywords["properties"].(map[string]any)
	for _, property := range properties {
		dropDescriptions(property)
	}
}

// difference returns the path of the first place where two JSON values differ, or "".
func difference(path string, want, have any) string {
	switch want := want.(type) {
	case map[string]any:
		have, isMap := have.(map[string]any)
		if !isMap {
			return path
		}
		return mapDifference(path, want, have)
	case []any:
		have, isList := have.([]any)
		if !isList || len(have) != len(want) {
			return path
		}
		for i := range want {
			if at := difference(fmt.Sprintf("%s[%d]", path, i), want[i], have[i]); at != "" {
				return at
			}
		}
		return ""
	default:
		if !reflect.DeepEqual(want, have) {
			return path
		}
		return ""
	}
}

func mapDifference(path string, want, have map[string]any) string {
	var keys []string
	for key := range want {
		keys = append(keys, key)
	}
	for key := range have {
		if _, both := want[key]; !both {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		wanted, isWanted := want[key]
		had, isThere := have[key]
		if isWanted != isThere {
			return path + "." + key
		}
		if at := difference(path+"."+key, wanted, had); at != "" {
			return at
		}
	}
	return ""
}

// revisions identifies the state of all expected objects that were found.
func (e *Expected) revisions(found Found) []v1alpha1.ObjectRevision {
	var revisions []v1alpha1.ObjectRevision
	for _, ref := range e.refs {
		if object := found[ref]; object != nil {
			revisions = append(revisions, v1alpha1.ObjectRevision{
				Kind: ref.Kind, Name: ref.Name, UID: object.GetUID(), Generation: object.GetGeneration(),
			})
		}
	}
	return revisions
}
