package change_test

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// TestKstatus asks the library by which Flux, Argo CD's plugins and kubectl
// wait.
func TestKstatus(t *testing.T) {
	approve := func(w *world, c *v1alpha1.SecretChange) { w.review(c, "bob", v1alpha1.VerdictApproved) }
	for name, tc := range map[string]struct {
		story   func(*world, *v1alpha1.SecretChange)
		unseen  bool
		phase   v1alpha1.Phase
		kstatus status.Status
	}{
		"a change that nobody has seen is in progress": {unseen: true, kstatus: status.InProgressStatus},
		"a pending change is in progress":              {phase: v1alpha1.PhasePending, kstatus: status.InProgressStatus},
		"an approved change is in progress": {phase: v1alpha1.PhaseApproved, kstatus: status.InProgressStatus,
			story: func(w *world, c *v1alpha1.SecretChange) {
				w.project.Spec.Suspend = ptr.To(true)
				approve(w, c)
			}},
		"an applied change is current": {phase: v1alpha1.PhaseApplied, kstatus: status.CurrentStatus, story: approve},
		"a rejected change has failed": {phase: v1alpha1.PhaseRejected, kstatus: status.FailedStatus,
			story: func(w *world, c *v1alpha1.SecretChange) { w.review(c, "bob", v1alpha1.VerdictRejected) }},
		"a conflicted change has failed": {phase: v1alpha1.PhaseConflicted, kstatus: status.FailedStatus,
			story: func(w *world, _ *v1alpha1.SecretChange) {
				w.external(edited(w.live(), setC))
				w.now = w.now.Add(time.Minute)
			}},
		"an expired change has failed": {phase: v1alpha1.PhaseExpired, kstatus: status.FailedStatus,
			story: func(w *world, _ *v1alpha1.SecretChange) { w.now = w.now.Add(200 * time.Hour) }},
		"an invalid change has failed": {phase: v1alpha1.PhaseInvalid, kstatus: status.FailedStatus,
			story: func(_ *world, c *v1alpha1.SecretChange) { c.Spec.Staged.SecretARN = liveARN }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(1)
			c := w.propose("alice", setA)
			if tc.story != nil {
				tc.story(w, c)
			}
			if !tc.unseen {
				w.settle()
			}
			if c.Status.Phase != tc.phase {
				t.Fatalf("is %q: %s", c.Status.Phase, c.Status.Message)
			}
			object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(c)
			if err != nil {
				t.Fatal(err)
			}
			result, err := status.Compute(&unstructured.Unstructured{Object: object})
			if err != nil {
				t.Fatal(err)
			}
			if result.Status != tc.kstatus {
				t.Errorf("kstatus is %s (%s), want %s", result.Status, result.Message, tc.kstatus)
			}
		})
	}
}
