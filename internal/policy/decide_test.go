package policy_test

import (
	"slices"
	"testing"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/policy"
)

const (
	role     = "arn:aws:sts::111122223333:assumed-role/dev"
	approver = "system:serviceaccount:ci:reviewer"
)

func approvals(names ...string) []v1alpha1.Review {
	var out []v1alpha1.Review
	for _, n := range names {
		out = append(out, v1alpha1.Review{Reviewer: n, Verdict: v1alpha1.VerdictApproved})
	}
	return out
}

func rejection(name string) v1alpha1.Review {
	return v1alpha1.Review{Reviewer: name, Verdict: v1alpha1.VerdictRejected}
}

func TestDecide(t *testing.T) {
	staged := &v1alpha1.StagedSource{}
	type want struct {
		verdict   policy.Verdict
		approvers []string
		not       map[string]string
		by        string
	}
	strict := policy.Effective{RequiredApprovals: 1, PreventSelfApproval: true}
	two := policy.Effective{RequiredApprovals: 2, PreventSelfApproval: true}
	for name, tc := range map[string]struct {
		proposer   string
		rollback   bool
		target     bool
		policy     policy.Effective
		enforced   []string
		listed     []string
		reviews    []v1alpha1.Review
		discounted []string
		want       want
	}{
		"nobody has reviewed": {policy: strict, want: want{verdict: policy.Waiting}},
		"no approvals are required": {policy: policy.Effective{PreventSelfApproval: true},
			want: want{verdict: policy.Approved}},
		"one other person approves": {policy: strict, reviews: approvals("bob"),
			want: want{verdict: policy.Approved, approvers: []string{"bob"}}},
		"one of two approves": {policy: two, reviews: approvals("bob"),
			want: want{verdict: policy.Waiting, approvers: []string{"bob"}}},
		"two of two approve": {policy: two, reviews: approvals("bob", "carol"),
			want: want{verdict: policy.Approved, approvers: []string{"bob", "carol"}}},
		"the proposer approves alone": {policy: strict, reviews: approvals("alice"),
			want: want{verdict: policy.Waiting, not: map[string]string{"alice": policy.NotCountedSelf}}},
		"the proposer may approve where the policy allows it": {policy: policy.Effective{RequiredApprovals: 1},
			reviews: approvals("alice"), want: want{verdict: policy.Approved, approvers: []string{"alice"}}},
		"a rejection goes before any number of approvals": {policy: strict,
			reviews: append(approvals("bob", "carol"), rejection("dave")),
			want:    want{verdict: policy.Rejected, approvers: []string{"bob", "carol"}, by: "dave"}},
		"the proposer's rejection is a withdrawal": {policy: strict, reviews: []v1alpha1.Review{rejection("alice")},
			want: want{verdict: policy.Withdrawn, by: "alice"}},
		"a discounted rejection still rejects": {policy: strict, reviews: []v1alpha1.Review{rejection("bob")},
			discounted: []string{"bob"}, want: want{verdict: policy.Rejected, by: "bob"}},
		"a second session of the proposer's role is the proposer": {proposer: role + "/one", policy: strict,
			reviews: approvals(role + "/two"),
			want:    want{verdict: policy.Waiting, not: map[string]string{role + "/two": policy.NotCountedSelf}}},
		"two sessions of one role are one person": {policy: two, reviews: approvals(role+"/one", role+"/two"),
			want: want{verdict: policy.Waiting, approvers: []string{role + "/one"},
				not: map[string]string{role + "/two": policy.NotCountedSamePerson}}},
		"sessions of a session-enforced role are people": {policy: two, reviews: approvals(role+"/one", role+"/two"),
			enforced: []string{"arn:aws:iam::111122223333:role/team/dev"},
			want:     want{verdict: policy.Approved, approvers: []string{role + "/one", role + "/two"}}},
		"the same role in another account is somebody else": {proposer: role + "/one", policy: strict,
			reviews: approvals("arn:aws:sts::444455556666:assumed-role/dev/one"),
			want:    want{verdict: policy.Approved, approvers: []string{"arn:aws:sts::444455556666:assumed-role/dev/one"}}},
		"an unlisted ServiceAccount does not count": {policy: strict, reviews: approvals(approver),
			want: want{verdict: policy.Waiting, not: map[string]string{approver: policy.NotCountedServiceAccount}}},
		"nobody who does not sign in counts": {policy: strict, reviews: approvals("system:anonymous"),
			want: want{verdict: policy.Waiting, not: map[string]string{"system:anonymous": policy.NotCountedServiceAccount}}},
		"a listed ServiceAccount counts": {policy: strict, reviews: approvals(approver), listed: []string{approver},
			want: want{verdict: policy.Approved, approvers: []string{approver}}},
		"a discounted approval does not count": {policy: strict, reviews: approvals("bob"), discounted: []string{"bob"},
			want: want{verdict: policy.Waiting, not: map[string]string{"bob": policy.NotCountedDiscounted}}},
		"a new approval counts beside a discounted one": {policy: strict, reviews: approvals("bob", "carol"),
			discounted: []string{"bob"}, want: want{verdict: policy.Approved, approvers: []string{"carol"},
				not: map[string]string{"bob": policy.NotCountedDiscounted}}},
		"a rollback born with its proposer's approval needs nobody else": {rollback: true, target: true, policy: two,
			reviews: approvals("alice"), want: want{verdict: policy.Approved, approvers: []string{"alice"}}},
		"a rollback to what no applied change wrote needs the quorum": {rollback: true, policy: strict,
			reviews: approvals("alice"),
			want:    want{verdict: policy.Waiting, not: map[string]string{"alice": policy.NotCountedSelf}}},
		"a rollback needs the quorum where the policy says so": {rollback: true, target: true,
			policy:  policy.Effective{RequiredApprovals: 1, PreventSelfApproval: true, RollbackRequiresReview: true},
			reviews: approvals("alice"),
			want:    want{verdict: policy.Waiting, not: map[string]string{"alice": policy.NotCountedSelf}}},
		"a rollback's own approval under another session is no birth right": {proposer: role + "/one", rollback: true,
			target: true, policy: strict, reviews: approvals(role + "/two"),
			want: want{verdict: policy.Waiting, not: map[string]string{role + "/two": policy.NotCountedSelf}}},
		"an edit is never born approved": {target: true, policy: strict, reviews: approvals("alice"),
			want: want{verdict: policy.Waiting, not: map[string]string{"alice": policy.NotCountedSelf}}},
	} {
		t.Run(name, func(t *testing.T) {
			proposer := tc.proposer
			if proposer == "" {
				proposer = "alice"
			}
			spec := &v1alpha1.SecretChangeSpec{ProposedBy: proposer, Staged: staged, Reviews: tc.reviews}
			if tc.rollback {
				spec.Staged, spec.Rollback = nil, &v1alpha1.RollbackSource{Change: "x"}
			}
			got := policy.Decide(policy.Request{
				Spec: spec, Policy: tc.policy, IDs: policy.NewIdentities(policy.Listed{SessionEnforcedRoles: tc.enforced, ReviewingAccounts: tc.listed}),
				Discounted: tc.discounted, TargetApplied: tc.target,
			})
			if got.Verdict != tc.want.verdict || got.RejectedBy != tc.want.by || !slices.Equal(got.Approvers, tc.want.approvers) {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
			for who, why := range tc.want.not {
				if got.NotCounted[who] != why {
					t.Errorf("%s not counted because %q, want %q", who, got.NotCounted[who], why)
				}
			}
		})
	}
}
