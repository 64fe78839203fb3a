package project

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/secretstore"
)

func TestConditions(t *testing.T) {
	weak := Trust{Known: true, Reason: "The policy is missing."}
	missing := Environment{Secret: &Secret{Missing: true}}
	foreign := Environment{Secret: described(func(s *secretstore.Secret) { s.Versions["v7"] = []string{"sr-u9"} })}
	moved := Environment{Secret: described(moved("")), Value: &Value{VersionID: "v2"}}
	rotating := Environment{Secret: described(func(s *secretstore.Secret) { s.Versions["v0"] = []string{secretstore.LabelPending} })}
	throttled := Environment{Failure: &Failure{Kind: secretstore.KindThrottled, Message: "slow down"}}
	down := &Failure{Kind: secretstore.KindUnavailable, Message: "no route"}
	cases := map[string]struct {
		trust    Trust
		outage   *Failure
		observed Environment
		// want are conditions as Type=Status:Reason.
		want []string
		says string
	}{
		"all is well": {
			trust: intact, want: []string{"InSync=True:InSync", "PoliciesInForce=True:PoliciesInForce", "Ready=True:Ready"},
			says: "The environment can be served",
		},
		"a problem waits for a person": {
			trust: intact, observed: missing,
			want: []string{"InSync=Unknown:Progressing", "PoliciesInForce=True:PoliciesInForce", "Ready=False:SecretMissing", "Stalled=True:SecretMissing"},
			says: `Environment "production": the live secret`,
		},
		"a rotation ends by itself": {
			trust: intact, observed: rotating,
			want: []string{"InSync=True:InSync", "PoliciesInForce=True:PoliciesInForce", "Ready=False:SecretUnusable", "Reconciling=True:SecretUnusable"},
			says: "rotation",
		},
		"drift alone does not stand in the way": {
			trust: intact, observed: moved,
			want: []string{"InSync=False:Drifted", "PoliciesInForce=True:PoliciesInForce", "Ready=True:Ready"},
		},
		"a foreign version does": {
			trust: intact, observed: foreign,
			want: []string{"InSync=False:ForeignVersion", "PoliciesInForce=True:PoliciesInForce", "Ready=False:ForeignVersion", "Stalled=True:ForeignVersion"},
			says: "adopt it by a change that restores the live version",
		},
		"nothing is applied while the policies are not in force": {
			trust: weak, observed: missing,
			want: []string{"InSync=Unknown:Progressing", "PoliciesInForce=False:PoliciesWeakened", "Ready=False:PoliciesWeakened", "Stalled=True:PoliciesWeakened"},
			says: "Nothing is applied: The policy is missing.",
		},
		"before the first check nothing is held against the policies": {
			want: []string{"InSync=True:InSync", "PoliciesInForce=Unknown:Progressing", "Ready=True:Ready"},
		},
		"what AWS did not answer is tried again": {
			trust: intact, observed: throttled,
			want: []string{"InSync=Unknown:Progressing", "PoliciesInForce=True:PoliciesInForce", "Ready=False:Throttled", "Reconciling=True:Throttled"},
			says: "AWS cannot be asked: slow down",
		},
		"an outage shows on every project": {
			trust: intact, outage: down,
			want: []string{"InSync=Unknown:Progressing", "PoliciesInForce=True:PoliciesInForce", "Ready=False:StoreUnavailable", "Reconciling=True:StoreUnavailable"},
			says: "no route",
		},
	}
	for sentence, c := range cases {
		t.Run(sentence, func(t *testing.T) {
			f := factsOf(onRecordAs(nil), c.observed)
			f.Trust, f.Outage = c.trust, c.outage
			a, _ := settled(t, settings, f)
			if got := words(a.Status.Conditions); !slices.Equal(got, c.want) {
				t.Errorf("got  %v\nwant %v", got, c.want)
			}
			for _, condition := range a.Status.Conditions {
				if condition.ObservedGeneration != 3 || condition.Message == "" {
					t.Errorf("got %+v", condition)
				}
			}
			if ready := condition(a.Status.Conditions, v1alpha1.ConditionReady); !strings.Contains(ready.Message, c.says) {
				t.Errorf("says %q", ready.Message)
			}
		})
	}
}

func words(conditions []metav1.Condition) []string {
	var out []string
	for _, c := range conditions {
		out = append(out, fmt.Sprintf("%s=%s:%s", c.Type, c.Status, c.Reason))
	}
	slices.Sort(out)
	return out
}

func TestReadyEndsReconcilingAndStalled(t *testing.T) {
	p := onRecordAs(nil)
	for _, kind := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
		p.Status.Conditions = append(p.Status.Conditions, metav1.Condition{Type: kind, Status: metav1.ConditionTrue})
	}
	a, _ := settled(t, settings, factsOf(p, Environment{}))
	if got := words(a.Status.Conditions); slices.ContainsFunc(got, func(w string) bool { return strings.HasPrefix(w, "Reconciling") || strings.HasPrefix(w, "Stalled") }) {
		t.Errorf("got %v", got)
	}
}

