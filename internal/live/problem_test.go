package live_test

import (
	"strings"
	"testing"
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/live"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
)

func TestCheck(t *testing.T) {
	const name = "secret-review/api/dev"
	now := time.Now()
	ours := map[string]string{naming.TagOwner: "blue/demo"}
	for title, tc := range map[string]struct {
		secret   secretstore.Secret
		untagged bool
		reason   string
		says     string
		passing  bool
		foreign  bool
	}{
		"our secret is fine":                      {secret: secretstore.Secret{Name: name, Tags: ours}},
		"no tag is needed where none is required": {secret: secretstore.Secret{Name: name}, untagged: true},
		"a rotation that has ended is fine": {secret: secretstore.Secret{Name: name, Tags: ours,
			Versions: map[string][]string{"v": {secretstore.LabelCurrent, secretstore.LabelPending}}}},
		"another name": {secret: secretstore.Secret{Name: name + "2", Tags: ours},
			reason: v1alpha1.ReasonSecretUnusable, says: "named"},
		"no owner": {secret: secretstore.Secret{Name: name}, reason: v1alpha1.ReasonNotOwner, says: "has no owner", foreign: true},
		"another cluster's": {secret: secretstore.Secret{Name: name, Tags: map[string]string{naming.TagOwner: "green/demo"}},
			reason: v1alpha1.ReasonNotOwner, says: "green/demo", foreign: true},
		"another namespace's": {secret: secretstore.Secret{Name: name, Tags: map[string]string{naming.TagOwner: "blue/demo2"}},
			reason: v1alpha1.ReasonNotOwner, says: "blue/demo2", foreign: true},
		"scheduled for deletion": {secret: secretstore.Secret{Name: name, Tags: ours, DeletedAt: &now},
			reason: v1alpha1.ReasonSecretUnusable, says: "restore it"},
		"owned by a service": {secret: secretstore.Secret{Name: name, Tags: ours, OwningService: "rds"},
			reason: v1alpha1.ReasonSecretUnusable, says: "rds"},
		"a replica": {secret: secretstore.Secret{Name: name, Tags: ours, PrimaryRegion: "us-east-1"},
			reason: v1alpha1.ReasonSecretUnusable, says: "us-east-1"},
		"in rotation": {secret: secretstore.Secret{Name: name, Tags: ours, Versions: map[string][]string{"v": {secretstore.LabelPending}}},
			reason: v1alpha1.ReasonSecretUnusable, says: "rotation", passing: true},
	} {
		t.Run(title, func(t *testing.T) {
			claim := live.Claim{Cluster: "blue", Namespace: "demo", Region: "eu-west-1", Name: name, RequireOwnerTag: !tc.untagged}
			problem := claim.Check(tc.secret)
			if tc.reason == "" {
				if problem != nil {
					t.Errorf("%+v", problem)
				}
				return
			}
			if problem == nil || problem.Reason != tc.reason || !strings.Contains(problem.Message, tc.says) ||
				problem.Passing != tc.passing || problem.Foreign != tc.foreign {
				t.Errorf("got %+v, want %+v", problem, tc)
			}
		})
	}
}

func TestEachKindOfFailureHasAReason(t *testing.T) {
	for _, kind := range []secretstore.Kind{
		secretstore.KindNotFound, secretstore.KindExists, secretstore.KindInvalidState, secretstore.KindInvalidInput,
		secretstore.KindLimit, secretstore.KindDenied, secretstore.KindCredentials, secretstore.KindThrottled, secretstore.KindUnavailable,
	} {
		if live.Reasons[kind] == "" {
			t.Errorf("%s has none", kind)
		}
	}
}
