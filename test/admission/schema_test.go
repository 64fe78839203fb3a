package admission

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

var _ = DescribeTable("a change's spec is immutable", func(ctx context.Context, source func(string, string) *v1alpha1.SecretChange, alter func(s *v1alpha1.SecretChangeSpec)) {
	// Neither the proposer nor who may do everything here, and vouch, changes it.
	for _, user := range []string{alice, star, argo} {
		change := stored(ctx, source(alice, production))
		alter(&change.Spec)
		err := as(user).Update(ctx, change)
		Expect(bySchema(err)).To(BeTrue(), "%s: %v", user, err)
	}
},
	Entry("project", edit, func(s *v1alpha1.SecretChangeSpec) { s.Project = "other" }),
	Entry("environment", edit, func(s *v1alpha1.SecretChangeSpec) { s.Environment = development }),
	Entry("reason", edit, func(s *v1alpha1.SecretChangeSpec) { s.Reason = "another" }),
	Entry("proposedBy", edit, func(s *v1alpha1.SecretChangeSpec) { s.ProposedBy = star }),
	Entry("staged.secretARN", edit, func(s *v1alpha1.SecretChangeSpec) { s.Staged.SecretARN += "x" }),
	Entry("staged.versionID", edit, func(s *v1alpha1.SecretChangeSpec) { s.Staged.VersionID += "2" }),
	Entry("staged.digest", edit, func(s *v1alpha1.SecretChangeSpec) { s.Staged.Digest = "sha256:" + strings.Repeat("b", 64) }),
	Entry("baseVersionID, added", edit, func(s *v1alpha1.SecretChangeSpec) { s.BaseVersionID = versionID }),
	Entry("baseVersionID, changed", rollback, func(s *v1alpha1.SecretChangeSpec) { s.BaseVersionID += "2" }),
	Entry("rollback.change", rollback, func(s *v1alpha1.SecretChangeSpec) { s.Rollback.Change = "other" }),
	Entry("restore.versionID", restore, func(s *v1alpha1.SecretChangeSpec) { s.Restore.VersionID += "2" }),
	Entry("restore.versionID for change", restore, func(s *v1alpha1.SecretChangeSpec) {
		s.Restore = &v1alpha1.RestoreSource{Change: "other"}
	}),
	Entry("rollback for restore", rollback, func(s *v1alpha1.SecretChangeSpec) {
		s.Rollback, s.Restore = nil, &v1alpha1.RestoreSource{VersionID: versionID}
	}),
	Entry("rollback for an edit", rollback, func(s *v1alpha1.SecretChangeSpec) {
		s.Rollback, s.Staged = nil, edit(alice, production).Spec.Staged
	}),
)

