package admission

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/guard"
)

var _ = DescribeTable("a refusal says what was refused and what is missing", func(ctx context.Context, user string, try operation, want string) {
	err := try(ctx, user)
	Expect(guard.Refused(err)).To(BeTrue(), "%v", err)
	_, message, found := strings.Cut(err.Error(), "denied request: ")
	Expect(found).To(BeTrue())
	Expect(message).To(Equal(want))
},
	Entry("to propose", mallory, create(func(u string) *v1alpha1.SecretChange { return edit(u, production) }),
		"mallory may not propose changes to team/backend-api production: "+
			"ask for the verb propose on secretprojects.secretreview.dev/production"),
	Entry("to propose for somebody", star, create(func(string) *v1alpha1.SecretChange { return edit(somebody, production) }),
		"star may not propose in the name of somebody-else on team/backend-api production: set spec.proposedBy to star, "+
			"or ask for the verb vouch on secretprojects.secretreview.dev team/backend-api by a ClusterRoleBinding "+
			"and for a place in the list appliers of this policy"),
	Entry("to propose with a review", star, create(func(u string) *v1alpha1.SecretChange { return reviewed(edit(u, production), approved(u)) }),
		"star may not create a change to team/backend-api production that has reviews: leave spec.reviews out"),
	Entry("to roll back alone", alice, create(func(u string) *v1alpha1.SecretChange { return reviewed(rollback(u, production), approved(u)) }),
		"alice may not create a change to team/backend-api production that has reviews other than one own approval: "+
			"ask for the verb rollback on secretprojects.secretreview.dev/production, or leave spec.reviews out"),
	Entry("to approve", alice, add(editOf(production), approved),
		"alice may not approve changes to team/backend-api production: "+
			"ask for the verb approve on secretprojects.secretreview.dev/production"),
	Entry("to approve for somebody", bob, add(editOf(production), func(string) v1alpha1.Review { return approved(somebody) }),
		"bob may not review team/backend-api production in another name: set reviewer to bob, "+
			"or ask for the verb vouch on secretprojects.secretreview.dev team/backend-api by a ClusterRoleBinding "+
			"and for a place in the list appliers of this policy"),
	Entry("to approve as a ServiceAccount", bot, add(editOf(production), approved),
		bot+" may not approve changes to team/backend-api production: the reviews of a name that begins with system: are let in "+
			"only if it stands in the list reviewingServiceAccounts of this policy"),
	Entry("to propose as a ServiceAccount", bot, create(func(u string) *v1alpha1.SecretChange { return edit(u, production) }),
		bot+" may not propose changes to team/backend-api production: a name that begins with system: may only if it stands in "+
			"the list proposingServiceAccounts of this policy"),
	Entry("to write to others' changes", mallory, update(editOf(production), func(_ string, c *v1alpha1.SecretChange) {
		c.Labels = marks(1)
	}), "mallory may not write to changes to team/backend-api production: "+
		"ask for the verb propose or approve on secretprojects.secretreview.dev/production"),
	Entry("to approve an own rollback later", star, func(ctx context.Context, user string) error {
		return review(ctx, user, stored(ctx, rollback(user, production)), approved(user))
	}, "star may not approve a rollback or restore of team/backend-api production that is already proposed: "+
		"create it with the own approval, which needs the verb rollback on secretprojects.secretreview.dev/production, "+
		"or ask somebody else to approve it"),
	Entry("to administer", star, func(ctx context.Context, user string) error {
		p := newProject()
		p.Name = "wanted"
		return as(user).Create(ctx, p)
	}, "star may not create, change or delete the SecretProject team/wanted: "+
		"ask for the verb administer on secretprojects.secretreview.dev team/wanted by a ClusterRoleBinding"),
	Entry("to delete", star, func(ctx context.Context, user string) error {
		change := edit(alice, production)
		change.Name = "history"
		return as(user).Delete(ctx, stored(ctx, change))
	}, "star may not delete the change history of team/backend-api production: "+
		"ask for the verb purge on secretprojects.secretreview.dev team/backend-api by a ClusterRoleBinding; "+
		"only its proposer may delete it without, while it is pending"),
	Entry("to write status", star, func(ctx context.Context, user string) error {
		return as(user).Status().Update(ctx, proposed(ctx, production))
	}, "star may not write the status of secretchanges.secretreview.dev in team: only the secretreview manager may"),
)
