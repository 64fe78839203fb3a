package project

import (
	"testing"
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/secretstore"
)

func TestDiffers(t *testing.T) {
	listed := func(edit func(*secretstore.Secret)) *Secret {
		s := described(edit)
		s.Listed = true
		return s
	}
	cases := map[string]struct {
		project  *v1alpha1.SecretProject
		observed Environment
		want     bool
	}{
		"a listing that shows what is on record is no news": {project: onRecordAs(nil), observed: Environment{Secret: listed(nil)}},
		"another live version is":                           {project: onRecordAs(nil), observed: Environment{Secret: listed(moved(""))}, want: true},
		"so is a secret that is gone":                       {project: onRecordAs(nil), observed: Environment{Secret: &Secret{Missing: true, Listed: true}}, want: true},
		"and a secret that has turned up": {
			project: onRecordAs(func(e *v1alpha1.EnvironmentStatus) {
				*e = v1alpha1.EnvironmentStatus{Name: env, SecretName: name, Problem: &v1alpha1.Problem{Reason: v1alpha1.ReasonSecretMissing}}
			}),
			observed: Environment{Secret: listed(nil)}, want: true,
		},
		"a deletion is":            {project: onRecordAs(nil), observed: Environment{Secret: listed(func(s *secretstore.Secret) { s.DeletedAt = &now })}, want: true},
		"another owner is":         {project: onRecordAs(nil), observed: Environment{Secret: listed(func(s *secretstore.Secret) { s.Tags = nil })}, want: true},
		"another KMS key is":       {project: onRecordAs(nil), observed: Environment{Secret: listed(func(s *secretstore.Secret) { s.KMSKeyID = "k" })}, want: true},
		"a foreign label is":       {project: onRecordAs(nil), observed: Environment{Secret: listed(func(s *secretstore.Secret) { s.Versions["v8"] = []string{"sr-u9"} })}, want: true},
		"a first replica is":       {project: onRecordAs(nil), observed: Environment{Secret: listed(func(s *secretstore.Secret) { s.PrimaryRegion = "eu-west-1" })}, want: true},
		"a label of others is not": {project: onRecordAs(nil), observed: Environment{Secret: listed(func(s *secretstore.Secret) { s.Versions["v8"] = []string{"theirs"} })}},
		"how replicas are is not to be seen in it": {
			project: onRecordAs(func(e *v1alpha1.EnvironmentStatus) {
				e.Replication = []v1alpha1.ReplicationStatus{{Region: "us-east-1", Status: "InSync"}}
			}),
			observed: Environment{Secret: listed(func(s *secretstore.Secret) { s.PrimaryRegion = "eu-west-1" })},
		},
		"what was live before the last change is, since it may have been undone by hand": {
			project: onRecordAs(func(e *v1alpha1.EnvironmentStatus) {
				e.LiveVersionID, e.LastAppliedChange, e.LastAppliedVersionID = "v2", "fix", "v2"
				e.LastAppliedTime = micro(now.Add(-4 * time.Minute))
				e.Versions = []v1alpha1.RestorableVersion{{VersionID: "v2", Change: "fix", Time: e.LastAppliedTime}}
			}),
			observed: Environment{Secret: listed(nil)}, want: true,
		},
		"a problem that no listing can show is looked at each time": {
			project: onRecordAs(func(e *v1alpha1.EnvironmentStatus) {
				e.Problem = &v1alpha1.Problem{Reason: v1alpha1.ReasonSecretUnusable, Message: "the live value"}
			}),
			observed: Environment{Secret: listed(nil)}, want: true,
		},
		"a project without a record is looked at anyway": {project: unseen(), observed: Environment{Secret: listed(nil)}},
		"a claimed name is not looked at": {
			project: onRecordAs(nil), observed: Environment{Secret: listed(moved("")), Rivals: []Rival{{"team", "other"}}},
		},
	}
	for sentence, c := range cases {
		t.Run(sentence, func(t *testing.T) {
			if got := Differs(settings, factsOf(c.project, c.observed), env); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
