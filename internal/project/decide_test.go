package project

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/secretstore"
)

func TestAsksAWSOnlyWhereTheRecordDoesNotDo(t *testing.T) {
	describe := []Read{{Environment: env, Kind: ReadSecret, SecretID: name}}
	count := func(version string) []Read {
		return []Read{{Environment: env, Kind: ReadValue, SecretID: arn, VersionID: version}}
	}
	cases := map[string]struct {
		project  *v1alpha1.SecretProject
		settings Settings
		observed Environment
		want     []Read
	}{
		"a project that is on record costs nothing":  {project: onRecordAs(nil)},
		"a new project is looked at":                 {project: unseen(), want: describe},
		"what a listing has shown is looked at":      {project: onRecordAs(nil), observed: Environment{Suspected: true}, want: describe},
		"a record of another region does not count":  {project: onRecordAs(nil), settings: Settings{Cluster: "blue", Prefix: "secret-review/", Region: "us-east-1"}, want: describe},
		"a record of another cluster does not count": {project: onRecordAs(nil), settings: Settings{Cluster: "green", Prefix: "secret-review/", Region: "eu-west-1"}, want: describe},
		"a record of another prefix does not count": {
			project: onRecordAs(nil), settings: Settings{Cluster: "blue", Prefix: "other/", Region: "eu-west-1"},
			want: []Read{{Environment: env, Kind: ReadSecret, SecretID: "other/api/production"}},
		},
		"a problem on record is looked at again": {
			project: onRecordAs(func(e *v1alpha1.EnvironmentStatus) { e.Problem = &v1alpha1.Problem{Reason: "SecretMissing"} }), want: describe,
		},
		"drift on record is left to the listings": {
			project: onRecordAs(func(e *v1alpha1.EnvironmentStatus) { e.Drift = &v1alpha1.Drift{LiveVersionID: "v1"} }),
		},
		"a change that was applied tells all there is to know": {
			project: onRecordAs(nil), observed: Environment{Applied: []Change{applied(time.Second)}},
		},
		"whether an adoption took the foreign label off, only AWS can tell": {
			project:  onRecordAs(func(e *v1alpha1.EnvironmentStatus) { e.Drift = &v1alpha1.Drift{ForeignChangeUID: "u9"} }),
			observed: Environment{Applied: []Change{applied(time.Second)}}, want: describe,
		},
		"what has replaced a change's version, only AWS can tell": {
			project: onRecordAs(nil), observed: Environment{Applied: []Change{replaced(applied(time.Minute))}}, want: describe,
		},
		"a replicated secret is looked at after each change": {
			project: onRecordAs(func(e *v1alpha1.EnvironmentStatus) {
				e.Replication = []v1alpha1.ReplicationStatus{{Region: "us-east-1", Status: "InSync"}}
			}),
			observed: Environment{Applied: []Change{applied(time.Second)}}, want: describe,
		},
		"a replica on its way is looked at": {
			project: onRecordAs(func(e *v1alpha1.EnvironmentStatus) {
				e.Replication = []v1alpha1.ReplicationStatus{{Region: "us-east-1", Status: "InProgress"}}
			}), want: describe,
		},
		"the keys of a version that nobody has counted are": {
			project: onRecordAs(nil), observed: Environment{Secret: described(moved(""))}, want: count("v2"),
		},
		"the keys of a version on record are known": {project: onRecordAs(nil), observed: Environment{Secret: described(nil)}},
		"the change that wrote a version knows its keys": {
			project: onRecordAs(nil),
			observed: Environment{Secret: described(moved("u2")), Applied: []Change{applied(time.Hour)},
				Writers: writersOf(applied(time.Hour))},
		},
		"a value that was no document is looked at again": {
			project:  onRecordAs(func(e *v1alpha1.EnvironmentStatus) { e.Problem = &v1alpha1.Problem{Reason: "SecretUnusable"} }),
			observed: Environment{Secret: described(nil)}, want: count("v1"),
		},
		"a change that does not say how many keys it left has them counted": {
			project: onRecordAs(nil),
			observed: Environment{Applied: []Change{{Namespace: "team", Name: "empty", UID: "u2", Phase: v1alpha1.PhaseApplied,
				AppliedVersionID: "v2", AppliedAt: now}}},
			want: count("v2"),
		},
		"an adoption of what is live leaves the count as it was": {
			project: onRecordAs(nil),
			observed: Environment{Applied: []Change{{Namespace: "team", Name: "adopt", UID: "u2", Phase: v1alpha1.PhaseApplied,
				AppliedVersionID: "v1", AppliedAt: now}}},
		},
		"the value of somebody else's secret is not read": {
			project:  onRecordAs(nil),
			observed: Environment{Secret: described(func(s *secretstore.Secret) { moved("")(s); s.Tags = nil })},
		},
		"an environment that is claimed twice is not looked at": {
			project: unseen(), observed: Environment{Rivals: []Rival{{Namespace: "team", Name: "other"}}},
		},
		"what could not be read is not asked for twice": {
			project: unseen(), observed: Environment{Failure: &Failure{Kind: secretstore.KindThrottled}},
		},
	}
	for sentence, c := range cases {
		t.Run(sentence, func(t *testing.T) {
			s := c.settings
			if s == (Settings{}) {
				s = settings
			}
			if got := Decide(s, factsOf(c.project, c.observed)).Reads; !slices.Equal(got, c.want) {
				t.Errorf("asks for %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestSaysWhatAClientNeedsToStage(t *testing.T) {
	p := unseen()
	p.Spec.ProjectName = "Api_2"
	p.Spec.Environments = append(p.Spec.Environments, v1alpha1.Environment{Name: "dev"})
	a := Decide(settings, Facts{Now: now, Project: p, Trust: intact, Environments: map[string]Environment{
		env:   {Secret: described(func(s *secretstore.Secret) { s.Name, s.KMSKeyID = "secret-review/Api_2/production", "alias/app" }), Value: &Value{VersionID: "v1", Keys: 7}},
		"dev": {Secret: &Secret{Missing: true}},
	}})
	got := a.Status
	if got.Region != "eu-west-1" || got.Prefix != "secret-review/" || got.ClusterName != "blue" || got.ObservedGeneration != 3 {
		t.Errorf("got %+v", got)
	}
	if got.EnvironmentNames != "production,dev" || len(got.Environments) != 2 {
		t.Errorf("got %q, %+v", got.EnvironmentNames, got.Environments)
	}
	e := got.Environment(env)
	if e.SecretName != "secret-review/Api_2/production" || e.SecretARN != arn || e.KMSKeyID != "alias/app" ||
		e.LiveVersionID != "v1" || e.Keys != 7 || e.BaselineVersionID != "v1" || e.Drift != nil || e.Problem != nil {
		t.Errorf("got %+v", e)
	}
}

func TestForgetsEnvironmentsThatAreGone(t *testing.T) {
	p := onRecordAs(nil)
	p.Status.Environments = append(p.Status.Environments, v1alpha1.EnvironmentStatus{Name: "old"})
	a, _ := settled(t, settings, factsOf(p, Environment{}))
	if a.Status.Environment("old") != nil {
		t.Errorf("still has %+v", a.Status.Environments)
	}
}

func TestWritesNothingWhereNothingHappened(t *testing.T) {
	a, _ := settled(t, settings, factsOf(onRecordAs(nil), Environment{}))
	p := onRecordAs(nil)
	p.Status = a.Status
	f := factsOf(p, Environment{})
	f.Now = now.Add(time.Hour)
	again, _ := settled(t, settings, f)
	if len(again.Events) > 0 || again.After != 0 || again.Status.Conditions[0].LastTransitionTime != a.Status.Conditions[0].LastTransitionTime {
		t.Errorf("got %+v", again)
	}
}

func TestLooksAtProblemsAgainEverLessOften(t *testing.T) {
	missing := &Secret{Missing: true}
	cases := map[string]struct {
		age  time.Duration
		want time.Duration
	}{
		"at first soon":                   {0, 5 * time.Second},
		"then after half the time":        {4 * time.Minute, 2 * time.Minute},
		"until listings do as well":       {10 * time.Minute, 5 * time.Minute},
		"and then not by itself any more": {10*time.Minute + time.Second, 0},
	}
	for sentence, c := range cases {
		t.Run(sentence, func(t *testing.T) {
			p := unseen()
			p.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse,
				LastTransitionTime: metav1.NewTime(now.Add(-c.age))}}
			a, _ := settled(t, settings, factsOf(p, Environment{Secret: missing}))
			if a.After != c.want {
				t.Errorf("looks after %s, want %s", a.After, c.want)
			}
		})
	}
}

func TestLooksAtReplicasUntilTheyAreThere(t *testing.T) {
	for status, want := range map[string]time.Duration{"InProgress": time.Minute, "InSync": 0, "Failed": 0} {
		secret := described(func(s *secretstore.Secret) {
			s.PrimaryRegion = "eu-west-1"
			s.Replicas = []secretstore.Replica{{Region: "us-east-1", Status: status, Message: "because"}, {Region: "ap-south-1", Status: "InSync"}}
		})
		a, e := settled(t, settings, factsOf(onRecordAs(nil), Environment{Secret: secret}))
		if a.After != want {
			t.Errorf("%s: looks after %s, want %s", status, a.After, want)
		}
		wantStatus := []v1alpha1.ReplicationStatus{{Region: "ap-south-1", Status: "InSync"}, {Region: "us-east-1", Status: status, Message: "because"}}
		if !slices.Equal(e.Replication, wantStatus) {
			t.Errorf("got %+v", e.Replication)
		}
	}
}

// A clock that was ahead must not make an undo by hand look like old news for as long.
func TestAnUndoOfWhatBecomesLiveInTheFutureIsDrift(t *testing.T) {
	_, e := settled(t, settings, factsOf(onRecordAs(func(*v1alpha1.EnvironmentStatus) {}),
		Environment{Applied: []Change{applied(-50 * time.Minute)}, Suspected: true, Secret: described(nil)}))
	if e.Drift == nil {
		t.Errorf("%s is live, which no change made so, and it is no drift", e.LiveVersionID)
	}
}
