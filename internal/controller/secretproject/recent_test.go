package secretproject

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/project"
)

func TestTheNewestChangesAreReadAnewOnceOneHasEnded(t *testing.T) {
	var r recent
	key := recentKey{types.NamespacedName{Namespace: "team", Name: "api"}, "production"}
	of := func(environment string) *v1alpha1.SecretChange {
		c := &v1alpha1.SecretChange{}
		c.Namespace, c.Spec.Project, c.Spec.Environment = "team", "api", environment
		return c
	}
	reads := 0
	read := func() ([]project.Change, error) {
		reads++
		return []project.Change{{Keys: int32(reads)}}, nil
	}
	get := func(want int32) {
		t.Helper()
		got, err := r.get(key, read)
		if err != nil || len(got) != 1 || got[0].Keys != want {
			t.Errorf("got %v, %v, want reading %d", got, err, want)
		}
	}
	get(1)
	get(1)
	r.forget(of("dev"))
	get(1)
	r.forget(of("production"))
	get(2)
	// One that ends while the others are read may be missing in what was read.
	r.forget(of("production"))
	_, _ = r.get(key, func() ([]project.Change, error) {
		r.forget(of("production"))
		return read()
	})
	get(4)
	get(4)
	if len(r.of) != 1 {
		t.Errorf("%d environments are remembered, and only one was asked for", len(r.of))
	}
}
