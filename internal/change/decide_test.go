package change_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
)

func setA(doc document.Document) { doc["A"] = sensitive.New("changed") }
func setC(doc document.Document) { doc["C"] = sensitive.New("new") }

// TestOutcome tells short stories and looks at how the change stands afterwards.
func TestOutcome(t *testing.T) {
	approve := func(w *world, c *v1alpha1.SecretChange) { w.review(c, "bob", v1alpha1.VerdictApproved) }
	for name, tc := range map[string]struct {
		prepare func(*world)
		story   func(*world, *v1alpha1.SecretChange)
		phase   v1alpha1.Phase
		reason  string
		says    string
	}{
		"a change waits for its review": {phase: v1alpha1.PhasePending, reason: v1alpha1.ReasonAwaitingReview, says: "1 more approval"},
		"an approved change is live":    {story: approve, phase: v1alpha1.PhaseApplied, reason: v1alpha1.ReasonApplied},
		"no approvals required means live at once": {
			prepare: func(w *world) { w.project.Spec.Environments[0].RequiredApprovals = ptr.To[int32](0) },
			phase:   v1alpha1.PhaseApplied, reason: v1alpha1.ReasonApplied},
		"a rejection ends it": {story: func(w *world, c *v1alpha1.SecretChange) {
			w.review(c, "bob", v1alpha1.VerdictRejected)
		}, phase: v1alpha1.PhaseRejected, reason: v1alpha1.ReasonRejected, says: "bob"},
		"its proposer withdraws it": {story: func(w *world, c *v1alpha1.SecretChange) {
			w.review(c, "alice", v1alpha1.VerdictRejected)
		}, phase: v1alpha1.PhaseRejected, reason: v1alpha1.ReasonWithdrawn},
		"its proposer's approval is not enough": {story: func(w *world, c *v1alpha1.SecretChange) {
			w.review(c, "alice", v1alpha1.VerdictApproved)
		}, phase: v1alpha1.PhasePending, reason: v1alpha1.ReasonAwaitingReview, says: "does not count"},
		"a freeze holds it approved": {story: func(w *world, c *v1alpha1.SecretChange) {
			w.project.Spec.Suspend = ptr.To(true)
			approve(w, c)
		}, phase: v1alpha1.PhaseApproved, reason: v1alpha1.ReasonFrozen},
		"it expires": {story: func(w *world, _ *v1alpha1.SecretChange) { w.now = w.now.Add(169 * time.Hour) },
			phase: v1alpha1.PhaseExpired, reason: v1alpha1.ReasonExpired},
		"a frozen approved change expires as well": {story: func(w *world, c *v1alpha1.SecretChange) {
			w.project.Spec.Suspend = ptr.To(true)
			approve(w, c)
			w.settle()
			w.now = w.now.Add(169 * time.Hour)
		}, phase: v1alpha1.PhaseExpired, reason: v1alpha1.ReasonExpired},
		"a raised quorum asks for more": {story: func(w *world, c *v1alpha1.SecretChange) {
			w.project.Spec.Suspend = ptr.To(true)
			approve(w, c)
			w.settle()
			w.project.Spec.Suspend = nil
			w.project.Spec.Environments[0].RequiredApprovals = ptr.To[int32](2)
		}, phase: v1alpha1.PhasePending, reason: v1alpha1.ReasonAwaitingReview},
		"a moved base conflicts under Strict": {story: func(w *world, c *v1alpha1.SecretChange) {
			w.external(edited(w.live(), setC))
			approve(w, c)
			w.settle()
			w.now = w.now.Add(time.Minute)
		}, phase: v1alpha1.PhaseConflicted, reason: v1alpha1.ReasonConflicted, says: "no longer"},
		"an untouched key may move under ByKey": {
			prepare: func(w *world) { w.project.Spec.ConflictPolicy = v1alpha1.ConflictByKey },
			story: func(w *world, c *v1alpha1.SecretChange) {
				w.external(edited(w.live(), setC))
				approve(w, c)
			}, phase: v1alpha1.PhaseApplied, reason: v1alpha1.ReasonApplied},
		"a touched key must not move under ByKey": {
			prepare: func(w *world) { w.project.Spec.ConflictPolicy = v1alpha1.ConflictByKey },
			story: func(w *world, c *v1alpha1.SecretChange) {
				w.external(edited(w.live(), setA))
				approve(w, c)
				w.now = w.now.Add(time.Minute)
			}, phase: v1alpha1.PhaseConflicted, reason: v1alpha1.ReasonConflicted, says: `"A"`},
		"staged bytes swapped after approval are noticed": {story: func(w *world, c *v1alpha1.SecretChange) {
			w.settle()
			v := w.staged[c.Spec.Staged.SecretARN]
			v.Value = sensitive.New(v.Value.Reveal() + " ")
			w.staged[c.Spec.Staged.SecretARN] = v
			approve(w, c)
		}, phase: v1alpha1.PhaseInvalid, reason: v1alpha1.ReasonInvalid, says: "digest"},
		"a missing staged secret is given time": {story: func(w *world, c *v1alpha1.SecretChange) {
			delete(w.staged, c.Spec.Staged.SecretARN)
		}, phase: "", reason: v1alpha1.ReasonProgressing, says: "does not exist"},
		"a missing staged secret is invalid in the end": {story: func(w *world, c *v1alpha1.SecretChange) {
			delete(w.staged, c.Spec.Staged.SecretARN)
			w.now = w.now.Add(time.Minute)
		}, phase: v1alpha1.PhaseInvalid, reason: v1alpha1.ReasonInvalid, says: "does not exist"},
		"tags of another change are refused": {story: func(w *world, c *v1alpha1.SecretChange) {
			w.tags[c.Spec.Staged.SecretARN][naming.TagChange] = "another"
		}, phase: v1alpha1.PhaseInvalid, reason: v1alpha1.ReasonInvalid, says: "another change"},
		"tags of another namespace are refused": {story: func(w *world, c *v1alpha1.SecretChange) {
			w.tags[c.Spec.Staged.SecretARN][naming.TagNamespace] = "other-team"
		}, phase: v1alpha1.PhaseInvalid, reason: v1alpha1.ReasonInvalid, says: "another namespace"},
		"another account's staged secret is refused unread": {story: func(_ *world, c *v1alpha1.SecretChange) {
			c.Spec.Staged.SecretARN = strings.Replace(c.Spec.Staged.SecretARN, "111122223333", "999999999999", 1)
		}, phase: v1alpha1.PhaseInvalid, reason: v1alpha1.ReasonInvalid, says: "account"},
		"another region's staged secret is refused unread": {story: func(_ *world, c *v1alpha1.SecretChange) {
			c.Spec.Staged.SecretARN = strings.Replace(c.Spec.Staged.SecretARN, "eu-west-1", "us-east-1", 1)
		}, phase: v1alpha1.PhaseInvalid, reason: v1alpha1.ReasonInvalid, says: "region"},
		"a live secret named as staged is refused unread": {story: func(_ *world, c *v1alpha1.SecretChange) {
			c.Spec.Staged.SecretARN = liveARN
		}, phase: v1alpha1.PhaseInvalid, reason: v1alpha1.ReasonInvalid, says: "not named"},
		"a change without a project is given time": {
			story: func(w *world, _ *v1alpha1.SecretChange) { w.project = nil },
			phase: "", reason: v1alpha1.ReasonProjectNotReady, says: "no SecretProject"},
		"a change without a project is invalid in the end": {story: func(w *world, _ *v1alpha1.SecretChange) {
			w.project = nil
			w.now = w.now.Add(3 * time.Minute)
		}, phase: v1alpha1.PhaseInvalid, reason: v1alpha1.ReasonInvalid, says: "no SecretProject"},
		"an environment with a problem is waited for": {story: func(w *world, _ *v1alpha1.SecretChange) {
			w.project.Status.Environments[0].Problem = &v1alpha1.Problem{Reason: v1alpha1.ReasonSecretMissing, Message: "it is not there"}
		}, phase: "", reason: v1alpha1.ReasonSecretMissing, says: "not there"},
		"a secret that lost our owner tag is not written": {story: func(w *world, c *v1alpha1.SecretChange) {
			w.settle()
			w.secret.Tags = map[string]string{naming.TagOwner: "green/demo"}
			approve(w, c)
		}, phase: v1alpha1.PhaseApproved, reason: v1alpha1.ReasonNotOwner, says: "blue/demo"},
		"a secret in rotation is not written": {story: func(w *world, c *v1alpha1.SecretChange) {
			w.settle()
			w.versions["rotating"] = &version{labels: map[string]bool{secretstore.LabelPending: true}}
			approve(w, c)
		}, phase: v1alpha1.PhaseApproved, reason: v1alpha1.ReasonSecretUnusable, says: "rotation"},
		"a secret scheduled for deletion is not written": {story: func(w *world, c *v1alpha1.SecretChange) {
			w.settle()
			w.secret.DeletedAt = &w.now
			approve(w, c)
		}, phase: v1alpha1.PhaseApproved, reason: v1alpha1.ReasonSecretUnusable, says: "scheduled for deletion"},
		"an unknown change's label holds everything": {story: func(w *world, c *v1alpha1.SecretChange) {
			w.settle()
			w.versions[w.with(secretstore.LabelCurrent)].labels["sr-elsewhere"] = true
			approve(w, c)
		}, phase: v1alpha1.PhaseApproved, reason: v1alpha1.ReasonForeignVersion, says: "elsewhere"},
		"weakened policies hold everything": {story: func(w *world, c *v1alpha1.SecretChange) {
			w.settle()
			approve(w, c)
			w.trust.Intact, w.trust.Reason = false, "the binding is gone: install it again"
		}, phase: v1alpha1.PhasePending, reason: v1alpha1.ReasonPoliciesWeakened, says: "binding"},
		"what was approved before a lapse is reviewed anew": {story: func(w *world, c *v1alpha1.SecretChange) {
			w.settle()
			approve(w, c)
			w.lapse()
			w.mend()
		}, phase: v1alpha1.PhasePending, reason: v1alpha1.ReasonAwaitingReview, says: "another person must review"},
		"what was let in before a lapse stays in, though the limit is lower by then": {story: func(w *world, c *v1alpha1.SecretChange) {
			w.propose("alice", setC)
			w.settle()
			w.lapse()
			w.project.Spec.PendingLimit = ptr.To[int32](1)
			w.mend()
		}, phase: v1alpha1.PhasePending, reason: v1alpha1.ReasonAwaitingReview},
		"a review after a lapse counts": {story: func(w *world, c *v1alpha1.SecretChange) {
			w.settle()
			approve(w, c)
			w.lapse()
			w.mend()
			w.settle()
			w.review(c, "carol", v1alpha1.VerdictApproved)
		}, phase: v1alpha1.PhaseApplied, reason: v1alpha1.ReasonApplied},
		"what was created in a lapse is not believed": {
			prepare: func(w *world) { w.trust.Since = w.now.Add(time.Hour) },
			phase:   v1alpha1.PhaseInvalid, reason: v1alpha1.ReasonPoliciesWeakened, says: "propose it again"},
		"a project made anew asks for reviews anew": {story: func(w *world, c *v1alpha1.SecretChange) {
			w.project.Spec.Suspend = ptr.To(true)
			approve(w, c)
			w.settle()
			w.project.Spec.Suspend, w.project.UID = nil, "project-2"
		}, phase: v1alpha1.PhasePending, reason: v1alpha1.ReasonAwaitingReview},
		"too many unfinished changes of one person": {
			prepare: func(w *world) {
				w.project.Spec.PendingLimit = ptr.To[int32](1)
				w.propose("alice", setC)
				w.now = w.now.Add(time.Second)
			},
			phase: v1alpha1.PhaseInvalid, reason: v1alpha1.ReasonTooManyPending, says: "withdraw"},
		"restoring the live version adopts it": {story: func(w *world, c *v1alpha1.SecretChange) {
			live := w.with(secretstore.LabelCurrent)
			w.versions[live].labels["sr-elsewhere"] = true
			c.Spec.Staged, c.Spec.Restore = nil, &v1alpha1.RestoreSource{VersionID: v1alpha1.VersionID(live)}
			w.staged = map[string]secretstore.Version{}
			approve(w, c)
		}, phase: v1alpha1.PhaseApplied, reason: v1alpha1.ReasonAdopted},
		"an edit that says too little of its base is invalid": {story: func(w *world, c *v1alpha1.SecretChange) {
			c.Spec.BaseVersionID = v1alpha1.VersionID(w.with(secretstore.LabelCurrent))
			live := w.versions[w.with(secretstore.LabelCurrent)]
			live.value = sensitive.New(`{"A":"not what was staged on","B":"2"}`)
		}, phase: v1alpha1.PhaseInvalid, reason: v1alpha1.ReasonInvalid, says: "truth"},
		"a live value that is no document is said": {story: func(w *world, _ *v1alpha1.SecretChange) {
			w.versions[w.with(secretstore.LabelCurrent)].value = sensitive.New(`{"A":1}`)
		}, phase: "", reason: v1alpha1.ReasonSecretUnusable, says: `"A"`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(1)
			if tc.prepare != nil {
				tc.prepare(w)
			}
			c := w.propose("alice", setA)
			if tc.story != nil {
				tc.story(w, c)
			}
			w.settle()
			if c.Status.Phase != tc.phase || readyReason(c) != tc.reason {
				t.Errorf("is %q because %q (%s), want %q because %q", c.Status.Phase, readyReason(c), c.Status.Message, tc.phase, tc.reason)
			}
			if !strings.Contains(c.Status.Message, tc.says) {
				t.Errorf("says %q, want %q in it", c.Status.Message, tc.says)
			}
			if len(w.violations) > 0 {
				t.Error(w.violations)
			}
		})
	}
}

