package audit_test

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/audit"
	"github.com/secretreview/secretreview/internal/naming"
)

func TestAnUntouchedHistoryHolds(t *testing.T) {
	for seed := range uint64(200) {
		s := tell(seed, int(seed%40))
		report := audit.Verify(s.history)
		if len(report.Breaks) > 0 {
			t.Fatalf("seed %d: %+v", seed, report.Breaks)
		}
		if live := len(s.of(audit.Live)); report.Live.Records != live || report.Witnessed != live || report.Live.Last != int64(live) {
			t.Fatalf("seed %d: %d changes became live, but it reports %+v", seed, live, report)
		}
		if other := len(s.of(audit.Other)); report.Other.Records != other {
			t.Fatalf("seed %d: %d other changes ended, but it reports %+v", seed, other, report)
		}
	}
}

// What nobody may do alone, and how it is found. Each is done to a history of 20
// changes, at a record in the middle unless it says otherwise.
func TestTampering(t *testing.T) {
	edit := func(c *v1alpha1.SecretChange) { c.Spec.Reviews[0].Reviewer = "mallory" }
	middle := func(s *story, chain audit.Chain) (int, *v1alpha1.SecretChange) {
		records := s.of(chain)
		return len(records) / 2, records[len(records)/2]
	}
	cases := map[string]struct {
		do   func(s *story)
		want audit.BreakKind
	}{
		"a record is altered": {func(s *story) { _, c := middle(s, audit.Live); edit(c) }, audit.Altered},
		"a record is altered, and its digest with it": {func(s *story) {
			_, c := middle(s, audit.Live)
			edit(c)
			reseal(c)
		}, audit.Unlinked},
		"a record is altered, and all digests after it": {func(s *story) {
			i, c := middle(s, audit.Live)
			edit(c)
			rewrite(s.of(audit.Live)[i:], func(*v1alpha1.SecretChange) {})
		}, audit.Unlinked},
		"a record is altered, with all digests and commitments after it": {func(s *story) {
			i, c := middle(s, audit.Live)
			edit(c)
			rewrite(s.of(audit.Live)[i:], recommit)
		}, audit.Uncommitted},
		"history is rewritten with versions that AWS never had": {func(s *story) {
			i, c := middle(s, audit.Live)
			edit(c)
			rewrite(s.of(audit.Live)[i:], func(later *v1alpha1.SecretChange) {
				recommit(later)
				later.Status.Attempt.VersionID = audit.VersionID(later.UID, later, later.Status.Attempt, nil)
				later.Status.AppliedVersionID = later.Status.Attempt.VersionID
			})
		}, audit.Uncommitted},
		"the approver of what is live is made another": {func(s *story) {
			c := s.applied()
			c.Status.Attempt.Commitment.Approvers = []string{"mallory"}
			reseal(c)
		}, audit.Uncommitted},
		"who proposed what is live is made another": {func(s *story) {
			c := s.applied()
			c.Spec.ProposedBy = "mallory"
			reseal(c)
		}, audit.Uncommitted},
		"what tells of the commitment is taken off what is live": {func(s *story) {
			c := s.applied()
			c.Status.Attempt = nil
			c.Spec.ProposedBy = "mallory"
			reseal(c)
		}, audit.Uncommitted},
		"a record is taken out": {func(s *story) { _, c := middle(s, audit.Live); s.without(c) }, audit.Missing},
		"the newest record is taken out": {func(s *story) {
			s.without(s.applied())
		}, audit.Missing},
		"a record of what did not become live is taken out": {func(s *story) {
			_, c := middle(s, audit.Other)
			s.without(c)
		}, audit.Missing},
		"the newest record of what did not become live is taken out, and something became live since": {func(s *story) {
			name := s.ended(v1alpha1.PhaseRejected).Name
			s.applied()
			s.without(&v1alpha1.SecretChange{ObjectMeta: metav1.ObjectMeta{Name: name}})
		}, audit.Missing},
		"the newest record of what did not become live is altered, and something became live since": {func(s *story) {
			s.ended(v1alpha1.PhaseRejected)
			at := len(s.history.Changes) - 1
			s.applied()
			edit(&s.history.Changes[at])
			reseal(&s.history.Changes[at])
		}, audit.Altered},
		"a record is slipped in": {func(s *story) {
			_, c := middle(s, audit.Live)
			forged := *c.DeepCopy()
			forged.Name, forged.UID = "forged", "uid-forged"
			forged.Status.Audit.UID = forged.UID
			edit(&forged)
			reseal(&forged)
			s.history.Changes = append(s.history.Changes, forged)
		}, audit.Uncommitted},
		"the seal is taken off a record": {func(s *story) { _, c := middle(s, audit.Live); c.Status.Audit = nil }, audit.Unsealed},
		"the seal is taken off the newest record": {func(s *story) {
			s.applied().Status.Audit = nil
		}, audit.Unsealed},
		"a record is altered and the one after it taken away": {func(s *story) {
			records := s.of(audit.Live)
			edit(records[2])
			s.without(records[3])
			reseal(records[2])
		}, audit.Missing},
		"the newest version that a change wrote is gone from AWS": {func(s *story) {
			delete(s.history.Secret, s.applied().Status.AppliedVersionID)
		}, audit.Missing},
		"a label in AWS is moved to a version that no change wrote": {func(s *story) {
			c := s.applied()
			s.history.Secret[c.Status.AppliedVersionID] = []string{"AWSPREVIOUS"}
			s.history.Secret["22222222-2222-4222-8222-222222222222"] = []string{"AWSCURRENT", naming.VersionLabel(string(c.UID))}
		}, audit.Uncommitted},
		"a label in AWS is moved to another version": {func(s *story) {
			c := s.applied()
			delete(s.history.Secret, c.Status.AppliedVersionID)
			s.history.Secret["22222222-2222-8222-8222-222222222222"] = []string{naming.VersionLabel(string(c.UID))}
		}, audit.Uncommitted},
		"a record was exported before it was altered, and its digest with it": {func(s *story) {
			c := s.ended(v1alpha1.PhaseRejected)
			s.history.Exported = append(s.history.Exported, *c.DeepCopy())
			edit(c)
			reseal(c)
		}, audit.Altered},
		"a record says that another version became live": {func(s *story) {
			c := s.applied()
			c.Status.AppliedVersionID = "33333333-3333-4333-8333-333333333333"
			reseal(c)
		}, audit.Uncommitted},
	}
	for sentence, c := range cases {
		t.Run(sentence, func(t *testing.T) {
			s := tell(3, 20)
			c.do(s)
			report := audit.Verify(s.history)
			if !slices.ContainsFunc(report.Breaks, func(b audit.Break) bool { return b.Kind == c.want }) {
				t.Errorf("found %+v, want one that is %s", report.Breaks, c.want)
			}
			for _, b := range report.Breaks {
				if b.Message == "" {
					t.Errorf("%+v says nothing", b)
				}
			}
		})
	}
}

