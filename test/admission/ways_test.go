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
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
		if err != nil {
			return err
		}
		fields := &unstructured.Unstructured{Object: content}
		fields.SetManagedFields(nil)
		raw, err := fields.MarshalJSON()
		if err != nil {
			return err
		}
		return as(user).Patch(ctx, object, jsonPatch(`[{"op":"replace","path":"","value":`+string(raw)+`}]`))
	},
	"server-side apply": func(ctx context.Context, user string, object client.Object, alter func()) error {
		alter()
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
		if err != nil {
			return err
		}
		fields := &unstructured.Unstructured{Object: content}
		fields.SetManagedFields(nil)
		fields.SetResourceVersion("")
		fields.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kindOf(object)))
		unstructured.RemoveNestedField(fields.Object, "status")
		configuration := client.ApplyConfigurationFromUnstructured(fields)
		return as(user).Apply(ctx, configuration, client.FieldOwner("test"), client.ForceOwnership)
	},
}

func kindOf(object client.Object) string {
	if _, isProject := object.(*v1alpha1.SecretProject); isProject {
		return "SecretProject"
	}
	return "SecretChange"
}
