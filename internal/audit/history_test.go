package audit_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/audit"
	"github.com/secretreview/secretreview/internal/naming"
)

// story is an environment that grows by finished changes.
type story struct {
	random  *rand.Rand
	heads   audit.Heads
	history audit.History
	live    string
	now     time.Time
}

func newStory(seed uint64) *story {
	return &story{
		random: rand.New(rand.NewPCG(seed, 7)), now: time.Date(2026, 5, 1, 8, 0, 0, 123456789, time.UTC),
		history: audit.History{Secret: map[string][]string{}}, live: "11111111-1111-4111-8111-111111111111",
	}
}

// tell tells of some changes that became live, and of some that did not.
func tell(seed uint64, count int) *story {
	s := newStory(seed)
	for range count {
		if s.random.IntN(3) == 0 {
			s.ended(v1alpha1.PhaseRejected)
		} else {
			s.applied()
		}
	}
	return s
}

func (s *story) proposed() v1alpha1.SecretChange {
	s.now = s.now.Add(time.Minute)
	name := fmt.Sprintf("change-%d", len(s.history.Changes)+1)
	return v1alpha1.SecretChange{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "demo", UID: types.UID("uid-" + name), CreationTimestamp: metav1.NewTime(s.now)},
		Spec: v1alpha1.SecretChangeSpec{
			Project: "api", Environment: "production", Reason: "because <&> \u2028 é \x01 " + name, ProposedBy: "alice",
			Staged:  &v1alpha1.StagedSource{SecretARN: "arn:" + name, VersionID: "1", Digest: "sha256:" + name},
			Reviews: []v1alpha1.Review{{Reviewer: "bob", Verdict: v1alpha1.VerdictApproved, Comment: "fine"}},
		},
	}
}

func (s *story) finish(c *v1alpha1.SecretChange, phase v1alpha1.Phase) {
	at := metav1.NewMicroTime(s.now.Add(time.Second))
	c.Status.Phase, c.Status.FinishedAt, c.Status.Message = phase, &at, "It ended"
	c.Status.Audit = s.heads.Seal(c)
	s.heads = s.heads.With(c)
	s.history.Changes = append(s.history.Changes, *c)
}

func (s *story) ended(phase v1alpha1.Phase) *v1alpha1.SecretChange {
	c := s.proposed()
	s.finish(&c, phase)
	return s.last()
}

func (s *story) applied() *v1alpha1.SecretChange {
	c := s.proposed()
	at := metav1.NewMicroTime(s.now)
	c.Status.Attempt = &v1alpha1.Attempt{CurrentVersionID: s.live, SecretARN: "arn:live", SteppedAt: &at,
		Commitment: s.heads.Commit(fmt.Sprint("nonce-", s.random.Uint64()), []string{"bob"})}
	c.Status.Attempt.VersionID = audit.VersionID(c.UID, &c, c.Status.Attempt, nil)
	c.Status.AppliedVersionID, c.Status.PreviousVersionID, c.Status.AppliedAt = c.Status.Attempt.VersionID, s.live, &at
	s.live = c.Status.AppliedVersionID
	s.history.Secret[s.live] = []string{naming.VersionLabel(string(c.UID))}
	s.finish(&c, v1alpha1.PhaseApplied)
	return s.last()
}

func (s *story) last() *v1alpha1.SecretChange {
	return &s.history.Changes[len(s.history.Changes)-1]
}

// of are the changes of a chain, the oldest first.
func (s *story) of(chain audit.Chain) []*v1alpha1.SecretChange {
	var out []*v1alpha1.SecretChange
	for i := range s.history.Changes {
		if c := &s.history.Changes[i]; audit.ChainOf(c) == chain {
			out = append(out, c)
		}
	}
	return out
}

// without takes changes out.
func (s *story) without(gone ...*v1alpha1.SecretChange) {
	names := map[string]bool{}
	for _, c := range gone {
		names[c.Name] = true
	}
	var kept []v1alpha1.SecretChange
	for _, c := range s.history.Changes {
		if !names[c.Name] {
			kept = append(kept, c)
		}
	}
	s.history.Changes = kept
}

// reseal gives a record that was altered the digest that it should have.
func reseal(c *v1alpha1.SecretChange) { c.Status.Audit.Digest = audit.RecordOf(c).Digest() }

// rewrite gives the first of the records the digest that it should have now, and has all others follow it.
func rewrite(records []*v1alpha1.SecretChange, also func(later *v1alpha1.SecretChange)) {
	reseal(records[0])
	for i, later := range records[1:] {
		later.Status.Audit.Previous = records[i].Status.Audit.Digest
		also(later)
		reseal(later)
	}
}

// recommit has a record commit to the one that it follows now.
func recommit(c *v1alpha1.SecretChange) {
	c.Status.Attempt.Commitment.Previous = c.Status.Audit.Previous
}