func TestAnEmptySecretGetsItsFirstVersion(t *testing.T) {
	w := newWorld(1)
	c := w.propose("alice", setC)
	w.versions = map[string]*version{}
	c.Spec.BaseVersionID = ""
	c.Spec.Staged.Digest = restage(w, c)
	w.review(c, "bob", v1alpha1.VerdictApproved)
	for range 20 {
		w.reconcile(c)
		if id := w.with(naming.VersionLabel(string(c.UID))); id != "" && w.with(secretstore.LabelCurrent) == "" {
			if c.Status.Attempt == nil || c.Status.Attempt.VersionID != id {
				t.Fatal("the first version was written before its attempt was on record")
			}
			w.versions[id].labels[secretstore.LabelCurrent] = true
		}
	}
	if c.Status.Phase != v1alpha1.PhaseApplied || c.Status.AppliedVersionID == "" {
		t.Errorf("is %s: %s", c.Status.Phase, c.Status.Message)
	}
}

// restage replaces what is staged by an edit of nothing.
func restage(w *world, c *v1alpha1.SecretChange) string {
	nonce, _ := document.NewNonce(zeros{})
	value, err := document.Staged{Version: document.StagedVersion, Nonce: nonce,
		Identity: document.Identity{Cluster: cluster, Namespace: namespace, Project: "api", Environment: "production", Change: c.Name},
		Patch:    document.NewPatch(document.Document{}, document.Document{"C": sensitive.New("new")}),
	}.Encode()
	if err != nil {
		panic(err)
	}
	v := w.staged[c.Spec.Staged.SecretARN]
	v.Value = value
	w.staged[c.Spec.Staged.SecretARN] = v
	return document.Digest(value)
}