func TestARestartDoesNotMakeUnknownWhatWasKnown(t *testing.T) {
	a, _ := settled(t, settings, factsOf(onRecordAs(nil), Environment{}))
	p := onRecordAs(nil)
	p.Status = a.Status
	f := factsOf(p, Environment{})
	f.Trust = Trust{}
	again, _ := settled(t, settings, f)
	if got := words(again.Status.Conditions); !slices.Contains(got, "PoliciesInForce=True:PoliciesInForce") {
		t.Errorf("got %v", got)
	}
}

func TestMessagesSpeakOfAFewEnvironments(t *testing.T) {
	p := unseen()
	f := Facts{Now: now, Project: p, Trust: intact, Environments: map[string]Environment{}}
	p.Spec.Environments = nil
	for i := range 5 {
		e := fmt.Sprint("env", i)
		p.Spec.Environments = append(p.Spec.Environments, v1alpha1.Environment{Name: e})
		f.Environments[e] = Environment{Secret: &Secret{Missing: true}}
	}
	a := Decide(settings, f)
	message := condition(a.Status.Conditions, v1alpha1.ConditionReady).Message
	if !strings.Contains(message, "env2") || strings.Contains(message, "env3") || !strings.HasSuffix(message, "; and 2 more") {
		t.Errorf("says %q", message)
	}
}

func TestTellsWhatHasChanged(t *testing.T) {
	drifted := func(e *v1alpha1.EnvironmentStatus) {
		e.Drift = &v1alpha1.Drift{ExpectedVersionID: "v1", LiveVersionID: "v2", ObservedAt: micro(now)}
		e.LiveVersionID = "v2"
	}
	missing := func(e *v1alpha1.EnvironmentStatus) {
		e.Problem = &v1alpha1.Problem{Reason: v1alpha1.ReasonSecretMissing}
	}
	counted := &Value{VersionID: "v1", Keys: 2}
	cases := map[string]struct {
		record   func(*v1alpha1.EnvironmentStatus)
		observed Environment
		outage   *Failure
		want     []string
	}{
		"nothing new":                     {},
		"a problem":                       {observed: Environment{Secret: &Secret{Missing: true}}, want: []string{"!SecretMissing"}},
		"the same problem is not news":    {record: missing, observed: Environment{Secret: &Secret{Missing: true}}},
		"another problem is":              {record: missing, observed: Environment{Secret: described(func(s *secretstore.Secret) { s.Tags = nil })}, want: []string{"!NotOwner"}},
		"its end":                         {record: missing, observed: Environment{Secret: described(nil), Value: counted}, want: []string{"Ready"}},
		"drift":                           {observed: Environment{Secret: described(moved("")), Value: &Value{VersionID: "v2"}}, want: []string{"!Drifted"}},
		"the same drift is not news":      {record: drifted, observed: Environment{Secret: described(moved(""))}},
		"a foreign version":               {observed: Environment{Secret: described(moved("u9")), Value: &Value{VersionID: "v2"}}, want: []string{"!ForeignVersion"}},
		"the end of drift":                {record: drifted, observed: Environment{Secret: described(nil), Value: counted}, want: []string{"InSync"}},
		"an outage":                       {outage: &Failure{Kind: secretstore.KindCredentials, Message: "expired"}, want: []string{"!CredentialsInvalid"}},
		"a call that was not answered":    {observed: Environment{Failure: &Failure{Kind: secretstore.KindThrottled}}, want: []string{"!Throttled"}},
		"drift and its problem, together": {observed: Environment{Secret: described(func(s *secretstore.Secret) { moved("")(s); s.DeletedAt = &now })}, want: []string{"!SecretUnusable", "!Drifted"}},
	}
	for sentence, c := range cases {
		t.Run(sentence, func(t *testing.T) {
			f := factsOf(onRecordAs(c.record), c.observed)
			f.Outage = c.outage
			a, _ := settled(t, settings, f)
			var got []string
			for _, e := range a.Events {
				mark := ""
				if e.Warning {
					mark = "!"
				}
				got = append(got, mark+e.Reason)
				if e.Message == "" {
					t.Errorf("%s says nothing", e.Reason)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("tells %v, want %v", got, c.want)
			}
			// Once it is on record it is no news any more.
			p := f.Project
			p.Status = a.Status
			f.Now = now.Add(time.Second)
			if again := Decide(settings, f); len(again.Reads) == 0 && len(again.Events) > 0 {
				t.Errorf("tells it twice: %+v", again.Events)
			}
		})
	}
}