var _ = DescribeTable("a change is invalid", func(ctx context.Context, source func(string, string) *v1alpha1.SecretChange, alter func(s *v1alpha1.SecretChangeSpec), says string) {
	change := source(alice, production)
	alter(&change.Spec)
	err := as(alice).Create(ctx, change)
	Expect(bySchema(err)).To(BeTrue(), "%v", err)
	Expect(err.Error()).To(ContainSubstring(says))
},
	Entry("with no source", edit, func(s *v1alpha1.SecretChangeSpec) { s.Staged = nil }, "exactly one of the fields in [staged rollback restore]"),
	Entry("with two sources", edit, func(s *v1alpha1.SecretChangeSpec) {
		s.Rollback, s.BaseVersionID = &v1alpha1.RollbackSource{Change: "x"}, versionID
	}, "exactly one of the fields in [staged rollback restore]"),
	Entry("with three sources", edit, func(s *v1alpha1.SecretChangeSpec) {
		s.Rollback, s.Restore = &v1alpha1.RollbackSource{Change: "x"}, &v1alpha1.RestoreSource{Change: "x"}
	}, "exactly one of the fields in [staged rollback restore]"),
	Entry("restoring nothing", restore, func(s *v1alpha1.SecretChangeSpec) { s.Restore.VersionID = "" }, "exactly one of the fields in [change versionID]"),
	Entry("restoring two things", restore, func(s *v1alpha1.SecretChangeSpec) { s.Restore.Change = "x" }, "exactly one of the fields in [change versionID]"),
	Entry("rolling back from nowhere", rollback, func(s *v1alpha1.SecretChangeSpec) { s.BaseVersionID = "" }, "require baseVersionID"),
	Entry("restoring from nowhere", restore, func(s *v1alpha1.SecretChangeSpec) { s.BaseVersionID = "" }, "require baseVersionID"),
	Entry("without a reason", edit, func(s *v1alpha1.SecretChangeSpec) { s.Reason = "" }, "spec.reason"),
	Entry("for a blank reason", edit, func(s *v1alpha1.SecretChangeSpec) { s.Reason = " \t\n" }, "reason is blank"),
	Entry("for a reason over 2048 bytes", edit, func(s *v1alpha1.SecretChangeSpec) { s.Reason = strings.Repeat("ä", 1025) }, "reason is over 2048 bytes"),
	Entry("in the environment status", edit, func(s *v1alpha1.SecretChangeSpec) { s.Environment = "status" }, "reserved"),
	Entry("in the environment scale", edit, func(s *v1alpha1.SecretChangeSpec) { s.Environment = "scale" }, "reserved"),
	Entry("in the environment finalizers", edit, func(s *v1alpha1.SecretChangeSpec) { s.Environment = "finalizers" }, "reserved"),
	Entry("in an environment with a slash", edit, func(s *v1alpha1.SecretChangeSpec) { s.Environment = "a/b" }, "spec.environment"),
	Entry("in an environment of 64 characters", edit, func(s *v1alpha1.SecretChangeSpec) { s.Environment = strings.Repeat("a", 64) }, "spec.environment"),
	Entry("of a project with a slash", edit, func(s *v1alpha1.SecretChangeSpec) { s.Project = "other/backend-api" }, "spec.project"),
	Entry("of no project", edit, func(s *v1alpha1.SecretChangeSpec) { s.Project = "" }, "spec.project"),
	Entry("with a digest of another kind", edit, func(s *v1alpha1.SecretChangeSpec) { s.Staged.Digest = "md5:abc" }, "spec.staged.digest"),
	Entry("with a name in place of an ARN", edit, func(s *v1alpha1.SecretChangeSpec) { s.Staged.SecretARN = "secret-review/pending/x" }, "spec.staged.secretARN"),
)

var _ = DescribeTable("a review is invalid", func(ctx context.Context, alter func(r *v1alpha1.Review), says string) {
	r := approved(bob)
	alter(&r)
	err := as(bob).Update(ctx, reviewed(proposed(ctx, production), r))
	Expect(bySchema(err)).To(BeTrue(), "%v", err)
	Expect(err.Error()).To(ContainSubstring(says))
},
	Entry("with another verdict", func(r *v1alpha1.Review) { r.Verdict = "Maybe" }, "verdict"),
	Entry("with no verdict", func(r *v1alpha1.Review) { r.Verdict = "" }, "verdict"),
	Entry("by nobody", func(r *v1alpha1.Review) { r.Reviewer = "" }, "reviewer"),
	Entry("by a name of 341 characters", func(r *v1alpha1.Review) { r.Reviewer = strings.Repeat("a", 341) }, "reviewer"),
	Entry("with a comment over 2048 bytes", func(r *v1alpha1.Review) { r.Comment = strings.Repeat("ä", 1025) }, "comment is over 2048 bytes"),
)

var _ = DescribeTable("a project is invalid", func(ctx context.Context, alter func(p *v1alpha1.SecretProject), says string) {
	p := newProject()
	alter(p)
	err := as(adam).Create(ctx, p)
	Expect(bySchema(err)).To(BeTrue(), "%v", err)
	Expect(err.Error()).To(ContainSubstring(says))
},
	Entry("named pending", func(p *v1alpha1.SecretProject) { p.Name = "pending" }, "reserved"),
	Entry("named pending in AWS", func(p *v1alpha1.SecretProject) { p.Spec.ProjectName = "pending" }, "reserved"),
	Entry("named with a dot and no other name for AWS", func(p *v1alpha1.SecretProject) { p.Name = "a.b" }, "set spec.projectName"),
	Entry("without environments", func(p *v1alpha1.SecretProject) { p.Spec.Environments = nil }, "spec.environments"),
	Entry("with an environment named status", func(p *v1alpha1.SecretProject) { p.Spec.Environments[0].Name = "status" }, "reserved"),
	Entry("with an environment twice", func(p *v1alpha1.SecretProject) { p.Spec.Environments[0].Name = production }, "Duplicate"),
)

