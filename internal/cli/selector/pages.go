package selector

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// Filter says which changes are meant. The API server applies all of it.
type Filter struct {
	// Namespace is empty for all namespaces.
	Namespace string
	// Project is a SecretProject's Kubernetes name; empty means any.
	Project, Environment string
	Phases               Phases
}

// Phases is a set of phases that the API server can select by.
type Phases struct {
	// Only is the one phase that is meant.
	Only v1alpha1.Phase
	// Not are phases that are not meant; the empty one is of changes that the
	// controller has not seen yet.
	Not []v1alpha1.Phase
}

// Sets of phases.
var (
	Unfinished = Phases{Not: []v1alpha1.Phase{
		v1alpha1.PhaseApplied, v1alpha1.PhaseRejected, v1alpha1.PhaseConflicted, v1alpha1.PhaseExpired, v1alpha1.PhaseInvalid,
	}}
	Finished = Phases{Not: []v1alpha1.Phase{"", v1alpha1.PhasePending, v1alpha1.PhaseApproved}}
	Pending  = Phases{Only: v1alpha1.PhasePending}
	// Rebasable may still have staged values, and are not being made live.
	Rebasable = Phases{Not: []v1alpha1.Phase{
		v1alpha1.PhaseApproved, v1alpha1.PhaseApplied, v1alpha1.PhaseRejected, v1alpha1.PhaseExpired, v1alpha1.PhaseInvalid,
	}}
	// AppliedOnes became live.
	AppliedOnes = Phases{Only: v1alpha1.PhaseApplied}
)

const (
	projectField     = "spec.project"
	environmentField = "spec.environment"
	phaseField       = "status.phase"
)

func (f Filter) options() []client.ListOption {
	var terms []fields.Selector
	for field, value := range map[string]string{
		projectField: f.Project, environmentField: f.Environment, phaseField: string(f.Phases.Only),
	} {
		if value != "" {
			terms = append(terms, fields.OneTermEqualSelector(field, value))
		}
	}
	for _, phase := range f.Phases.Not {
		terms = append(terms, fields.OneTermNotEqualSelector(phaseField, string(phase)))
	}
	options := []client.ListOption{client.InNamespace(f.Namespace)}
	if len(terms) > 0 {
		options = append(options, client.MatchingFieldsSelector{Selector: fields.AndSelectors(terms...)})
	}
	return options
}

// Narrowed returns options that the API server's list and watch take, narrowed
// to what the filter selects.
func (f Filter) Narrowed(options metav1.ListOptions) *client.ListOptions {
	narrowed := &client.ListOptions{Raw: &options, Limit: options.Limit, Continue: options.Continue}
	return narrowed.ApplyOptions(f.options())
}

// Place names where the filter looks.
func (f Filter) Place() string {
	if f.Namespace == "" {
		return "all namespaces"
	}
	return fmt.Sprintf("namespace %q", f.Namespace)
}

// pageSize is how many objects are asked for, and held, at a time. One is at
// most about a mebibyte, and usually some kibibytes.
const pageSize = 100

// Each calls visit with every change that the filter selects, in the API
// server's order, and holds one page at a time. visit may keep what it gets.
func Each(ctx context.Context, kube client.Client, filter Filter, visit func(*v1alpha1.SecretChange)) error {
	return pages(ctx, kube, filter, func() client.ObjectList { return &v1alpha1.SecretChangeList{} }, func(list client.ObjectList) {
		page := list.(*v1alpha1.SecretChangeList)
		for i := range page.Items {
			visit(&page.Items[i])
		}
	})
}

func pages(ctx context.Context, kube client.Client, filter Filter, empty func() client.ObjectList, visit func(client.ObjectList)) error {
	token := ""
	for {
		list := empty()
		err := kube.List(ctx, list, append(filter.options(), client.Limit(pageSize), client.Continue(token))...)
		if again := resume(err); again != "" && again != token {
			token = again
			continue
		}
		if err != nil {
			return fmt.Errorf("list the changes in %s: %w", filter.Place(), err)
		}
		visit(list)
		if token = list.GetContinue(); token == "" {
			return nil
		}
	}
}

// resume returns where to go on after a listing took so long that the API
// server has forgotten what it showed first, or "".
func resume(err error) string {
	var status apierrors.APIStatus
	if !apierrors.IsResourceExpired(err) || !errors.As(err, &status) {
		return ""
	}
	return status.Status().Continue
}
