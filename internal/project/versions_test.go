package project

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
)

func TestDrift(t *testing.T) {
	unfinished := Change{Namespace: "team", Name: "fix", UID: "u2", Phase: v1alpha1.PhaseApproved}
	pending := Change{Namespace: "team", Name: "fix", UID: "u2", Phase: v1alpha1.PhasePending}
	conflicted := Change{Namespace: "team", Name: "fix", UID: "u2", Phase: v1alpha1.PhaseConflicted}
	afterFix := func(e *v1alpha1.EnvironmentStatus) {
		e.LiveVersionID, e.LastAppliedChange, e.LastAppliedVersionID = "v2", "fix", "v2"
		e.LastAppliedTime = micro(now.Add(-time.Hour))
	}
	counted := &Value{VersionID: "v2", Keys: 1}
	cases := map[string]struct {
		record   func(*v1alpha1.EnvironmentStatus)
		observed Environment
		// want is empty where there must be no drift.
		want v1alpha1.Drift
	}{
		"none at first sight": {
			record:   func(e *v1alpha1.EnvironmentStatus) { *e = v1alpha1.EnvironmentStatus{} },
			observed: Environment{Secret: described(moved("")), Value: counted},
		},
		"another version than at first sight": {
			observed: Environment{Secret: described(moved("")), Value: counted},
			want:     v1alpha1.Drift{ExpectedVersionID: "v1", LiveVersionID: "v2"},
		},
		"none where the last applied change is live": {
			record: afterFix, observed: Environment{Secret: described(moved("u2")), Writers: writersOf(applied(time.Hour))},
		},
		"an emergency undo by hand": {
			record:   afterFix,
			observed: Environment{Secret: described(nil), Applied: []Change{applied(time.Hour)}, Value: &Value{VersionID: "v1", Keys: 2}},
			want:     v1alpha1.Drift{ExpectedVersionID: "v2", LiveVersionID: "v1"},
		},
		"none while a change is being made live": {
			observed: Environment{Secret: described(moved("u2")), Writers: writersOf(unfinished), Value: counted},
		},
		"a version with the label of a change that waits for its reviews": {
			observed: Environment{Secret: described(moved("u2")), Writers: writersOf(pending), Value: counted},
			want:     v1alpha1.Drift{ExpectedVersionID: "v1", LiveVersionID: "v2"},
		},
		"a version of a change that ended otherwise": {
			observed: Environment{Secret: described(moved("u2")), Writers: writersOf(conflicted), Value: counted},
			want:     v1alpha1.Drift{ExpectedVersionID: "v1", LiveVersionID: "v2"},
		},
		"a live version with the label of an unknown change": {
			observed: Environment{Secret: described(moved("u9")), Value: counted},
			want:     v1alpha1.Drift{ExpectedVersionID: "v1", LiveVersionID: "v2", ForeignChangeUID: "u9"},
		},
		"a version that is not live with the label of an unknown change": {
			observed: Environment{Secret: described(func(s *secretstore.Secret) { s.Versions["v7"] = []string{naming.VersionLabel("u9")} })},
			want:     v1alpha1.Drift{ExpectedVersionID: "v1", LiveVersionID: "v1", ForeignChangeUID: "u9"},
		},
		"none where the unknown change has been purged but is on record": {
			record: func(e *v1alpha1.EnvironmentStatus) {
				afterFix(e)
				e.Versions = []v1alpha1.RestorableVersion{{VersionID: "v1", Change: "older"}}
			},
			observed: Environment{Secret: described(func(s *secretstore.Secret) {
				moved("u2")(s)
				s.Versions["v1"] = append(s.Versions["v1"], naming.VersionLabel("u1"))
			})},
		},
		"a secret that has lost its live version": {
			observed: Environment{Secret: described(func(s *secretstore.Secret) { s.Versions = nil })},
			want:     v1alpha1.Drift{ExpectedVersionID: "v1"},
		},
		"none after a change was applied, however long the drift was there": {
			record: func(e *v1alpha1.EnvironmentStatus) {
				e.Drift = &v1alpha1.Drift{ExpectedVersionID: "v0", LiveVersionID: "v1"}
			},
			observed: Environment{Applied: []Change{applied(0)}},
		},
		"none where AWS shows what was live just before": {
			observed: Environment{Secret: described(nil), Applied: []Change{applied(time.Second)}},
		},
		"what AWS still shows after a while is so": {
			observed: Environment{Secret: described(nil), Applied: []Change{applied(DescribeLag)}},
			want:     v1alpha1.Drift{ExpectedVersionID: "v2", LiveVersionID: "v1"},
		},
	}
	for sentence, c := range cases {
		t.Run(sentence, func(t *testing.T) {
			a, e := settled(t, settings, factsOf(onRecordAs(c.record), c.observed))
			if c.want == (v1alpha1.Drift{}) {
				if e.Drift != nil || a.Status.DriftedNames != "" {
					t.Fatalf("got %+v", e.Drift)
				}
				return
			}
			if e.Drift == nil || !sameDrift(e.Drift, &c.want) || !e.Drift.ObservedAt.Time.Equal(now) || a.Status.DriftedNames != env {
				t.Fatalf("got %+v (%q), want %+v", e.Drift, a.Status.DriftedNames, c.want)
			}
		})
	}
}

