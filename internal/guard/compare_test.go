package guard

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	policyKind  = "ValidatingAdmissionPolicy"
	bindingKind = "ValidatingAdmissionPolicyBinding"
	crdKind     = "CustomResourceDefinition"

	selfApproval = "secretreview-self-approval"
	changesCRD   = "secretchanges.secretreview.dev"
	projectsCRD  = "secretprojects.secretreview.dev"
)

func TestCompareFindsEachWeakening(t *testing.T) {
	t.Parallel()
	type spec = map[string]any
	variable := func(t *testing.T, s spec, name string) spec {
		t.Helper()
		for _, v := range at(t, s, "variables").([]any) {
			if v.(spec)["name"] == name {
				return v.(spec)
			}
		}
		t.Fatalf("there is no variable %s", name)
		return nil
	}
	schema := func(t *testing.T, s spec) spec {
		t.Helper()
		return at(t, s, "versions", 0, "schema", "openAPIV3Schema").(spec)
	}
	cases := map[string]struct {
		kind, name string
		weaken     func(t *testing.T, s spec)
		want       string
	}{
		"failurePolicy Ignore": {policyKind, IdentityPolicy, func(_ *testing.T, s spec) {
			s["failurePolicy"] = "Ignore"
		}, "spec.failurePolicy"},
		"a matchCondition that skips somebody": {policyKind, IdentityPolicy, func(_ *testing.T, s spec) {
			s["matchConditions"] = []any{spec{"name": "skip", "expression": "request.userInfo.username != 'eve'"}}
		}, "spec.matchConditions"},
		"a namespaceSelector that skips a namespace": {policyKind, IdentityPolicy, func(t *testing.T, s spec) {
			at(t, s, "matchConstraints").(spec)["namespaceSelector"] = spec{"matchLabels": spec{"guarded": "yes"}}
		}, "spec.matchConstraints.namespaceSelector.matchLabels"},
		"an objectSelector that skips a change": {policyKind, IdentityPolicy, func(t *testing.T, s spec) {
			at(t, s, "matchConstraints").(spec)["objectSelector"] = spec{"matchLabels": spec{"guarded": "yes"}}
		}, "spec.matchConstraints.objectSelector.matchLabels"},
		"excluded resources": {policyKind, IdentityPolicy, func(t *testing.T, s spec) {
			at(t, s, "matchConstraints").(spec)["excludeResourceRules"] = []any{spec{"resources": []any{"*"}}}
		}, "spec.matchConstraints.excludeResourceRules"},
		"matchPolicy Exact": {policyKind, IdentityPolicy, func(t *testing.T, s spec) {
			at(t, s, "matchConstraints").(spec)["matchPolicy"] = "Exact"
		}, "spec.matchConstraints.matchPolicy"},
		"an operation fewer": {policyKind, IdentityPolicy, func(t *testing.T, s spec) {
			at(t, s, "matchConstraints", "resourceRules", 0).(spec)["operations"] = []any{"CREATE", "UPDATE"}
		}, "spec.matchConstraints.resourceRules[0].operations"},
		"a resource fewer": {policyKind, IdentityPolicy, func(t *testing.T, s spec) {
			rule := at(t, s, "matchConstraints", "resourceRules", 0).(spec)
			rule["resources"] = rule["resources"].([]any)[1:]
		}, "spec.matchConstraints.resourceRules[0].resources"},
		"one object of the rule named": {policyKind, IdentityPolicy, func(t *testing.T, s spec) {
			at(t, s, "matchConstraints", "resourceRules", 0).(spec)["resourceNames"] = []any{"harmless"}
		}, "spec.matchConstraints.resourceRules[0].resourceNames"},
		"no rules at all": {policyKind, IdentityPolicy, func(t *testing.T, s spec) {
			at(t, s, "matchConstraints").(spec)["resourceRules"] = []any{}
		}, "spec.matchConstraints.resourceRules"},
		"a second rule, which matches more": {policyKind, IdentityPolicy, func(t *testing.T, s spec) {
			m := at(t, s, "matchConstraints").(spec)
			m["resourceRules"] = append(m["resourceRules"].([]any), spec{"resources": []any{"pods"}})
		}, "spec.matchConstraints.resourceRules"},
		"a variable that says yes": {policyKind, IdentityPolicy, func(t *testing.T, s spec) {
			variable(t, s, "mayApprove")["expression"] = "true"
		}, "spec.variables["},
		"an applier whom the manager was not told of": {policyKind, IdentityPolicy, func(t *testing.T, s spec) {
			variable(t, s, "appliers")["expression"] = "['eve']"
		}, "spec.variables[1].expression"},
		"a second controller": {policyKind, IdentityPolicy, func(t *testing.T, s spec) {
			variable(t, s, "controllers")["expression"] = "['" + DefaultControllerUser + "', 'eve']"
		}, "spec.variables[0].expression"},
		"a variable twice": {policyKind, IdentityPolicy, func(t *testing.T, s spec) {
			s["variables"] = append(s["variables"].([]any), variable(t, s, "mayApprove"))
		}, "spec.variables"},
		"a validation fewer": {policyKind, IdentityPolicy, func(_ *testing.T, s spec) {
			s["validations"] = s["validations"].([]any)[1:]
		}, "spec.validations"},
		"a validation that always holds": {policyKind, IdentityPolicy, func(t *testing.T, s spec) {
			at(t, s, "validations", 2).(spec)["expression"] = "true"
		}, "spec.validations[2].expression"},
		"a parameter, without which nothing is checked": {policyKind, IdentityPolicy, func(_ *testing.T, s spec) {
			s["paramKind"] = spec{"apiVersion": "v1", "kind": "ConfigMap"}
		}, "spec.paramKind"},
		"Audit in place of Deny": {bindingKind, IdentityPolicy, func(_ *testing.T, s spec) {
			s["validationActions"] = []any{"Audit"}
		}, "spec.validationActions[0]"},
		"Warn in place of Deny": {bindingKind, IdentityPolicy, func(_ *testing.T, s spec) {
			s["validationActions"] = []any{"Warn"}
		}, "spec.validationActions[0]"},
		"a binding of another policy": {bindingKind, IdentityPolicy, func(_ *testing.T, s spec) {
			s["policyName"] = "other"
		}, "spec.policyName"},
		"a binding for some namespaces": {bindingKind, IdentityPolicy, func(_ *testing.T, s spec) {
			s["matchResources"] = spec{"namespaceSelector": spec{"matchLabels": spec{"guarded": "yes"}}}
		}, "spec.matchResources"},
		"self-approval checked for some projects": {bindingKind, selfApproval, func(t *testing.T, s spec) {
			at(t, s, "paramRef").(spec)["selector"] = spec{"matchLabels": spec{"guarded": "yes"}}
		}, "spec.paramRef.selector.matchLabels"},
		"self-approval that deadlocks namespaces": {bindingKind, selfApproval, func(t *testing.T, s spec) {
			at(t, s, "paramRef").(spec)["parameterNotFoundAction"] = "Deny"
		}, "spec.paramRef.parameterNotFoundAction"},
		"self-approval never prevented": {policyKind, selfApproval, func(t *testing.T, s spec) {
			variable(t, s, "prevented")["expression"] = "false"
		}, "spec.variables["},
		"a CRD rule removed": {crdKind, changesCRD, func(t *testing.T, s spec) {
			reviews := at(t, schema(t, s), "properties", "spec").(spec)
			reviews["x-kubernetes-validations"] = reviews["x-kubernetes-validations"].([]any)[1:]
		}, "spec.versions[0].schema.openAPIV3Schema.properties.spec.x-kubernetes-validations"},
		"a CRD rule that always holds": {crdKind, changesCRD, func(t *testing.T, s spec) {
			at(t, schema(t, s), "x-kubernetes-validations", 0).(spec)["rule"] = "true"
		}, "spec.versions[0].schema.openAPIV3Schema.x-kubernetes-validations[0].rule"},
		"status that anybody could write with the rest": {crdKind, changesCRD, func(t *testing.T, s spec) {
			delete(at(t, s, "versions", 0).(spec), "subresources")
		}, "spec.versions[0].subresources"},
		"reviews that are no map by reviewer": {crdKind, changesCRD, func(t *testing.T, s spec) {
			delete(at(t, schema(t, s), "properties", "spec", "properties", "reviews").(spec), "x-kubernetes-list-type")
		}, "spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.reviews.x-kubernetes-list-type"},
		"fields that are not declared": {crdKind, changesCRD, func(t *testing.T, s spec) {
			schema(t, s)["x-kubernetes-preserve-unknown-fields"] = true
		}, "spec.versions[0].schema.openAPIV3Schema.x-kubernetes-preserve-unknown-fields"},
		"a further CRD version": {crdKind, changesCRD, func(t *testing.T, s spec) {
			versions := at(t, s, "versions").([]any)
			s["versions"] = append(versions, spec{"name": "v1", "served": true, "storage": false})
		}, "spec.versions"},
		"another CRD version stored": {crdKind, changesCRD, func(t *testing.T, s spec) {
			at(t, s, "versions", 0).(spec)["name"] = "v1"
		}, "spec.versions[0].name"},
		"a conversion webhook, which could rewrite reviews": {crdKind, changesCRD, func(_ *testing.T, s spec) {
			s["conversion"] = spec{"strategy": "Webhook", "webhook": spec{}}
		}, "spec.conversion"},
		"a looser rule on projects": {crdKind, projectsCRD, func(t *testing.T, s spec) {
			delete(schema(t, s), "x-kubernetes-validations")
		}, "spec.versions[0].schema.openAPIV3Schema.x-kubernetes-validations"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expected := expect(t, Options{})
			found := asApplied(expected)
			ref, object := named(t, found, c.kind, c.name)
			c.weaken(t, object.Object["spec"].(spec))
			problems := expected.Compare(found)
			if len(problems) != 1 || problems[0].Ref != ref || !strings.HasPrefix(problems[0].Detail, "is not as shipped at "+c.want) {
				t.Errorf("got %v, want one problem of %s at %s", problems, ref, c.want)
			}
		})
	}
}

