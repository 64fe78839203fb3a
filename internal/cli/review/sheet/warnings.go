package sheet

import (
	"cmp"
	"fmt"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/wording"
	"github.com/secretreview/secretreview/internal/policy"
)

// warn fills in what a reviewer should beware of.
func (s *Sheet) warn() {
	spec := s.Change.Spec
	if s.Target == nil {
		s.Warnings = append(s.Warnings, fmt.Sprintf("project %q has no environment %q any more", spec.Project, spec.Environment))
		return
	}
	if s.Change.Status.Phase.Finished() {
		return
	}
	s.Warnings = append(s.Warnings, s.Target.Warnings()...)
	if s.State == Read {
		s.warnOfConflict()
	}
}

// warnOfConflict tells that what is live has changed in a way that the change
// will not survive.
func (s *Sheet) warnOfConflict() {
	base := cmp.Or(s.Change.Status.BaseVersionID, string(s.Change.Spec.BaseVersionID))
	effective, _ := policy.For(s.Target.Project, s.Target.Environment.Name)
	strict := s.Change.Spec.Staged == nil || effective.ConflictPolicy != v1alpha1.ConflictByKey
	switch {
	case len(s.clashes) > 0:
		s.Warnings = append(s.Warnings, "others have changed the same keys since it was proposed, so that it will end as Conflicted: "+wording.Keys(s.clashes))
	case base != "" && base != s.live.ID && strict:
		s.Warnings = append(s.Warnings, fmt.Sprintf(
			"version %s is live now, and not %s any more, on which it was proposed, so that it will end as Conflicted", s.live.ID, base))
	}
}