func TestDriftKeepsTheTimeWhenItWasFirstSeen(t *testing.T) {
	before := now.Add(-time.Hour)
	p := onRecordAs(func(e *v1alpha1.EnvironmentStatus) {
		e.LiveVersionID = "v2"
		e.Drift = &v1alpha1.Drift{ExpectedVersionID: "v1", LiveVersionID: "v2", ObservedAt: micro(before)}
	})
	if _, e := settled(t, settings, factsOf(p, Environment{Secret: described(moved(""))})); !e.Drift.ObservedAt.Time.Equal(before) {
		t.Errorf("got %s", e.Drift.ObservedAt)
	}
}

func TestWhatAWSShowsTooEarlyIsLookedAtAgain(t *testing.T) {
	a, e := settled(t, settings, factsOf(onRecordAs(nil), Environment{Secret: described(nil), Applied: []Change{applied(time.Second)}}))
	if e.LiveVersionID != "v2" || e.Keys != 5 || !slices.Equal(a.Unsettled, []string{env}) || a.After != settleLook {
		t.Errorf("got %+v, unsettled %v, after %s", e, a.Unsettled, a.After)
	}
}

func TestTakesOverWhatWasApplied(t *testing.T) {
	older := Change{Namespace: "team", Name: "older", UID: "u1", Phase: v1alpha1.PhaseApplied, AppliedVersionID: "v0", AppliedAt: now.Add(-time.Hour), Keys: 1}
	p := onRecordAs(func(e *v1alpha1.EnvironmentStatus) {
		e.Versions = []v1alpha1.RestorableVersion{{VersionID: "vOld", Change: "oldest", Time: micro(now.Add(-2 * time.Hour))}}
		e.LastAppliedTime = micro(now.Add(-2 * time.Hour))
	})
	_, e := settled(t, settings, factsOf(p, Environment{Applied: []Change{applied(time.Minute), older}}))
	if e.LiveVersionID != "v2" || e.Keys != 5 || e.LastAppliedChange != "fix" || e.LastAppliedVersionID != "v2" || !e.LastAppliedTime.Time.Equal(now.Add(-time.Minute)) {
		t.Errorf("got %+v", e)
	}
	if got := names(e.Versions); !slices.Equal(got, []string{"v2 fix", "v1 ", "v0 older", "vOld oldest"}) {
		t.Errorf("got %v", got)
	}
}

func TestKeepsAsManyVersionsOnRecordAsThePolicySays(t *testing.T) {
	p := onRecordAs(func(e *v1alpha1.EnvironmentStatus) {
		for i := range 5 {
			e.Versions = append(e.Versions, v1alpha1.RestorableVersion{VersionID: fmt.Sprint("old", i), Time: micro(now.Add(-time.Duration(i+2) * time.Hour))})
		}
	})
	two := int32(2)
	p.Spec.VersionHistory = &two
	_, e := settled(t, settings, factsOf(p, Environment{Applied: []Change{applied(time.Minute)}}))
	if got := names(e.Versions); !slices.Equal(got, []string{"v2 fix", "v1 ", "old0 "}) {
		t.Errorf("got %v", got)
	}
}