func TestCompareFindsWhatIsMissingOrLeaving(t *testing.T) {
	t.Parallel()
	expected := expect(t, Options{})
	for _, ref := range expected.Refs() {
		t.Run(ref.String()+" is missing", func(t *testing.T) {
			t.Parallel()
			found := asApplied(expected)
			delete(found, ref)
			if got := expected.Compare(found); len(got) != 1 || got[0].String() != ref.String()+" is missing" {
				t.Errorf("got %v", got)
			}
		})
		t.Run(ref.String()+" is being deleted", func(t *testing.T) {
			t.Parallel()
			found := asApplied(expected)
			now := metav1.NewTime(time.Unix(1, 0))
			found[ref].SetDeletionTimestamp(&now)
			if got := expected.Compare(found); len(got) != 1 || got[0].String() != ref.String()+" is being deleted" {
				t.Errorf("got %v", got)
			}
		})
	}
	if got := expected.Compare(nil); len(got) != 6 {
		t.Errorf("an empty cluster has %d problems, want one for each of 2 policies, 2 bindings and 2 CRDs: %v", len(got), got)
	}
}

func TestCompareLetsPassWhatGuardsNothing(t *testing.T) {
	t.Parallel()
	cases := map[string]func(t *testing.T, found Found){
		"exactly what is shipped": func(*testing.T, Found) {},
		"the default of a CRD": func(t *testing.T, found Found) {
			_, crd := named(t, found, crdKind, changesCRD)
			crd.Object["spec"].(map[string]any)["conversion"] = map[string]any{"strategy": "None"}
		},
		"other printer columns": func(t *testing.T, found Found) {
			_, crd := named(t, found, crdKind, changesCRD)
			delete(at(t, crd.Object, "spec", "versions", 0).(map[string]any), "additionalPrinterColumns")
		},
		"other descriptions": func(t *testing.T, found Found) {
			_, crd := named(t, found, crdKind, changesCRD)
			dropDescriptions(at(t, crd.Object, "spec", "versions", 0, "schema", "openAPIV3Schema"))
		},
		"labels and annotations": func(_ *testing.T, found Found) {
			for _, object := range found {
				object.SetLabels(map[string]string{"team": "platform"})
				object.SetAnnotations(map[string]string{"note": "installed by Helm"})
			}
		},
		"further objects": func(_ *testing.T, found Found) {
			other := &unstructured.Unstructured{}
			found[Ref{Name: "unrelated"}] = other
		},
	}
	for name, alter := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expected := expect(t, Options{})
			found := asApplied(expected)
			alter(t, found)
			if problems := expected.Compare(found); len(problems) != 0 {
				t.Errorf("got %v", problems)
			}
		})
	}
}

func TestAFieldNamedDescriptionIsNoDescription(t *testing.T) {
	t.Parallel()
	field := map[string]any{"type": "string", "description": "words"}
	schema := map[string]any{"properties": map[string]any{"description": field}}
	dropDescriptions(schema)
	if at(t, schema, "properties", "description", "type") != "string" || field["description"] != nil {
		t.Errorf("got %v", schema)
	}
}
