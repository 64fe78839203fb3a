package trim_test

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/trim"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// finished makes a change that ended some hours ago.
func finished(name string, hours int, phase v1alpha1.Phase, edits ...func(*v1alpha1.SecretChange)) v1alpha1.SecretChange {
	at := metav1.NewMicroTime(now.Add(-time.Duration(hours) * time.Hour))
	c := v1alpha1.SecretChange{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name)},
		Status:     v1alpha1.SecretChangeStatus{Phase: phase, FinishedAt: &at},
	}
	if phase == v1alpha1.PhaseApplied {
		c.Status.AppliedVersionID, c.Status.AppliedAt = "v-"+name, &at
	}
	for _, edit := range edits {
		edit(&c)
	}
	return c
}

func marked(labels, annotations map[string]string) func(*v1alpha1.SecretChange) {
	return func(c *v1alpha1.SecretChange) { c.Labels, c.Annotations = labels, annotations }
}

func sealed(sequence int64) func(*v1alpha1.SecretChange) {
	return func(c *v1alpha1.SecretChange) {
		c.Status.Audit = &v1alpha1.AuditSeal{ChainLink: v1alpha1.ChainLink{Sequence: sequence}}
	}
}

func adoption(c *v1alpha1.SecretChange) {
	c.Spec.BaseVersionID = v1alpha1.VersionID(c.Status.AppliedVersionID)
	c.Spec.Restore = &v1alpha1.RestoreSource{Change: "the live one"}
}