func TestLabelsStayWithinTheLimit(t *testing.T) {
	w := newWorld(1)
	w.project.Spec.VersionHistory = ptr.To[int32](15)
	w.project.Spec.Environments[0].RequiredApprovals = ptr.To[int32](0)
	for i := range 40 {
		w.propose("alice", func(doc document.Document) { doc["A"] = sensitive.New(fmt.Sprint(i)) })
		w.now = w.now.Add(time.Minute)
		w.settle()
		if n := w.describe().LabelCount(); n > secretstore.MaxLabels {
			t.Fatalf("%d labels after %d changes", n, i+1)
		}
	}
	restorable := 0
	for _, v := range w.versions {
		for label := range v.labels {
			if _, ours := naming.ChangeUID(label); ours {
				restorable++
			}
		}
	}
	if restorable != 16 { // the live one and 15 before it
		t.Errorf("%d versions keep their label, want 16", restorable)
	}
}

func TestADeletedChangeTakesItsStagedSecretWithIt(t *testing.T) {
	w := newWorld(1)
	c := w.propose("alice", setA)
	w.settle()
	c.DeletionTimestamp = &metav1.Time{Time: w.now}
	w.settle()
	if len(w.staged) != 0 || len(c.Finalizers) != 0 {
		t.Errorf("%d staged secrets and finalizers %v are left", len(w.staged), c.Finalizers)
	}
}

func TestTheOldestDecisionGoesFirst(t *testing.T) {
	w := newWorld(1)
	w.project.Spec.ConflictPolicy = v1alpha1.ConflictByKey
	first, second := w.propose("alice", setA), w.propose("alice", setC)
	w.settle()
	w.project.Spec.Suspend = ptr.To(true)
	w.review(second, "bob", v1alpha1.VerdictApproved)
	w.settle()
	w.now = w.now.Add(time.Second)
	w.review(first, "bob", v1alpha1.VerdictApproved)
	w.settle()
	w.project.Spec.Suspend = nil
	w.reconcile(first)
	if readyReason(first) != v1alpha1.ReasonWaitingForTurn || !strings.Contains(first.Status.Message, second.Name) {
		t.Errorf("the later decision does not wait: %s", first.Status.Message)
	}
	w.settle()
	if first.Status.Phase != v1alpha1.PhaseApplied || second.Status.Phase != v1alpha1.PhaseApplied {
		t.Errorf("%s and %s", first.Status.Phase, second.Status.Phase)
	}
}
