package metrics

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

func in(project string, phase v1alpha1.Phase) *v1alpha1.SecretChange {
	return &v1alpha1.SecretChange{
		ObjectMeta: metav1.ObjectMeta{Namespace: "demo"},
		Spec:       v1alpha1.SecretChangeSpec{Project: project, Environment: "production"},
		Status:     v1alpha1.SecretChangeStatus{Phase: phase},
	}
}

func TestTallyFollowsEachChange(t *testing.T) {
	of := func(project string) environment { return environment{"demo", project, "production"} }
	var tally Tally
	expect := func(project string, phase v1alpha1.Phase, want int) {
		t.Helper()
		if got := tally.of(of(project), phase); got != want {
			t.Errorf("%d changes of %s are in phase %q, want %d", got, project, phase, want)
		}
	}
	tally.OnAdd(in("api", ""), true)
	tally.OnAdd(in("api", v1alpha1.PhasePending), false)
	tally.OnAdd(in("web", v1alpha1.PhasePending), false)
	expect("api", "", 1)
	expect("api", v1alpha1.PhasePending, 1)
	expect("web", v1alpha1.PhasePending, 1)

	tally.OnUpdate(in("api", ""), in("api", v1alpha1.PhasePending))
	expect("api", "", 0)
	expect("api", v1alpha1.PhasePending, 2)

	tally.OnDelete(in("api", v1alpha1.PhasePending))
	tally.OnDelete(toolscache.DeletedFinalStateUnknown{Key: "demo/x", Obj: in("api", v1alpha1.PhasePending)})
	expect("api", v1alpha1.PhasePending, 0)

	tally.OnDelete(in("web", v1alpha1.PhasePending))
	if len(tally.counts) != 0 {
		t.Errorf("%v is left of nothing", tally.counts)
	}
}

func TestOldestWaitsForItsDecisionOrToBeLive(t *testing.T) {
	change := func(phase v1alpha1.Phase, created, decided int64) v1alpha1.SecretChange {
		c := in("api", phase)
		c.CreationTimestamp = metav1.Unix(created, 0)
		if decided != 0 {
			at := metav1.NewMicroTime(metav1.Unix(decided, 0).Time)
			c.Status.DecidedAt = &at
		}
		return *c
	}
	got := oldest([]v1alpha1.SecretChange{
		change(v1alpha1.PhasePending, 200, 0), change(v1alpha1.PhasePending, 100, 0), change(v1alpha1.PhasePending, 300, 0),
		change(v1alpha1.PhaseApproved, 10, 500), change(v1alpha1.PhaseApproved, 20, 400),
	})
	if len(got) != 2 || got[v1alpha1.PhasePending].Unix() != 100 || got[v1alpha1.PhaseApproved].Unix() != 400 {
		t.Errorf("got %v", got)
	}
}