var _ = Describe("a project", func() {
	It("keeps its name in AWS", func(ctx context.Context) {
		p := storedProject(ctx)
		p.Spec.ProjectName = "other"
		Expect(bySchema(as(adam).Update(ctx, p))).To(BeTrue())
	})
	It("has the documented defaults", func(ctx context.Context) {
		p := storedProject(ctx)
		Expect(*p.Spec.PreventSelfApproval).To(BeTrue())
		Expect(p.Spec.ChangeTTL.Hours()).To(Equal(168.0))
		Expect(p.Spec.ConflictPolicy).To(Equal(v1alpha1.ConflictStrict))
		Expect(*p.Spec.VersionHistory).To(BeEquivalentTo(10))
		Expect(*p.Spec.HistoryLimit).To(BeEquivalentTo(500))
		Expect(*p.Spec.PendingLimit).To(BeEquivalentTo(20))
		Expect(*p.Spec.Environments[0].RequiredApprovals).To(BeEquivalentTo(1))
		Expect(p.Status.ObservedGeneration).To(BeEquivalentTo(-1))
	})
})

var _ = Describe("the greatest sizes", func() {
	// A ServiceAccount's name can be that long.
	longest := func(i int) string {
		return fmt.Sprintf("%03d", i) + strings.Repeat("n", 340-3)
	}
	comment := strings.Repeat("c", 2048)
	full := func(reviews int) *v1alpha1.SecretChange {
		change := rollback(longest(999), production)
		change.Spec.Reason = strings.Repeat("r", 2048)
		change.Name += strings.Repeat("x", 253-len(change.Name))
		change.Spec.Environment = strings.Repeat("e", 63)
		for i := range reviews {
			reviewed(change, v1alpha1.Review{Reviewer: longest(i), Verdict: v1alpha1.VerdictApproved, Comment: comment})
		}
		return change
	}

	It("can be created by an applier", func(ctx context.Context) {
		Expect(as(argo).Create(ctx, full(v1alpha1.MaxReviews))).To(Succeed())
	})
	It("can be proposed and withdrawn by who has the longest name", func(ctx context.Context) {
		user := longest(999)
		bind(ctx, team, user, "ClusterRole", "secretreview-proposer")
		settle(ctx)
		change := full(0)
		Expect(as(user).Create(ctx, change)).To(Succeed())
		Expect(review(ctx, user, change, v1alpha1.Review{Reviewer: user, Verdict: v1alpha1.VerdictRejected, Comment: comment})).To(Succeed())
	})
	It("can be approved by the sixteenth reviewer, and written by the manager", func(ctx context.Context) {
		user := longest(15)
		bind(ctx, team, user, "ClusterRole", "secretreview-approver")
		settle(ctx)
		change := full(v1alpha1.MaxReviews - 1)
		Expect(as(argo).Create(ctx, change)).To(Succeed())
		last := v1alpha1.Review{Reviewer: user, Verdict: v1alpha1.VerdictApproved, Comment: comment}
		Expect(review(ctx, user, change, last)).To(Succeed())
		in(ctx, v1alpha1.PhasePending, change)
		change.Spec.Reviews[v1alpha1.MaxReviews-1].Verdict = v1alpha1.VerdictRejected
		Expect(as(user).Update(ctx, change)).To(Succeed())
		in(ctx, v1alpha1.PhaseRejected, change)
	})
	It("can all be rejected at once by an applier", func(ctx context.Context) {
		change := full(v1alpha1.MaxReviews)
		Expect(as(argo).Create(ctx, change)).To(Succeed())
		for i := range change.Spec.Reviews {
			change.Spec.Reviews[i].Verdict = v1alpha1.VerdictRejected
		}
		Expect(as(argo).Update(ctx, change)).To(Succeed())
	})
	It("allow names of 340 characters outside of ASCII", func(ctx context.Context) {
		change := edit(strings.Repeat("ä", 340), production)
		Expect(as(argo).Create(ctx, reviewed(change, approved(strings.Repeat("名", 340))))).To(Succeed())
	})
	It("go with as many labels and annotations as are allowed", func(ctx context.Context) {
		change := proposed(ctx, production)
		change.Labels, change.Annotations = marks(most), marks(most)
		change.Annotations["example.com/mark-0"] = strings.Repeat("x", 200_000)
		Expect(as(bob).Update(ctx, change)).To(Succeed())
		Expect(review(ctx, bob, change, approved(bob))).To(Succeed())
	})
})
