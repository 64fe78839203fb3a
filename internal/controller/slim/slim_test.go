package slim_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/controller/slim"
)

func change(phase v1alpha1.Phase, finalizers ...string) *v1alpha1.SecretChange {
	now := metav1.NowMicro()
	return &v1alpha1.SecretChange{
		ObjectMeta: metav1.ObjectMeta{
			Name: "fix", UID: "uid", ResourceVersion: "7", Finalizers: finalizers,
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "sr"}},
			Annotations:   map[string]string{"kubectl.kubernetes.io/last-applied-configuration": "{}", "argocd.argoproj.io/tracking-id": "x"},
		},
		Spec: v1alpha1.SecretChangeSpec{Project: "api", Environment: "production", Reason: "because", ProposedBy: "alice",
			Reviews: []v1alpha1.Review{{Reviewer: "bob"}}, Restore: &v1alpha1.RestoreSource{Change: "older"}},
		Status: v1alpha1.SecretChangeStatus{Phase: phase, AppliedVersionID: "v2", PreviousVersionID: "v1", AppliedKeys: 3,
			AppliedAt: &now, FinishedAt: &now, DecidedAt: &now, ExpiresAt: &metav1.Time{Time: now.Time}, StagedDeleted: true, Message: "Live", Diff: []v1alpha1.KeyChange{{Key: "A"}},
			Conditions: []metav1.Condition{{Type: "Ready"}}, Decision: &v1alpha1.Decision{Approvers: []string{"bob"}},
			Attempt: &v1alpha1.Attempt{VersionID: "v2"}, Admission: &v1alpha1.AdmissionRecord{Epoch: 4}},
	}
}

func transform(t *testing.T, o any) any {
	t.Helper()
	out, err := slim.Change(o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestKeepsOfFinishedChangesWhatDecisionsNeed(t *testing.T) {
	c := transform(t, change(v1alpha1.PhaseApplied)).(*v1alpha1.SecretChange)
	if c.UID != "uid" || c.ResourceVersion != "7" || c.Spec.Project != "api" || c.Spec.Environment != "production" ||
		c.Spec.ProposedBy != "alice" || c.Spec.Restore == nil || c.Annotations["argocd.argoproj.io/tracking-id"] != "x" {
		t.Errorf("lost what it is: %+v", c)
	}
	s := c.Status
	if s.Phase != v1alpha1.PhaseApplied || s.AppliedVersionID != "v2" || s.PreviousVersionID != "v1" || s.AppliedKeys != 3 ||
		s.AppliedAt == nil || s.FinishedAt == nil || !s.StagedDeleted {
		t.Errorf("lost what it did: %+v", s)
	}
	if len(c.ManagedFields) > 0 || c.Spec.Reason != "" || c.Spec.Reviews != nil || s.Conditions != nil || s.Diff != nil ||
		s.Decision != nil || s.Admission != nil || s.ExpiresAt != nil || s.Message != "" || len(c.Annotations) != 1 {
		t.Errorf("keeps its bulk: %+v", c)
	}
}

func TestKeepsWhatTheSweepAsksOfFinishedChanges(t *testing.T) {
	c := change(v1alpha1.PhaseConflicted)
	c.Spec.Restore, c.Spec.BaseVersionID = nil, "v1"
	c.Spec.Staged = &v1alpha1.StagedSource{SecretARN: "arn", VersionID: "v", Digest: "sha256:0"}
	c.Status.StagedDeleted, c.Status.Attempt = false, nil
	kept := c.KeptUntil()
	c = transform(t, c).(*v1alpha1.SecretChange)
	if c.Spec.Staged.SecretARN != "arn" || kept.IsZero() || !c.KeptUntil().Equal(kept) {
		t.Errorf("lost where its values are, or until when: %+v", c)
	}
	if *c.Spec.Staged != (v1alpha1.StagedSource{SecretARN: "arn"}) || c.Spec.BaseVersionID != "" {
		t.Errorf("keeps what nobody asks for: %+v", c.Spec)
	}
	restore := change(v1alpha1.PhaseApplied)
	restore.Spec.BaseVersionID = "v2"
	if !transform(t, restore).(*v1alpha1.SecretChange).Adopted() {
		t.Error("forgets that it adopted what was live")
	}
}

func TestKeepsAllOfChangesThatAreStillWorkedOn(t *testing.T) {
	deleted := change(v1alpha1.PhaseRejected)
	deleted.DeletionTimestamp = &metav1.Time{}
	for sentence, c := range map[string]*v1alpha1.SecretChange{
		"pending":                          change(v1alpha1.PhasePending),
		"not seen yet":                     change(""),
		"finished, but not cleaned up yet": change(v1alpha1.PhaseRejected, v1alpha1.Finalizer),
		"finished, but just being deleted": deleted,
	} {
		t.Run(sentence, func(t *testing.T) {
			got := transform(t, c.DeepCopy()).(*v1alpha1.SecretChange)
			if got.Spec.Reason == "" || got.Spec.Reviews == nil || got.Status.Conditions == nil || got.Status.Diff == nil || got.Status.Decision == nil {
				t.Errorf("lost something: %+v", got)
			}
			if len(got.ManagedFields) > 0 {
				t.Error("keeps managedFields")
			}
		})
	}
}

func TestLetsOtherObjectsThrough(t *testing.T) {
	if got := transform(t, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}}).(*corev1.Pod); got.Name != "p" {
		t.Errorf("got %+v", got)
	}
}
