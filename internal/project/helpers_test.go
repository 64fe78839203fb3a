package project

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
)

const (
	env  = "production"
	name = "secret-review/api/production"
	arn  = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:secret-review/api/production-AbCdEf"
)

// now is in whole microseconds, as statuses keep them.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var settings = Settings{Cluster: "blue", Prefix: "secret-review/", Region: "eu-west-1", RequireOwnerTag: true}

func micro(t time.Time) *metav1.MicroTime { return &metav1.MicroTime{Time: t} }

// onRecordAs is a project whose environment was last seen as edit leaves it:
// version v1 live since the first sight, with two keys.
func onRecordAs(edit func(*v1alpha1.EnvironmentStatus)) *v1alpha1.SecretProject {
	e := v1alpha1.EnvironmentStatus{Name: env, SecretName: name, SecretARN: arn, LiveVersionID: "v1", Keys: 2, BaselineVersionID: "v1"}
	if edit != nil {
		edit(&e)
	}
	p := unseen()
	p.Status = v1alpha1.SecretProjectStatus{
		ObservedGeneration: 3, Region: "eu-west-1", Prefix: "secret-review/", ClusterName: "blue",
		Environments: []v1alpha1.EnvironmentStatus{e},
	}
	return p
}

// unseen is a project without a status.
func unseen() *v1alpha1.SecretProject {
	return &v1alpha1.SecretProject{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "api", Generation: 3},
		Spec:       v1alpha1.SecretProjectSpec{Environments: []v1alpha1.Environment{{Name: env}}},
		Status:     v1alpha1.SecretProjectStatus{ObservedGeneration: -1},
	}
}

// described is the live secret as AWS describes it, after edit: v1 is live.
func described(edit func(*secretstore.Secret)) *Secret {
	s := secretstore.Secret{
		ARN: arn, Name: name, Tags: map[string]string{naming.TagOwner: "blue/team"},
		Versions: map[string][]string{"v1": {secretstore.LabelCurrent}},
	}
	if edit != nil {
		edit(&s)
	}
	return &Secret{Secret: s}
}

// moved makes v2 live, with a label if uid is one.
func moved(uid string) func(*secretstore.Secret) {
	return func(s *secretstore.Secret) {
		s.Versions = map[string][]string{"v2": {secretstore.LabelCurrent}, "v1": {secretstore.LabelPrevious}}
		if uid != "" {
			s.Versions["v2"] = append(s.Versions["v2"], naming.VersionLabel(uid))
		}
	}
}

// applied is a change that made v2 live in place of v1.
func applied(ago time.Duration) Change {
	return Change{
		Namespace: "team", Name: "fix", UID: "u2", Phase: v1alpha1.PhaseApplied,
		AppliedVersionID: "v2", PreviousVersionID: "v1", Keys: 5, AppliedAt: now.Add(-ago),
	}
}

func replaced(c Change) Change {
	c.Replaced = true
	return c
}

func writersOf(changes ...Change) map[string]Change {
	out := map[string]Change{}
	for _, c := range changes {
		out[c.UID] = c
	}
	return out
}

var intact = Trust{Known: true, Intact: true}

func factsOf(p *v1alpha1.SecretProject, observed Environment) Facts {
	return Facts{Now: now, Project: p, Trust: intact, Environments: map[string]Environment{env: observed}}
}

// settled decides and expects an answer.
func settled(t *testing.T, s Settings, f Facts) (Action, v1alpha1.EnvironmentStatus) {
	t.Helper()
	a := Decide(s, f)
	if len(a.Reads) > 0 {
		t.Fatalf("asks to read %+v", a.Reads)
	}
	e := a.Status.Environment(env)
	if e == nil {
		t.Fatalf("no status of %s", env)
	}
	return a, *e
}
