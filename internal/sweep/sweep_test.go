package sweep_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/sweep"
)

const (
	cluster = "blue"
	prefix  = "secret-review/"
	arn     = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:secret-review/pending/backend-api/change-x7k2p-AbCdEf"
	otherOf = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:secret-review/pending/backend-api/change-x7k2p-GhIjKl"
)

var now = time.Date(2031, 5, 6, 12, 0, 0, 0, time.UTC)

func tagsOf(keepUntil time.Time) naming.StagedTags {
	return naming.StagedTags{
		Cluster: cluster, Namespace: "team-a", Project: "backend-api", Environment: "production",
		Change: "change-x7k2p", KeepUntil: keepUntil,
	}
}

// orphan is a staged secret that nobody claims and whose time is over.
func orphan(edits ...func(*sweep.Secret)) sweep.Secret {
	s := sweep.Secret{
		ARN: arn, Name: "secret-review/pending/backend-api/change-x7k2p",
		Tags: tagsOf(now.Add(-2 * time.Hour)).Map(), CreatedAt: now.Add(-48 * time.Hour),
	}
	for _, edit := range edits {
		edit(&s)
	}
	return s
}

func scheduled(s *sweep.Secret) {
	at := now.Add(-time.Hour)
	s.DeletedAt = &at
}

func tagged(key, value string) func(*sweep.Secret) {
	return func(s *sweep.Secret) { s.Tags[key] = value }
}

func claim(edits ...func(*sweep.Claim)) sweep.Claim {
	c := sweep.Claim{
		Namespace: "team-a", Name: "change-x7k2p", UID: "u1", Project: "backend-api", Environment: "production", ARN: arn,
	}
	for _, edit := range edits {
		edit(&c)
	}
	return c
}

func finished(c *sweep.Claim) { c.Finished = true }

func newSweep(claims ...sweep.Claim) sweep.Sweep {
	return sweep.Sweep{
		Cluster: cluster, Prefix: prefix, Now: now, Grace: sweep.DefaultGrace, Synced: true, Claims: claims,
	}
}

