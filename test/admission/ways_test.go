package admission

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

func jsonPatch(patch string) client.Patch { return client.RawPatch(types.JSONPatchType, []byte(patch)) }

// way is one of the API server's means of changing an object.
type way func(ctx context.Context, user string, object client.Object, alter func()) error

// ways are all of them. Each hands the API server what alter makes of the object.
var ways = map[string]way{
	"update": func(ctx context.Context, user string, object client.Object, alter func()) error {
		alter()
		return as(user).Update(ctx, object)
	},
	"merge patch": func(ctx context.Context, user string, object client.Object, alter func()) error {
		before := object.DeepCopyObject().(client.Object)
		alter()
		return as(user).Patch(ctx, object, client.MergeFrom(before))
	},
	"JSON patch": func(ctx context.Context, user string, object client.Object, alter func()) error {
		alter()
		fields, err := fieldsOf(object)
		if err != nil {
			return err
		}
		raw, err := fields.MarshalJSON()
		if err != nil {
			return err
		}
		return as(user).Patch(ctx, object, jsonPatch(`[{"op":"replace","path":"","value":`+string(raw)+`}]`))
	},
	"server-side apply": func(ctx context.Context, user string, object client.Object, alter func()) error {
		alter()
		fields, err := fieldsOf(object)
		if err != nil {
			return err
		}
		return apply(ctx, user, fields)
	},
}

// apply applies fields server-side as a user, and leaves them as they are.
func apply(ctx context.Context, user string, fields *unstructured.Unstructured) error {
	return as(user).Apply(ctx, client.ApplyConfigurationFromUnstructured(fields.DeepCopy()), client.FieldOwner("test"), client.ForceOwnership)
}

// fieldsOf returns what a person would write into a manifest.
func fieldsOf(object client.Object) (*unstructured.Unstructured, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, err
	}
	fields := &unstructured.Unstructured{Object: content}
	fields.SetManagedFields(nil)
	kind := "SecretChange"
	if _, isProject := object.(*v1alpha1.SecretProject); isProject {
		kind = "SecretProject"
	}
	fields.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
	unstructured.RemoveNestedField(fields.Object, "status")
	return fields, nil
}
