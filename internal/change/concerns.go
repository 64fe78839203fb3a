package change

import (
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/policy"
)

// SamePolicy reports whether a project is still the one that it was, with the
// same spec: if not, each of its unfinished changes has to be looked at.
func SamePolicy(before, after *v1alpha1.SecretProject) bool {
	return before.UID == after.UID && before.Generation == after.Generation &&
		(before.DeletionTimestamp == nil) == (after.DeletionTimestamp == nil)
}

// Concerned returns those of an environment's unfinished changes that may go on,
// or end, because of what a project of the same policy says of it now. Each
// change that is applied moves the live version: of those that wait it concerns
// the one whose turn it is, and those that can only be applied on what was live
// before.
func Concerned(before, after *v1alpha1.SecretProject, environment string, unfinished []v1alpha1.SecretChange) []*v1alpha1.SecretChange {
	was, is := before.Status.Environment(environment), after.Status.Environment(environment)
	if equality.Semantic.DeepEqual(was, is) {
		return nil
	}
	all := was == nil || is == nil || was.SecretARN != is.SecretARN ||
		!equality.Semantic.DeepEqual(was.Problem, is.Problem) || !equality.Semantic.DeepEqual(was.Drift, is.Drift)
	var concerned []*v1alpha1.SecretChange
	var first *v1alpha1.SecretChange
	for i := range unfinished {
		switch c := &unfinished[i]; {
		case all, !queued(c) && strictIn(after, c):
			concerned = append(concerned, c)
		case queued(c) && (first == nil || precedes(c, first)):
			first = c
		}
	}
	if first != nil {
		concerned = append(concerned, first)
	}
	return concerned
}

// strictIn reports whether a change can be applied only on the version that it
// was proposed on.
func strictIn(project *v1alpha1.SecretProject, c *v1alpha1.SecretChange) bool {
	effective, _ := policy.For(project, c.Spec.Environment)
	return strict(&c.Spec, effective)
}

func strict(spec *v1alpha1.SecretChangeSpec, effective policy.Effective) bool {
	return spec.Staged == nil || effective.ConflictPolicy != v1alpha1.ConflictByKey
}