func TestPlan(t *testing.T) {
	const applied, rejected = v1alpha1.PhaseApplied, v1alpha1.PhaseRejected
	pending := func(spec v1alpha1.SecretChangeSpec) v1alpha1.SecretChange {
		return v1alpha1.SecretChange{ObjectMeta: metav1.ObjectMeta{Name: "pending"}, Spec: spec,
			Status: v1alpha1.SecretChangeStatus{Phase: v1alpha1.PhasePending}}
	}
	deleted := metav1.NewTime(now)
	old := []v1alpha1.SecretChange{finished("c", 3, rejected), finished("a", 5, rejected), finished("b", 4, rejected)}
	cases := map[string]struct {
		changes  []v1alpha1.SecretChange
		limit    int
		status   *v1alpha1.EnvironmentStatus
		labelled map[string]bool
		want     []string
	}{
		"as many as the limit are kept": {changes: old, limit: 3},
		"the oldest go first":           {changes: old, limit: 1, want: []string{"a", "b"}},
		"unfinished ones do not count":  {changes: append(slices.Clone(old), pending(v1alpha1.SecretChangeSpec{})), limit: 3},
		"no changes, nothing to do":     {limit: 1},
		"the one that wrote the live version stays, with those that came after": {
			changes: []v1alpha1.SecretChange{
				finished("older", 10, applied), finished("live", 9, applied), finished("newer", 8, applied), finished("newest", 7, applied),
			}, limit: 1,
			status: &v1alpha1.EnvironmentStatus{LiveVersionID: "v-live"}, want: []string{"older"},
		},
		"the last applied one stays, even before the record knows it": {
			changes: []v1alpha1.SecretChange{finished("last", 9, applied), finished("older", 10, applied)}, limit: 0, want: []string{"older"},
		},
		"the last applied one of the record stays": {
			changes: []v1alpha1.SecretChange{finished("x", 9, applied), finished("y", 8, applied), finished("z", 1, applied)}, limit: 1,
			status: &v1alpha1.EnvironmentStatus{LastAppliedVersionID: "v-y"}, want: []string{"x"},
		},
		"what ended unapplied pushes out nothing that was applied": {
			changes: append(slices.Clone(old), finished("x", 9, applied), finished("y", 8, applied)), limit: 2, want: []string{"a"},
		},
		"what was applied pushes out nothing that ended otherwise": {
			changes: []v1alpha1.SecretChange{finished("x", 9, rejected), finished("y", 8, applied), finished("z", 1, applied)}, limit: 1,
			want: []string{"y"},
		},
		"of both that are too many the oldest go first": {
			changes: append(slices.Clone(old), finished("x", 9, applied), finished("y", 2, applied)), limit: 1,
			want: []string{"x", "a", "b"},
		},
		"those that can be restored stay": {
			changes: []v1alpha1.SecretChange{finished("x", 9, applied), finished("y", 8, applied), finished("z", 1, applied)}, limit: 1,
			status: &v1alpha1.EnvironmentStatus{Versions: []v1alpha1.RestorableVersion{{VersionID: "v-y"}}}, want: []string{"x"},
		},
		"those whose label AWS shows stay": {
			changes:  []v1alpha1.SecretChange{finished("x", 9, v1alpha1.PhaseConflicted), finished("y", 8, rejected), finished("z", 1, rejected)},
			labelled: map[string]bool{"uid-y": true}, limit: 1, want: []string{"x"},
		},
		"one that a pending rollback undoes stays": {
			changes: append(slices.Clone(old), pending(v1alpha1.SecretChangeSpec{Rollback: &v1alpha1.RollbackSource{Change: "b"}})),
			limit:   1, want: []string{"a"},
		},
		"one that a pending restore goes back to stays": {
			changes: append(slices.Clone(old), pending(v1alpha1.SecretChangeSpec{Restore: &v1alpha1.RestoreSource{Change: "b"}})),
			limit:   1, want: []string{"a"},
		},
		"what is kept does not cost newer ones their place": {
			changes: []v1alpha1.SecretChange{
				finished("git1", 9, rejected, marked(nil, map[string]string{"argocd.argoproj.io/tracking-id": "x"})),
				finished("git2", 8, rejected, marked(nil, map[string]string{"argocd.argoproj.io/tracking-id": "x"})),
				finished("mine", 7, rejected),
			},
			limit: 1,
		},
		"what Git owns neither goes nor counts": {
			changes: append(slices.Clone(old), finished("git", 9, rejected, marked(map[string]string{"app.kubernetes.io/instance": "x"}, nil))),
			limit:   3,
		},
		"adoptions push out nothing that wrote a version": {
			changes: []v1alpha1.SecretChange{finished("x", 9, applied), finished("y", 8, applied, adoption), finished("z", 1, applied, adoption)},
			limit:   1, want: []string{"y"},
		},
		"one whose staged secret is not gone yet stays": {
			changes: []v1alpha1.SecretChange{
				finished("x", 9, rejected, func(c *v1alpha1.SecretChange) { c.Finalizers = []string{v1alpha1.Finalizer} }),
				finished("y", 1, rejected),
			}, limit: 1,
		},
		"one that is being deleted is left alone": {
			changes: []v1alpha1.SecretChange{
				finished("x", 9, rejected, func(c *v1alpha1.SecretChange) { c.DeletionTimestamp = &deleted }), finished("y", 1, rejected),
			}, limit: 1,
		},
		"nothing goes that is newer than what stays, so that the chain of records has no gap": {
			changes: append(slices.Clone(old), pending(v1alpha1.SecretChangeSpec{Restore: &v1alpha1.RestoreSource{Change: "a"}})),
			limit:   1,
		},
		"the place in the chain says what is older, not a clock": {
			changes: []v1alpha1.SecretChange{
				finished("second", 9, rejected, sealed(2)), finished("first", 3, rejected, sealed(1)), finished("third", 8, rejected, sealed(3)),
			}, limit: 2, want: []string{"first"},
		},
		"one that ended just now stays": {
			changes: []v1alpha1.SecretChange{finished("x", 0, rejected), finished("y", 0, rejected)}, limit: 1,
		},
	}
	for sentence, c := range cases {
		t.Run(sentence, func(t *testing.T) {
			var got []string
			for _, change := range trim.Plan(trim.Environment{Changes: c.changes, Limit: c.limit, Status: c.status,
				Labelled: c.labelled, Now: now, Settle: trim.DefaultSettle}) {
				got = append(got, change.Name)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("deletes %v, want %v", got, c.want)
			}
		})
	}
}

func TestGitOwned(t *testing.T) {
	cases := map[string]struct {
		labels, annotations map[string]string
		want                bool
	}{
		"a change that sr created":                 {annotations: map[string]string{"example.com/ticket": "1"}, labels: map[string]string{"team": "a"}},
		"Argo CD tracks by annotation":             {annotations: map[string]string{"argocd.argoproj.io/tracking-id": "x"}, want: true},
		"Argo CD tracks by label":                  {labels: map[string]string{"app.kubernetes.io/instance": "x"}, want: true},
		"Argo CD tracks by its own label":          {labels: map[string]string{"argocd.argoproj.io/instance": "x"}, want: true},
		"Flux applies by Kustomization":            {labels: map[string]string{"kustomize.toolkit.fluxcd.io/name": "x"}, want: true},
		"Flux applies by HelmRelease":              {labels: map[string]string{"helm.toolkit.fluxcd.io/name": "x"}, want: true},
		"a manifest that sr has printed for Git":   {annotations: map[string]string{"kustomize.toolkit.fluxcd.io/prune": "disabled"}, want: true},
		"something else that merely looks like it": {labels: map[string]string{"example.com/argocd.argoproj.io": "x"}},
	}
	for sentence, c := range cases {
		t.Run(sentence, func(t *testing.T) {
			if got := trim.GitOwned(&metav1.ObjectMeta{Labels: c.labels, Annotations: c.annotations}); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
