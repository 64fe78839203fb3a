package change_test

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestAFinishedRecordThatABackupBroughtBackStaysAsItIs(t *testing.T) {
	w := newWorld(1)
	c := w.propose("alice", setA)
	w.review(c, "bob", "Approved")
	w.settle()
	c.Generation, c.Finalizers = 1, nil
	c.Status.ObservedGeneration = 7
	before := *c.Status.DeepCopy()
	if _, a := w.decide(c); !equality.Semantic.DeepEqual(a.Status, before) || a.Effect.Kind != "" {
		t.Errorf("does %q and changes the record to %+v", a.Effect.Kind, a.Status)
	}
}

func TestATimeToLiveWithAFractionIsStoredAsItIsKept(t *testing.T) {
	w := newWorld(1)
	w.project.Spec.ChangeTTL = &metav1.Duration{Duration: time.Hour + 500*time.Millisecond}
	c := w.propose("alice", setA)
	w.settle()
	if at := c.Status.ExpiresAt.Time; !at.Equal(at.Truncate(time.Second)) {
		t.Errorf("expires at %s, of which the API keeps whole seconds", at)
	}
}