func TestARecordOfThisMomentIsNotTakenOverAgain(t *testing.T) {
	c := applied(0)
	c.AppliedAt = now.Add(999 * time.Nanosecond) // the record has whole microseconds
	p := onRecordAs(func(e *v1alpha1.EnvironmentStatus) {
		e.LastAppliedChange, e.LastAppliedVersionID, e.LastAppliedTime = "fix", "v2", micro(now)
		e.LiveVersionID = "v3"
		e.Drift = &v1alpha1.Drift{ExpectedVersionID: "v2", LiveVersionID: "v3", ObservedAt: micro(now)}
	})
	if _, e := settled(t, settings, factsOf(p, Environment{Applied: []Change{c}})); e.Drift == nil || e.LiveVersionID != "v3" {
		t.Errorf("got %+v", e)
	}
}

func TestRestorableVersionsAreThoseThatChangesMadeLive(t *testing.T) {
	label := naming.VersionLabel
	change := func(uid, version string, phase v1alpha1.Phase, ago time.Duration) Change {
		return Change{Namespace: "team", Name: "change-" + uid, UID: uid, Phase: phase, AppliedVersionID: version, AppliedAt: now.Add(-ago)}
	}
	elsewhere := change("u5", "v5", v1alpha1.PhaseApplied, 5*time.Hour)
	elsewhere.Namespace = "other"
	secret := described(func(s *secretstore.Secret) {
		s.Versions = map[string][]string{
			"v1": {secretstore.LabelCurrent, label("u1"), label("u6")}, // adopted later
			"v2": {secretstore.LabelPrevious, label("u2")},
			"v3": {label("u3")},        // written, but not live yet
			"v4": {label("u4")},        // purged, but on record
			"v5": {label("u5")},        // of a change in the namespace that owned it before
			"v7": {"somebody's label"}, // none of ours
		}
	})
	p := onRecordAs(func(e *v1alpha1.EnvironmentStatus) {
		e.LastAppliedVersionID = "v1"
		e.Versions = []v1alpha1.RestorableVersion{
			{VersionID: "v4", Change: "purged", Time: micro(now.Add(-4 * time.Hour))},
			{VersionID: "v9", Change: "trimmed", Time: micro(now)},
		}
	})
	writers := writersOf(change("u1", "v1", v1alpha1.PhaseApplied, 3*time.Hour), change("u2", "v2", v1alpha1.PhaseApplied, 2*time.Hour),
		change("u3", "", v1alpha1.PhaseApproved, 0), elsewhere, change("u6", "v1", v1alpha1.PhaseApplied, time.Hour))
	_, e := settled(t, settings, factsOf(p, Environment{Secret: secret, Writers: writers}))
	want := []string{"v1 change-u6", "v2 change-u2", "v4 purged", "v5 "}
	if got := names(e.Versions); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if e.Drift != nil {
		t.Errorf("got %+v", e.Drift)
	}
}

func names(versions []v1alpha1.RestorableVersion) []string {
	var out []string
	for _, v := range versions {
		out = append(out, v.VersionID+" "+v.Change)
	}
	return out
}

