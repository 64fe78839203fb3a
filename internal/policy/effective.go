// Package policy decides, from reviews and a project's policy alone, whether a
// change is approved. It is pure: the controller asks it again just before
// anything becomes live.
package policy

import (
	"cmp"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// Defaults repeat the CRD's, for projects that were stored before a field had
// one.
const (
	DefaultRequiredApprovals = 1
	DefaultChangeTTL         = 168 * time.Hour
	DefaultVersionHistory    = 10
	DefaultHistoryLimit      = 500
	DefaultPendingLimit      = 20
)

// Effective is the policy of one environment, its exceptions applied.
type Effective struct {
	RequiredApprovals      int
	PreventSelfApproval    bool
	ChangeTTL              time.Duration
	ConflictPolicy         v1alpha1.ConflictPolicy
	RollbackRequiresReview bool
	// VersionHistory is how many versions before the live one stay restorable.
	VersionHistory int
	// HistoryLimit and PendingLimit count changes.
	HistoryLimit, PendingLimit int
	// Suspended is a freeze: nothing is applied.
	Suspended bool
}

// For returns the policy of the project's environment; ok is false if the
// project has no such environment.
func For(project *v1alpha1.SecretProject, environment string) (effective Effective, ok bool) {
	for i := range project.Spec.Environments {
		if env := &project.Spec.Environments[i]; env.Name == environment {
			return resolve(&project.Spec, env), true
		}
	}
	return Effective{}, false
}

func resolve(p *v1alpha1.SecretProjectSpec, e *v1alpha1.Environment) Effective {
	return Effective{
		RequiredApprovals:      int(first(DefaultRequiredApprovals, e.RequiredApprovals)),
		PreventSelfApproval:    first(true, e.PreventSelfApproval, p.PreventSelfApproval),
		ChangeTTL:              first(metav1.Duration{Duration: DefaultChangeTTL}, e.ChangeTTL, p.ChangeTTL).Duration,
		ConflictPolicy:         cmp.Or(e.ConflictPolicy, p.ConflictPolicy, v1alpha1.ConflictStrict),
		VersionHistory:         int(first(DefaultVersionHistory, e.VersionHistory, p.VersionHistory)),
		HistoryLimit:           int(first(DefaultHistoryLimit, e.HistoryLimit, p.HistoryLimit)),
		PendingLimit:           int(first(DefaultPendingLimit, e.PendingLimit, p.PendingLimit)),
		RollbackRequiresReview: first(false, requireReview(e.Rollback), requireReview(p.Rollback)),
		Suspended:              first(false, e.Suspend, p.Suspend),
	}
}

// first returns what the first set pointer points to, or fallback.
func first[T any](fallback T, settings ...*T) T {
	for _, s := range settings {
		if s != nil {
			return *s
		}
	}
	return fallback
}

func requireReview(r *v1alpha1.RollbackPolicy) *bool {
	if r == nil {
		return nil
	}
	return r.RequireReview
}
