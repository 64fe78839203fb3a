package project

import (
	"strings"
	"testing"
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
)

func TestSaysWhyAnEnvironmentCannotBeServed(t *testing.T) {
	relaxed := settings
	relaxed.RequireOwnerTag = false
	pending := func(s *secretstore.Secret) { s.Versions["v0"] = []string{secretstore.LabelPending} }
	cases := map[string]struct {
		settings Settings
		observed Environment
		reason   string
		says     string
		// hidden says that nothing of the secret may show.
		hidden bool
	}{
		"a missing secret": {
			observed: Environment{Secret: &Secret{Missing: true}}, reason: v1alpha1.ReasonSecretMissing,
			says: "create it, with the tag secretreview:owner set to blue/team", hidden: true,
		},
		"one scheduled for deletion": {
			observed: Environment{Secret: described(func(s *secretstore.Secret) { s.DeletedAt = &now })},
			reason:   v1alpha1.ReasonSecretUnusable, says: "restore it",
		},
		"one that a service owns": {
			observed: Environment{Secret: described(func(s *secretstore.Secret) { s.OwningService = "rds" })},
			reason:   v1alpha1.ReasonSecretUnusable, says: "managed by rds",
		},
		"a replica": {
			observed: Environment{Secret: described(func(s *secretstore.Secret) { s.PrimaryRegion = "us-east-1" })},
			reason:   v1alpha1.ReasonSecretUnusable, says: "a replica of the one in us-east-1",
		},
		"one in the middle of a rotation": {
			observed: Environment{Secret: described(pending)}, reason: v1alpha1.ReasonSecretUnusable, says: "in the middle of a rotation",
		},
		"one without an owner": {
			observed: Environment{Secret: described(func(s *secretstore.Secret) { s.Tags = nil })},
			reason:   v1alpha1.ReasonNotOwner, says: "set its tag secretreview:owner to blue/team", hidden: true,
		},
		"one of another namespace": {
			observed: Environment{Secret: described(func(s *secretstore.Secret) { s.Tags[naming.TagOwner] = "blue/other" })},
			reason:   v1alpha1.ReasonNotOwner, says: `belongs to "blue/other"`, hidden: true,
		},
		"one of another cluster": {
			observed: Environment{Secret: described(func(s *secretstore.Secret) { s.Tags[naming.TagOwner] = "green/team" })},
			reason:   v1alpha1.ReasonNotOwner, says: `belongs to "green/team"`, hidden: true,
		},
		"somebody else's, whatever else is wrong with it": {
			observed: Environment{Secret: described(func(s *secretstore.Secret) { s.Tags, s.DeletedAt = nil, &now })},
			reason:   v1alpha1.ReasonNotOwner, says: "has no owner", hidden: true,
		},
		"one without an owner is served where tags are not required": {
			settings: relaxed, observed: Environment{Secret: described(func(s *secretstore.Secret) { s.Tags = nil })},
		},
		"a value that is no document": {
			observed: Environment{Secret: described(moved("")), Value: &Value{VersionID: "v2", Problem: "it is not JSON"}},
			reason:   v1alpha1.ReasonSecretUnusable, says: "mend it by hand: it is not JSON",
		},
		"a secret without a version is served": {
			observed: Environment{Secret: described(func(s *secretstore.Secret) { s.Versions = nil })},
		},
		"a right that is missing": {
			observed: Environment{Failure: &Failure{Kind: secretstore.KindDenied, Message: "DescribeSecret was refused"}},
			reason:   v1alpha1.ReasonAccessDenied, says: "DescribeSecret was refused",
		},
		"a rival in the same namespace, whatever the tag says": {
			observed: Environment{Secret: described(nil), Rivals: []Rival{{"team", "other"}}},
			reason:   v1alpha1.ReasonNameClaimed, says: "SecretProject team/other claims",
		},
		"a rival in another namespace is told apart by the tag": {
			observed: Environment{Secret: described(nil), Rivals: []Rival{{"else", "api"}}},
		},
		"a rival in another namespace where tags are not required": {
			settings: relaxed, observed: Environment{Secret: described(nil), Rivals: []Rival{{"else", "api"}}},
			reason: v1alpha1.ReasonNameClaimed, says: "SecretProject else/api claims",
		},
	}
	for sentence, c := range cases {
		t.Run(sentence, func(t *testing.T) {
			s := c.settings
			if s == (Settings{}) {
				s = settings
			}
			_, e := settled(t, s, factsOf(onRecordAs(nil), c.observed))
			if c.reason == "" {
				if e.Problem != nil {
					t.Fatalf("got %+v", e.Problem)
				}
				return
			}
			if e.Problem == nil || e.Problem.Reason != c.reason || !strings.Contains(e.Problem.Message, c.says) {
				t.Fatalf("got %+v, want %s saying %q", e.Problem, c.reason, c.says)
			}
			if hidden := e.SecretARN == "" && e.LiveVersionID == "" && e.Keys == 0; hidden != c.hidden {
				t.Errorf("shows %+v", e)
			}
			if e.BaselineVersionID != "v1" {
				t.Errorf("has forgotten what was live at first: %+v", e)
			}
		})
	}
}

func TestAFailureThatPassesLeavesTheRecordAsItIs(t *testing.T) {
	for _, kind := range []secretstore.Kind{secretstore.KindThrottled, secretstore.KindUnavailable, secretstore.KindCredentials} {
		observed := Environment{
			Suspected: true, Secret: described(moved("")), Applied: []Change{applied(time.Second)},
			Failure: &Failure{Kind: kind, Message: "later"},
		}
		a, e := settled(t, settings, factsOf(onRecordAs(nil), observed))
		if e.LiveVersionID != "v1" || e.Keys != 2 || e.LastAppliedChange != "" || e.Problem != nil {
			t.Errorf("%s: got %+v", kind, e)
		}
		if a.Failed == nil || a.Failed.Message != "later" {
			t.Errorf("%s: is not tried again", kind)
		}
	}
}

func TestAProblemThatIsGoneIsForgotten(t *testing.T) {
	p := onRecordAs(func(e *v1alpha1.EnvironmentStatus) {
		*e = v1alpha1.EnvironmentStatus{Name: env, SecretName: name, Problem: &v1alpha1.Problem{Reason: v1alpha1.ReasonSecretMissing}}
	})
	_, e := settled(t, settings, factsOf(p, Environment{Secret: described(nil), Value: &Value{VersionID: "v1", Keys: 4}}))
	if e.Problem != nil || e.SecretARN != arn || e.Keys != 4 || e.BaselineVersionID != "v1" {
		t.Errorf("got %+v", e)
	}
}