// What a rollback goes back by keeps its label beyond versionHistory: five versions
// with a label are left here, where three and the live one are usual.
func TestARollbackMakesNoPurgedChangeForeign(t *testing.T) {
	at := func(h int) time.Time { return now.Add(-time.Duration(h) * time.Hour) }
	p := onRecordAs(func(e *v1alpha1.EnvironmentStatus) {
		e.LiveVersionID, e.LastAppliedVersionID, e.LastAppliedChange, e.LastAppliedTime = "v4", "v4", "c4", micro(at(4))
		e.Versions = []v1alpha1.RestorableVersion{
			{VersionID: "v4", Change: "c4", Time: micro(at(4))}, {VersionID: "v3", Change: "c3", Time: micro(at(5))},
			{VersionID: "v2", Change: "c2", Time: micro(at(6))}, {VersionID: "v1", Change: "c1", Time: micro(at(7))}}
	})
	three := int32(3)
	p.Spec.VersionHistory = &three
	r := Change{Namespace: "team", Name: "r", UID: "uR", Phase: v1alpha1.PhaseApplied, AppliedVersionID: "vR", PreviousVersionID: "v4", Keys: 1, AppliedAt: now.Add(-time.Minute), GoesBack: true}
	w := func(uid, v string, h int) Change {
		return Change{Namespace: "team", Name: "c", UID: uid, Phase: v1alpha1.PhaseApplied, AppliedVersionID: v, AppliedAt: at(h)}
	}
	a, _ := settled(t, settings, factsOf(p, Environment{Applied: []Change{r}}))
	p.Status = a.Status
	l := naming.VersionLabel
	secret := described(func(s *secretstore.Secret) {
		s.Versions = map[string][]string{"vR": {secretstore.LabelCurrent, l("uR")}, "v4": {secretstore.LabelPrevious, l("u4")},
			"v3": {l("u3")}, "v2": {l("u2")}, "v1": {l("u1")}}
	})
	// c1 was purged long ago; its version was on record.
	_, e := settled(t, settings, factsOf(p, Environment{Applied: []Change{r}, Suspected: true, Secret: secret,
		Writers: writersOf(r, w("u4", "v4", 4), w("u3", "v3", 5), w("u2", "v2", 6))}))
	if e.Drift != nil {
		t.Errorf("drift %+v", e.Drift)
	}
}

// An adoption replaces nothing, and labels nothing but what is live.
func TestAnAdoptionReplacesNothing(t *testing.T) {
	p := onRecordAs(nil)
	adoption := Change{Namespace: "team", Name: "adopt", UID: "uA", Phase: v1alpha1.PhaseApplied, AppliedVersionID: "v1", PreviousVersionID: "v0", GoesBack: true, Adopted: true, AppliedAt: now.Add(-time.Minute)}
	_, e := settled(t, settings, factsOf(p, Environment{Applied: []Change{adoption}}))
	for _, v := range e.Versions {
		if v.ReplacedBy != "" {
			t.Errorf("says that %s was replaced by %s and can be restored", v.VersionID, v.ReplacedBy)
		}
	}
}

// A change is applied, and before that is on record its secret is tagged as another's. Then the change is purged, and the
// tag comes back.
func TestWhatWasAppliedIsOnRecordWhateverIsWrongWithTheSecret(t *testing.T) {
	facts := Facts{Now: now, Project: onRecordAs(nil), Trust: Trust{Known: true, Intact: true}, Environments: map[string]Environment{env: {
		Suspected: true, Applied: []Change{applied(time.Minute)},
		Secret: described(func(s *secretstore.Secret) { moved("u2")(s); s.Tags = nil }),
	}}}
	facts.Project.Status = Decide(settings, facts).Status
	later := applied(0)
	later.UID, later.AppliedVersionID, later.PreviousVersionID = "u3", "v3", "v2"
	facts.Environments[env] = Environment{Applied: []Change{later}, Writers: writersOf(later), Value: &Value{VersionID: "v3", Keys: 1},
		Secret: described(func(s *secretstore.Secret) {
			s.Versions = map[string][]string{"v2": {secretstore.LabelPrevious, naming.VersionLabel("u2")}, "v3": {secretstore.LabelCurrent, naming.VersionLabel("u3")}}
		})}
	got := Decide(settings, facts).Status.Environments[0]
	if got.Drift != nil {
		t.Errorf("a label of ours counts as foreign: %+v", got.Drift)
	}
	if !slices.ContainsFunc(got.Versions, func(v v1alpha1.RestorableVersion) bool { return v.VersionID == "v2" }) {
		t.Errorf("v2 cannot be restored any more: %+v", got.Versions)
	}
}
