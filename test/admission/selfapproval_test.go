package admission

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/guard"
)

// Sessions of IAM roles, as EKS names them. The provider sets the session names of the role Enforced alone.
const (
	session      = "arn:aws:sts::123456789012:assumed-role/Dev/one"
	otherSession = "arn:aws:sts::123456789012:assumed-role/Dev/two"
	otherRole    = "arn:aws:sts::123456789012:assumed-role/Developer/one"
	otherAccount = "arn:aws:sts::210987654321:assumed-role/Dev/one"
	enforced     = "arn:aws:sts::123456789012:assumed-role/Enforced/one"
	enforcedToo  = "arn:aws:sts::123456789012:assumed-role/Enforced/two"
	sam          = "sam" // proposes and approves
)

func selfRefused(err error) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), "ValidatingAdmissionPolicy 'secretreview-self-approval'")
}

var _ = Describe("self-approval", Ordered, func() {
	const guarded, open = "guarded", "open"
	var strict, lax *v1alpha1.SecretProject

	BeforeAll(func(ctx context.Context) {
		for _, user := range []string{sam, session, otherSession, otherRole, otherAccount, enforced, enforcedToo} {
			bind(ctx, team, user, "ClusterRole", "secretreview-proposer")
			bind(ctx, team, user, "ClusterRole", "secretreview-approver")
		}
		settle(ctx)
		store := func(prevent *bool, exception string, except *bool) *v1alpha1.SecretProject {
			p := newProject()
			p.Spec.PreventSelfApproval = prevent
			p.Spec.Environments = []v1alpha1.Environment{{Name: production}, {Name: exception, PreventSelfApproval: except}}
			Expect(as(adam).Create(ctx, p)).To(Succeed())
			return p
		}
		strict = store(nil, open, ptr.To(false))
		lax = store(ptr.To(false), guarded, ptr.To(true))
		// The API server learns of projects after it has stored them.
		for _, known := range []struct{ project, environment string }{{strict.Name, production}, {lax.Name, guarded}} {
			change := edit(sam, known.environment)
			change.Spec.Project = known.project
			stored(ctx, change)
			patch := jsonPatch(`[{"op":"add","path":"/spec/reviews/-","value":{"reviewer":"sam","verdict":"Approved"}}]`)
			Eventually(func() bool { return selfRefused(as(sam).Patch(ctx, change.DeepCopy(), patch, client.DryRunAll)) }).Should(BeTrue())
		}
	})

	DescribeTable("is judged by the project, its environment and the person",
		func(ctx context.Context, project func() string, environment, proposer, reviewer string, accepted func(error) bool) {
			change := edit(proposer, environment)
			change.Spec.Project = project()
			stored(ctx, change)
			err := review(ctx, reviewer, change, approved(reviewer))
			Expect(accepted(err)).To(BeTrue(), "%v", err)
		},
		Entry("refused by default", func() string { return strict.Name }, production, sam, sam, selfRefused),
		Entry("allowed by the environment", func() string { return strict.Name }, open, sam, sam, succeeded),
		Entry("allowed by the project", func() string { return lax.Name }, production, sam, sam, succeeded),
		Entry("refused by the environment", func() string { return lax.Name }, guarded, sam, sam, selfRefused),
		Entry("left to the controller where no project is", func() string { return "nowhere" }, production, sam, sam, succeeded),
		Entry("left to the controller where no environment is", func() string { return strict.Name }, "nowhere", sam, sam, succeeded),
		Entry("no matter for somebody else", func() string { return strict.Name }, production, sam, bob, succeeded),
		Entry("the same session", func() string { return strict.Name }, production, session, session, selfRefused),
		Entry("another session of the same role", func() string { return strict.Name }, production, session, otherSession, selfRefused),
		Entry("another session where it is allowed", func() string { return strict.Name }, open, session, otherSession, succeeded),
		Entry("another role that begins alike", func() string { return strict.Name }, production, session, otherRole, succeeded),
		Entry("the same role of another account", func() string { return strict.Name }, production, session, otherAccount, succeeded),
		Entry("another person of a session-enforced role", func() string { return strict.Name }, production, enforced, enforcedToo, succeeded),
		Entry("the same person of a session-enforced role", func() string { return strict.Name }, production, enforced, enforced, selfRefused),
	)

	It("does not keep a proposer from withdrawing, nor from rolling back", func(ctx context.Context) {
		change := edit(sam, production)
		change.Spec.Project = strict.Name
		Expect(review(ctx, sam, stored(ctx, change), rejected(sam))).To(Succeed())
		born := reviewed(rollback(rob, production), approved(rob))
		born.Spec.Project = strict.Name
		Expect(as(rob).Create(ctx, born)).To(Succeed())
	})

	It("does not keep others from reviewing what holds an own approval already", func(ctx context.Context) {
		born := reviewed(rollback(rob, production), approved(rob))
		born.Spec.Project = strict.Name
		Expect(as(rob).Create(ctx, born)).To(Succeed())
		Expect(review(ctx, bob, born, approved(bob))).To(Succeed())
	})
})

var _ = DescribeTable("withdrawing and deleting one's own pending change", func(ctx context.Context, proposer, user string, accepted func(error) bool) {
	for _, person := range []string{proposer, user} {
		bind(ctx, team, person, "ClusterRole", "secretreview-proposer")
	}
	settle(ctx)
	err := review(ctx, user, stored(ctx, edit(proposer, production)), rejected(user))
	Expect(accepted(err)).To(BeTrue(), "%v", err)
	err = as(user).Delete(ctx, stored(ctx, edit(proposer, production)))
	Expect(accepted(err)).To(BeTrue(), "%v", err)
},
	Entry("works from another session", withdrawing("Dev/one"), withdrawing("Dev/two"), succeeded),
	Entry("is not another role's", withdrawing("Dev/one"), withdrawing("Ops/one"), guard.Refused),
	Entry("is not another person's of a session-enforced role", withdrawing("Enforced/one"), withdrawing("Enforced/two"), guard.Refused),
)

// withdrawing names a session, in an account none of whose sessions may approve; but the enforced role has one account.
func withdrawing(session string) string {
	account := "345678901234"
	if strings.HasPrefix(session, "Enforced/") {
		account, session = "123456789012", session+"-proposer"
	}
	return "arn:aws:sts::" + account + ":assumed-role/" + session
}