func TestDecide(t *testing.T) {
	foreign := func(edit func(*sweep.Claim)) sweep.Claim {
		return claim(func(c *sweep.Claim) { c.UID = "u2"; edit(c) })
	}
	otherNamespace := foreign(func(c *sweep.Claim) { c.Namespace = "team-b" })
	otherChange := foreign(func(c *sweep.Claim) { c.Name = "change-other" })
	otherProject := foreign(func(c *sweep.Claim) { c.Project, c.Name = "web", "change-web" })
	otherEnvironment := foreign(func(c *sweep.Claim) { c.Environment = "dev" })
	done := claim(finished)
	nameless := claim(func(c *sweep.Claim) { c.ARN = "" })
	restaged := claim(func(c *sweep.Claim) { c.ARN = otherOf })

	for name, c := range map[string]struct {
		secret sweep.Secret
		claims []sweep.Claim
		kind   sweep.ActionKind
		reason sweep.Reason
		claim  sweep.Claim
	}{
		"nobody names it and its time is over": {
			secret: orphan(), kind: sweep.Delete, reason: sweep.Orphaned,
		},
		"its change is unfinished": {
			secret: orphan(), claims: []sweep.Claim{claim()}, kind: sweep.Keep, reason: sweep.Claimed, claim: claim(),
		},
		"its change turned up after it was scheduled for deletion": {
			secret: orphan(scheduled), claims: []sweep.Claim{claim()}, kind: sweep.Restore, reason: sweep.ChangeTurnedUp, claim: claim(),
		},
		"its change is finished": {
			secret: orphan(), claims: []sweep.Claim{done}, kind: sweep.DeleteNow, reason: sweep.ChangeFinished, claim: done,
		},
		"its change is finished and it is not yet old": {
			secret: orphan(tagged(naming.TagKeepUntil, naming.KeepUntil(now.Add(time.Hour)))),
			claims: []sweep.Claim{done}, kind: sweep.DeleteNow, reason: sweep.ChangeFinished, claim: done,
		},
		"its change is finished and it is scheduled for deletion": {
			secret: orphan(scheduled), claims: []sweep.Claim{done}, kind: sweep.DeleteNow, reason: sweep.ChangeFinished, claim: done,
		},
		"a finished and an unfinished change name it": {
			secret: orphan(), claims: []sweep.Claim{done, otherChange}, kind: sweep.Keep, reason: sweep.ClaimedByOther, claim: otherChange,
		},
		"another's change names it as well as its own": {
			secret: orphan(), claims: []sweep.Claim{otherChange, claim()}, kind: sweep.Keep, reason: sweep.Claimed, claim: claim(),
		},
		"a change of another namespace names it": {
			secret: orphan(), claims: []sweep.Claim{otherNamespace}, kind: sweep.Keep, reason: sweep.ClaimedByOther, claim: otherNamespace,
		},
		"a change of another project names it": {
			secret: orphan(), claims: []sweep.Claim{otherProject}, kind: sweep.Keep, reason: sweep.ClaimedByOther, claim: otherProject,
		},
		"its change names another environment": {
			secret: orphan(), claims: []sweep.Claim{otherEnvironment}, kind: sweep.Keep, reason: sweep.ClaimedByOther, claim: otherEnvironment,
		},
		"another's change cannot have it restored": {
			secret: orphan(scheduled), claims: []sweep.Claim{otherNamespace}, kind: sweep.Keep, reason: sweep.ClaimedByOther, claim: otherNamespace,
		},
		"another's finished change cannot have it deleted at once": {
			secret: orphan(tagged(naming.TagKeepUntil, naming.KeepUntil(now.Add(time.Hour)))),
			claims: []sweep.Claim{foreign(func(c *sweep.Claim) { c.Namespace, c.Finished = "team-b", true })},
			kind:   sweep.Keep, reason: sweep.StillAwaited,
		},
		"the change of its name names no secret": {
			secret: orphan(), claims: []sweep.Claim{nameless}, kind: sweep.Keep, reason: sweep.NameClaimed, claim: nameless,
		},
		"the change of its name names another secret": {
			secret: orphan(), claims: []sweep.Claim{restaged}, kind: sweep.Keep, reason: sweep.NameClaimed, claim: restaged,
		},
		"a finished change of its name names another secret": {
			secret: orphan(), claims: []sweep.Claim{claim(finished, func(c *sweep.Claim) { c.ARN = otherOf })},
			kind: sweep.Delete, reason: sweep.Orphaned,
		},
		"scheduled for deletion and nobody needs it": {
			secret: orphan(scheduled), kind: sweep.Keep, reason: sweep.AlreadyDeleted,
		},
		"keep-until is still to come": {
			secret: orphan(tagged(naming.TagKeepUntil, naming.KeepUntil(now.Add(time.Second)))), kind: sweep.Keep, reason: sweep.StillAwaited,
		},
		"keep-until is over, the grace is not": {
			secret: orphan(tagged(naming.TagKeepUntil, naming.KeepUntil(now.Add(-59*time.Minute)))), kind: sweep.Keep, reason: sweep.StillAwaited,
		},
		"the grace ends at this moment": {
			secret: orphan(tagged(naming.TagKeepUntil, naming.KeepUntil(now.Add(-time.Hour)))), kind: sweep.Keep, reason: sweep.StillAwaited,
		},
		"the grace ended a second ago": {
			secret: orphan(tagged(naming.TagKeepUntil, naming.KeepUntil(now.Add(-time.Hour-time.Second)))), kind: sweep.Delete, reason: sweep.Orphaned,
		},
		"keep-until is over, but it was created a moment ago": {
			secret: orphan(func(s *sweep.Secret) { s.CreatedAt = now.Add(-time.Minute) }), kind: sweep.Keep, reason: sweep.StillAwaited,
		},
		"created in the future, by another clock": {
			secret: orphan(func(s *sweep.Secret) { s.CreatedAt = now.Add(time.Minute) }), kind: sweep.Keep, reason: sweep.StillAwaited,
		},
		"another cluster's": {
			secret: orphan(tagged(naming.TagCluster, "green")), kind: sweep.Keep, reason: sweep.OtherCluster,
		},
		"another cluster's, though a change here names it": {
			secret: orphan(scheduled, tagged(naming.TagCluster, "green")), claims: []sweep.Claim{claim(), done},
			kind: sweep.Keep, reason: sweep.OtherCluster,
		},
		"a live secret with copied tags": {
			secret: orphan(func(s *sweep.Secret) { s.Name = "secret-review/backend-api/production" }), kind: sweep.Keep, reason: sweep.NotStaged,
		},
		"another prefix": {
			secret: orphan(func(s *sweep.Secret) { s.Name = "other/pending/backend-api/change-x7k2p" }), kind: sweep.Keep, reason: sweep.NotStaged,
		},
		"tags of another change": {
			secret: orphan(tagged(naming.TagChange, "change-other")), kind: sweep.Keep, reason: sweep.NameMismatch,
		},
		"tags of another project": {
			secret: orphan(tagged(naming.TagProject, "web")), kind: sweep.Keep, reason: sweep.NameMismatch,
		},
		"a name that goes on": {
			secret: orphan(func(s *sweep.Secret) { s.Name += "/more" }), kind: sweep.Keep, reason: sweep.NameMismatch,
		},
		"no tags": {
			secret: orphan(func(s *sweep.Secret) { s.Tags = nil }), kind: sweep.Keep, reason: sweep.Unreadable,
		},
		"not tagged as staged": {
			secret: orphan(tagged(naming.TagStaging, "false")), kind: sweep.Keep, reason: sweep.Unreadable,
		},
		"keep-until that is no time": {
			secret: orphan(tagged(naming.TagKeepUntil, "tomorrow")), kind: sweep.Keep, reason: sweep.Unreadable,
		},
		"no creation time": {
			secret: orphan(func(s *sweep.Secret) { s.CreatedAt = time.Time{} }), kind: sweep.Keep, reason: sweep.Unreadable,
		},
		"no ARN, which a change without one would claim": {
			secret: orphan(func(s *sweep.Secret) { s.ARN = "" }), claims: []sweep.Claim{claim(finished, func(c *sweep.Claim) { c.ARN = "" })},
			kind: sweep.Keep, reason: sweep.Unreadable,
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := sweep.Action{Kind: c.kind, Reason: c.reason, ARN: c.secret.ARN, Name: c.secret.Name, Claim: c.claim}
			if got := newSweep(c.claims...).Decide(c.secret); got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			reversed := slices.Clone(c.claims)
			slices.Reverse(reversed)
			if got := newSweep(reversed...).Decide(c.secret); got != want {
				t.Errorf("in another order of claims: got %+v, want %+v", got, want)
			}
			unsynced := newSweep(c.claims...)
			unsynced.Synced = false
			if got := unsynced.Decide(c.secret); got.Kind != sweep.Keep || got.Reason != sweep.NotSynced {
				t.Errorf("before the cache is synced: got %+v", got)
			}
		})
	}
}

func TestPlanIsSortedAndHasEachSecretOnce(t *testing.T) {
	named := func(change, suffix string) sweep.Secret {
		return orphan(tagged(naming.TagChange, change), func(s *sweep.Secret) {
			s.Name = naming.StagedSecret(prefix, "backend-api", change)
			s.ARN = "arn:" + change + suffix
		})
	}
	listed := []sweep.Secret{named("c", "1"), named("a", "2"), named("b", "1"), named("a", "1"), named("a", "2")}
	var got []string
	for _, action := range newSweep().Plan(listed) {
		if action.Kind != sweep.Delete {
			t.Errorf("got %+v", action)
		}
		got = append(got, action.ARN)
	}
	if want := []string{"arn:a1", "arn:a2", "arn:b1", "arn:c1"}; !reflect.DeepEqual(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	if plan := newSweep().Plan(nil); len(plan) != 0 {
		t.Fatalf("got %v for nothing", plan)
	}
}
