// Package schema tells, without a cluster, what the API server would say of a
// SecretChange or SecretProject that is created: by its own code, on the CRDs
// that this release installs.
package schema

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"

	"github.com/secretreview/secretreview/config"
)

// Problem is one thing that the API server would refuse.
type Problem struct {
	// Path is the field, such as spec.reviews[0].reviewer, or "" for the object.
	Path string
	// Unknown says that there is no such field. All else is in Message, which
	// never holds what the field holds.
	Unknown bool
	Message string
}

// Schemas are the kinds of this release.
type Schemas struct{ kinds map[string]*kind }

type kind struct {
	schema    *structural.Structural
	validator validation.SchemaValidator
	rules     *cel.Validator
}

// Load reads the CRDs that are built in, and compiles their rules, which takes
// some ten milliseconds, once.
var Load = sync.OnceValues(load)

func load() (*Schemas, error) {
	objects, err := config.Objects(config.CRDDir)
	if err != nil {
		return nil, err
	}
	all := &Schemas{kinds: map[string]*kind{}}
	for _, object := range objects {
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, crd); err != nil {
			return nil, fmt.Errorf("read the CRD %s: %w", object.GetName(), err)
		}
		for _, version := range crd.Spec.Versions {
			compiled, err := compile(version.Schema.OpenAPIV3Schema)
			if err != nil {
				return nil, fmt.Errorf("read the schema of %s: %w", object.GetName(), err)
			}
			all.kinds[crd.Spec.Group+"/"+version.Name+" "+crd.Spec.Names.Kind] = compiled
		}
	}
	return all, nil
}

func compile(schema *apiextensionsv1.JSONSchemaProps) (*kind, error) {
	internal := &apiextensions.JSONSchemaProps{}
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(schema, internal, nil); err != nil {
		return nil, err
	}
	k := &kind{}
	var err error
	if k.schema, err = structural.NewStructural(internal); err != nil {
		return nil, err
	}
	if k.validator, _, err = validation.NewSchemaValidator(internal); err != nil {
		return nil, err
	}
	k.rules = cel.NewValidator(k.schema, true, celconfig.PerCallLimit)
	return k, nil
}

// Knows reports whether there is such a kind.
func (s *Schemas) Knows(apiVersion, kind string) bool {
	return s.kinds[apiVersion+" "+kind] != nil
}

// Create returns what the API server would refuse of an object of a kind that
// is known, in the order of the paths. It fills in defaults, and takes off what
// creating ignores.
func (s *Schemas) Create(ctx context.Context, object map[string]any) []Problem {
	apiVersion, _ := object["apiVersion"].(string)
	name, _ := object["kind"].(string)
	k := s.kinds[apiVersion+" "+name]
	problems := k.unknown(object)
	defaulting.PruneNonNullableNullsWithoutDefaults(object, k.schema)
	defaulting.Default(object, k.schema)
	delete(object, "status") // as creating does: it is a subresource
	problems = append(problems, k.validate(ctx, object)...)
	slices.SortStableFunc(problems, func(a, b Problem) int { return strings.Compare(a.Path, b.Path) })
	return slices.Compact(problems)
}

// unknown takes off the fields that the schema does not have.
func (k *kind) unknown(object map[string]any) []Problem {
	meta, _, paths, err := objectmeta.GetObjectMetaWithOptions(object, objectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true})
	if err != nil {
		return nil // validate says so
	}
	paths = append(paths, pruning.PruneWithOptions(object, k.schema, true, structural.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})...)
	var problems []Problem
	for _, path := range paths {
		// The root has no name here, and a dot before the first one there.
		problems = append(problems, Problem{Path: strings.TrimPrefix(strings.TrimPrefix(path, "<nil>"), "."), Unknown: true})
	}
	if meta != nil {
		_ = objectmeta.SetObjectMeta(object, meta)
	}
	return problems
}

func (k *kind) validate(ctx context.Context, object map[string]any) []Problem {
	meta, found, err := objectmeta.GetObjectMeta(object, false)
	if err != nil || !found {
		return []Problem{{Path: "metadata", Message: "is missing or malformed: it has a name, and labels and annotations are strings"}}
	}
	errs := apivalidation.ValidateObjectMeta(meta, true, apivalidation.NameIsDNSSubdomain, field.NewPath("metadata"))
	errs = append(errs, validation.ValidateCustomResource(nil, object, k.validator)...)
	errs = append(errs, objectmeta.Validate(ctx, nil, object, k.schema, false)...)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, k.schema, object)...)
	// The API server leaves the rules out where the types are wrong already.
	if !slices.ContainsFunc(errs, blocks) {
		found, _ := k.rules.Validate(ctx, nil, k.schema, object, nil, celconfig.RuntimeCELCostBudget)
		errs = append(errs, found...)
	}
	problems := make([]Problem, 0, len(errs))
	for _, err := range errs {
		problems = append(problems, problem(err))
	}
	return problems
}

func blocks(err *field.Error) bool {
	switch err.Type {
	case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
		return true
	default:
		return false
	}
}

// problem leaves out what the error says of the bad value.
func problem(err *field.Error) Problem {
	path := strings.TrimPrefix(strings.TrimPrefix(err.Field, "<nil>"), ".")
	message := strings.TrimPrefix(err.Detail, path+" in body ")
	switch {
	case err.Type == field.ErrorTypeRequired && message == "":
		message = "is required"
	case err.Type == field.ErrorTypeDuplicate:
		message = "is there twice"
	case message == "":
		message = strings.ToLower(err.Type.String())
	}
	return Problem{Path: path, Message: message}
}
