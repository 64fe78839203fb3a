package admission

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/guard"
)

// operation tries something on objects of its own, as a user.
type operation func(ctx context.Context, user string) error

func create(change func(user string) *v1alpha1.SecretChange) operation {
	return func(ctx context.Context, user string) error { return as(user).Create(ctx, change(user)) }
}

func update(of func(ctx context.Context) *v1alpha1.SecretChange, alter func(user string, change *v1alpha1.SecretChange)) operation {
	return func(ctx context.Context, user string) error {
		change := of(ctx)
		alter(user, change)
		return as(user).Update(ctx, change)
	}
}

func add(of func(ctx context.Context) *v1alpha1.SecretChange, verdict func(user string) v1alpha1.Review) operation {
	return func(ctx context.Context, user string) error { return review(ctx, user, of(ctx), verdict(user)) }
}

func remove(of func(ctx context.Context) *v1alpha1.SecretChange) operation {
	return func(ctx context.Context, user string) error { return as(user).Delete(ctx, of(ctx)) }
}

func editOf(environment string) func(ctx context.Context) *v1alpha1.SecretChange {
	return func(ctx context.Context) *v1alpha1.SecretChange { return stored(ctx, edit(andy, environment)) }
}

func editIn(phase v1alpha1.Phase) func(ctx context.Context) *v1alpha1.SecretChange {
	return func(ctx context.Context) *v1alpha1.SecretChange {
		return in(ctx, phase, stored(ctx, edit(andy, production)))
	}
}

func ownerReference() []metav1.OwnerReference {
	return []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "gone", UID: "00000000-0000-0000-0000-000000000002"}}
}

// What the API server answers: yes, no by the identity policy, or no by RBAC already.
const (
	yes     = '+'
	refused = '-'
	noRight = '.'
)

func answer(err error) rune {
	switch {
	case err == nil:
		return yes
	case guard.Refused(err):
		return refused
	case apierrors.IsForbidden(err):
		return noRight
	default:
		return '!'
	}
}