func TestWhatIsNoTampering(t *testing.T) {
	cases := map[string]struct {
		do    func(s *story)
		check func(audit.Report) bool
	}{
		"the beginning of both chains was trimmed": {
			func(s *story) {
				for _, c := range s.of(audit.Live)[:4] {
					delete(s.history.Secret, c.Status.AppliedVersionID)
				}
				s.without(s.of(audit.Live)[:4]...)
				s.without(s.of(audit.Other)[:2]...)
			},
			func(r audit.Report) bool { return r.Live.First == 5 && r.Other.First == 3 },
		},
		"what was trimmed has been exported": {
			func(s *story) {
				for _, c := range append(s.of(audit.Live)[:4], s.of(audit.Other)[:2]...) {
					s.history.Exported = append(s.history.Exported, *c)
				}
				s.without(append(s.of(audit.Live)[:4], s.of(audit.Other)[:2]...)...)
			},
			func(r audit.Report) bool {
				return r.Live.First == 1 && r.Other.First == 1 && r.Live.Records+r.Other.Records == 20
			},
		},
		"all of the other chain was trimmed": {
			func(s *story) { s.without(s.of(audit.Other)...) },
			func(r audit.Report) bool { return r.Other == audit.Span{} },
		},
		"AWS keeps a few versions only": {
			func(s *story) {
				for _, c := range s.of(audit.Live)[:6] {
					delete(s.history.Secret, c.Status.AppliedVersionID)
				}
			},
			func(r audit.Report) bool { return r.Witnessed == r.Live.Records-6 },
		},
		"adoptions have pushed the label of what is live off it": {
			func(s *story) {
				s.history.Secret[s.applied().Status.AppliedVersionID] = []string{"AWSCURRENT"}
			},
			func(r audit.Report) bool { return r.Witnessed == r.Live.Records },
		},
		"AWS was not asked": {
			func(s *story) { s.history.Secret = nil },
			func(r audit.Report) bool { return r.Witnessed == 0 },
		},
		"records that Git owns outlive those before and after them": {
			func(s *story) {
				records := s.of(audit.Live)
				records[1].Labels = map[string]string{"kustomize.toolkit.fluxcd.io/name": "secrets"}
				s.without(records[0], records[2], records[3])
				s.history.Secret = nil
			},
			func(r audit.Report) bool { return r.Live.Islands == 1 && r.Live.First == 5 },
		},
		"labels and conditions change after the end": {
			func(s *story) {
				c := s.of(audit.Live)[2]
				c.Labels, c.Annotations, c.Finalizers = map[string]string{"a": "b"}, map[string]string{"a": "b"}, nil
				c.Status.StagedDeleted, c.Status.Conditions = true, []metav1.Condition{{Type: "Ready"}}
			},
			func(audit.Report) bool { return true },
		},
		"a backup has brought the records back under other UIDs": {
			func(s *story) {
				for i := range s.history.Changes {
					c := &s.history.Changes[i]
					c.UID, c.CreationTimestamp = "new-"+c.UID, metav1.NewTime(s.now)
				}
			},
			func(r audit.Report) bool { return r.Restored == 20 },
		},
		"changes ended before chains were kept": {
			func(s *story) {
				c := s.proposed()
				at := metav1.NewMicroTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
				c.Status.Phase, c.Status.FinishedAt, c.Status.AppliedVersionID = v1alpha1.PhaseApplied, &at, "44444444-4444-4444-8444-444444444444"
				s.history.Secret[c.Status.AppliedVersionID] = []string{naming.VersionLabel(string(c.UID))}
				s.history.Changes = append(s.history.Changes, c)
			},
			func(r audit.Report) bool { return r.Unchained == 1 },
		},
		"an attempt that an older release had begun comes first": {
			func(s *story) {
				*s = *newStory(1)
				c := s.proposed()
				c.Status.AppliedVersionID = "55555555-5555-4555-8555-555555555555"
				c.Status.Attempt = &v1alpha1.Attempt{VersionID: c.Status.AppliedVersionID}
				s.finish(&c, v1alpha1.PhaseApplied)
				s.applied()
			},
			func(r audit.Report) bool { return r.Live.Records == 2 },
		},
		"two managers finished a change at the same moment": {
			func(s *story) {
				before := s.heads
				s.ended(v1alpha1.PhaseRejected)
				s.heads = before
				s.ended(v1alpha1.PhaseExpired)
				s.ended(v1alpha1.PhaseRejected)
				s.applied()
			},
			func(r audit.Report) bool { return r.Other.Forks == 1 },
		},
		"what is live was adopted, and is on its way": {
			func(s *story) {
				c := s.proposed()
				c.Spec.Staged, c.Spec.Restore = nil, &v1alpha1.RestoreSource{VersionID: v1alpha1.VersionID(s.live)}
				s.history.Secret[s.live] = append(s.history.Secret[s.live], naming.VersionLabel(string(c.UID)))
				c.Status.Phase = v1alpha1.PhaseApproved
				s.history.Changes = append(s.history.Changes, c)
			},
			func(audit.Report) bool { return true },
		},
	}
	for sentence, c := range cases {
		t.Run(sentence, func(t *testing.T) {
			s := tell(3, 20)
			c.do(s)
			report := audit.Verify(s.history)
			if len(report.Breaks) > 0 {
				t.Errorf("found %+v", report.Breaks)
			}
			if !c.check(report) {
				t.Errorf("reports %+v", report)
			}
		})
	}
}