// The columns are everybody, in groups: alice and pia propose, bob and paul approve, rob and rita roll back, all three
// pairs everywhere and in production; vera sees, mallory has no verb of ours, star has all of the namespace's, root all
// of the cluster's; adam and nora administer by ClusterRoleBinding and by RoleBinding; argo, flux, velero apply; bot,
// reviewBot and the manager are ServiceAccounts; eve is nobody. The changes that are touched are andy's.
var _ = DescribeTable("who may do what",
	func(ctx context.Context, try operation, want string) {
		want = strings.ReplaceAll(want, " ", "")
		Expect(want).To(HaveLen(len(everybody)))
		var wrong []string
		for i, user := range everybody {
			err := try(ctx, user)
			if got := answer(err); got != rune(want[i]) {
				wrong = append(wrong, fmt.Sprintf("%s: want %c, got %c: %v", user, want[i], got, err))
			}
		}
		Expect(wrong).To(BeEmpty(), strings.Join(wrong, "\n"))
	},
	Entry("propose an edit of dev", create(func(u string) *v1alpha1.SecretChange { return edit(u, development) }),
		"+- .- -- .-++ .. -++ -..."),
	Entry("propose an edit of production", create(func(u string) *v1alpha1.SecretChange { return edit(u, production) }),
		"++ .- -- .-++ .. -++ -..."),
	Entry("propose a rollback of dev without reviews", create(func(u string) *v1alpha1.SecretChange { return rollback(u, development) }),
		"+- .- -- .-++ .. -++ -..."),
	Entry("propose a rollback of dev with the own approval",
		create(func(u string) *v1alpha1.SecretChange { return reviewed(rollback(u, development), approved(u)) }),
		"-- .- +- .-++ .. --+ -..."),
	Entry("propose a restore of production with the own approval",
		create(func(u string) *v1alpha1.SecretChange { return reviewed(restore(u, production), approved(u)) }),
		"-- .- ++ .-++ .. --+ -..."),
	Entry("propose a rollback with the own rejection",
		create(func(u string) *v1alpha1.SecretChange { return reviewed(rollback(u, production), rejected(u)) }),
		"-- .- -- .--- .. --+ -..."),
	Entry("propose a rollback with somebody's approval beside the own",
		create(func(u string) *v1alpha1.SecretChange {
			return reviewed(rollback(u, production), approved(u), approved(somebody))
		}),
		"-- .- -- .--- .. --+ -..."),
	Entry("propose a rollback with somebody's approval alone",
		create(func(u string) *v1alpha1.SecretChange { return reviewed(rollback(u, production), approved(somebody)) }),
		"-- .- -- .--- .. --+ -..."),
	Entry("propose an edit with the own approval",
		create(func(u string) *v1alpha1.SecretChange { return reviewed(edit(u, production), approved(u)) }),
		"-- .- -- .--- .. --+ -..."),
	Entry("propose an edit with somebody's approval",
		create(func(u string) *v1alpha1.SecretChange { return reviewed(edit(u, production), approved(somebody)) }),
		"-- .- -- .--- .. --+ -..."),
	Entry("propose in somebody's name", create(func(string) *v1alpha1.SecretChange { return edit(somebody, production) }),
		"-- .- -- .--- .. +-+ -..."),
	Entry("propose a rollback in somebody's name with their approval",
		create(func(string) *v1alpha1.SecretChange {
			return reviewed(rollback(somebody, production), approved(somebody))
		}),
		"-- .- -- .--- .. +-+ -..."),
	Entry("propose in the name of a ServiceAccount that is not listed", create(func(string) *v1alpha1.SecretChange { return edit(bot, production) }),
		"-- .- -- .--- .. --+ -..."),
	Entry("propose in the name of one that is", create(func(string) *v1alpha1.SecretChange { return edit(flux, production) }),
		"-- .- -- .--- .. +++ -..."),

	Entry("approve an edit of dev", add(editOf(development), approved),
		"-- +- -- .-++ .. +-+ -+-."),
	Entry("approve an edit of production", add(editOf(production), approved),
		"-- ++ -- .-++ .. +-+ -+-."),
	Entry("reject an edit of production", add(editOf(production), rejected),
		"-- ++ -- .-++ .. +-+ -+-."),
	Entry("approve in somebody's name", add(editOf(production), func(string) v1alpha1.Review { return approved(somebody) }),
		"-- -- -- .--- .. +-+ ---."),
	Entry("reject in somebody's name", add(editOf(production), func(string) v1alpha1.Review { return rejected(somebody) }),
		"-- -- -- .--- .. +-+ ---."),
	Entry("reject in the proposer's name", add(editOf(production), func(string) v1alpha1.Review { return rejected(andy) }),
		"-- -- -- .--- .. +-+ ---."),

	Entry("write a label that is not ours", update(editOf(production), func(_ string, c *v1alpha1.SecretChange) {
		c.Labels = map[string]string{foreignLabel: "x"}
	}), "++ ++ ++ .-++ .. +++ +++."),
	Entry("write an annotation that is not ours on an edit of dev", update(editOf(development), func(_ string, c *v1alpha1.SecretChange) {
		c.Annotations = map[string]string{foreignLabel: "x"}
	}), "+- +- +- .-++ .. +++ +++."),
	Entry("write what is there already", update(editOf(production), func(string, *v1alpha1.SecretChange) {}),
		"++ ++ ++ .+++ .. +++ +++."),
	Entry("write a label of ours", update(editOf(production), func(_ string, c *v1alpha1.SecretChange) {
		c.Labels = map[string]string{ourLabel: "x"}
	}), "-- -- -- .--- .. --+ --+."),
	Entry("write an annotation of ours", update(editOf(production), func(_ string, c *v1alpha1.SecretChange) {
		c.Annotations = map[string]string{ourLabel: "x"}
	}), "-- -- -- .--- .. --+ --+."),
	Entry("add a finalizer", update(editOf(production), func(_ string, c *v1alpha1.SecretChange) {
		c.Finalizers = []string{"example.com/keep"}
	}), "-- -- -- .--- .. --+ --+."),
	Entry("add an ownerReference", update(editOf(production), func(_ string, c *v1alpha1.SecretChange) {
		c.OwnerReferences = ownerReference()
	}), "-- -- -- .--- .. --- ---."),
	Entry("write a change's status", func(ctx context.Context, user string) error {
		change := editOf(production)(ctx)
		change.Status.Phase = v1alpha1.PhaseApplied
		return as(user).Status().Update(ctx, change)
	}, ".. .. .. .--- .. ..+ ..+."),

	Entry("delete somebody's pending change", remove(editIn(v1alpha1.PhasePending)),
		"-- .- -- .--+ +- --- -.+."),
	Entry("delete somebody's change that is being made live", remove(editIn(v1alpha1.PhaseApproved)),
		"-- .- -- .--+ +- --- -.+."),
	Entry("delete history", remove(editIn(v1alpha1.PhaseApplied)),
		"-- .- -- .--+ +- --- -.+."),

	Entry("create a project", func(ctx context.Context, user string) error { return as(user).Create(ctx, newProject()) },
		".. .. .. .--+ +- ... ...."),
	Entry("change a project", func(ctx context.Context, user string) error {
		p := storedProject(ctx)
		p.Spec.Environments = p.Spec.Environments[:1]
		return as(user).Update(ctx, p)
	}, ".. .. .. .--+ +- ... ...."),
	Entry("label a project", func(ctx context.Context, user string) error {
		p := storedProject(ctx)
		p.Labels = map[string]string{foreignLabel: "x"}
		return as(user).Update(ctx, p)
	}, ".. .. .. .--+ +- ... ...."),
	Entry("write what is there of a project already", func(ctx context.Context, user string) error {
		return as(user).Patch(ctx, storedProject(ctx), client.RawPatch(types.MergePatchType, []byte("{}"))) // a storage migration's way
	}, ".. .. .. .+++ ++ ... ...."),
	Entry("delete a project", func(ctx context.Context, user string) error { return as(user).Delete(ctx, storedProject(ctx)) },
		".. .. .. .--+ +- ... ...."),
	Entry("write a project's status", func(ctx context.Context, user string) error {
		p := storedProject(ctx)
		p.Status.Region = "eu-central-1"
		return as(user).Status().Update(ctx, p)
	}, ".. .. .. .--- .. ..+ ..+."),
)
