package admission

import (
	"context"
	"sync"

	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/internal/guard"
)

// People, by what they may do in the namespace team.
const (
	alice   = "alice"   // proposes everywhere
	andy    = "andy"    // as alice
	pia     = "pia"     // proposes to production
	bob     = "bob"     // approves everywhere
	carol   = "carol"   // as bob
	paul    = "paul"    // approves for production
	rob     = "rob"     // rolls back everywhere
	rita    = "rita"    // rolls back production
	vera    = "vera"    // sees
	mallory = "mallory" // may write everything of ours, by Kubernetes' own verbs
	star    = "star"    // has "*" on everything in the namespace
	root    = "root"    // is cluster-admin, but not listed as an applier
	adam    = "adam"    // administers and purges, by ClusterRoleBindings
	nora    = "nora"    // as adam, but by RoleBindings
	eve     = "eve"     // has no rights

	argo      = "system:serviceaccount:argocd:argocd-application-controller" // a listed applier that may vouch
	flux      = "system:serviceaccount:flux-system:kustomize-controller"     // a listed applier that may not; it is listed to propose
	velero    = "system:serviceaccount:velero:velero"                        // the listed backup account, which may vouch
	bot       = "system:serviceaccount:team:bot"                             // approves and proposes, but is not listed
	reviewBot = "system:serviceaccount:team:review-bot"                      // approves, and is listed
	manager   = guard.DefaultControllerUser
)

// everybody, in the order of the matrix's columns.
var everybody = []string{
	alice, pia, bob, paul, rob, rita, vera, mallory, star, root, adam, nora, argo, flux, velero, bot, reviewBot, manager, eve,
}

// giveRights binds the shipped roles where there is one, and waits until the API server knows.
func giveRights(ctx context.Context) {
	for user, roles := range map[string][]string{
		alice:   {"secretreview-proposer"},
		andy:    {"secretreview-proposer"},
		bob:     {"secretreview-approver"},
		carol:   {"secretreview-approver"},
		rob:     {"secretreview-rollbacker"},
		vera:    {"secretreview-viewer"},
		nora:    {"secretreview-administrator", "secretreview-cluster-administer", "secretreview-cluster-purge", "secretreview-cluster-vouch"},
		adam:    {"secretreview-administrator"},
		argo:    {"secretreview-gitops-applier"},
		flux:    {"secretreview-gitops-applier"},
		velero:  {"secretreview-gitops-applier"},
		mallory: {},
		bot:     {"secretreview-approver", "secretreview-proposer"},
		reviewBot: {
			"secretreview-approver",
		},
	} {
		for _, role := range roles {
			bind(ctx, team, user, "ClusterRole", role)
		}
	}
	for user, roles := range map[string][]string{
		adam:   {"secretreview-cluster-administer", "secretreview-cluster-purge"},
		argo:   {"secretreview-cluster-vouch"},
		velero: {"secretreview-cluster-vouch"},
		root:   {"cluster-admin"},
	} {
		for _, role := range roles {
			bindEverywhere(ctx, user, role)
		}
	}
	work := rule("secretreview.dev", []string{"secretchanges"}, "get", "list", "watch", "create", "patch", "update", "delete")
	allowed(ctx, pia, work, rule("secretreview.dev", []string{"secretprojects/production"}, "propose"))
	allowed(ctx, paul, work, rule("secretreview.dev", []string{"secretprojects/production"}, "approve"))
	allowed(ctx, rita, work, rule("secretreview.dev", []string{"secretprojects/production"}, "rollback"))
	everything := []string{
		"get", "list", "watch", "create", "patch", "update", "delete", "deletecollection",
	}
	allowed(ctx, mallory, rule("secretreview.dev", []string{"*"}, everything...))
	allowed(ctx, star, rule("*", []string{"*"}, "*"))
	allowed(ctx, velero, rule("secretreview.dev", []string{"secretchanges/status", "secretprojects/status"}, "patch", "update"))
	// More than the manager's roles give, so that the policy has to judge every way to write.
	allowedEverywhere(ctx, manager, rule("secretreview.dev", []string{"secretchanges"}, "update"),
		rule("secretreview.dev", []string{"secretchanges/status", "secretprojects/status"}, "patch"))
	settle(ctx)
}

func rule(group string, resources []string, verbs ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: verbs}
}

// allowed gives a user a Role of their own in team. The matrix counts on what everybody may do there, so that nobody
// else gives one of them more.
func allowed(ctx context.Context, user string, rules ...rbacv1.PolicyRule) {
	allowedIn(ctx, team, user, rules...)
}

func allowedIn(ctx context.Context, namespace, user string, rules ...rbacv1.PolicyRule) {
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{GenerateName: "only-", Namespace: namespace}, Rules: rules}
	Expect(admin.Create(ctx, role)).To(Succeed())
	bind(ctx, namespace, user, "Role", role.Name)
}

func bind(ctx context.Context, namespace, user, kind, role string) {
	Expect(admin.Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "test-", Namespace: namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: role},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: user}},
	})).To(Succeed())
}

func bindEverywhere(ctx context.Context, user, role string) {
	Expect(admin.Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: user}},
	})).To(Succeed())
}

// settle waits until the API server knows of all rights given before: it learns of each kind in order, so that a last
// right of each kind stands for the others.
func settle(ctx context.Context) {
	const canary = "canary"
	allowed(ctx, canary, rule("canary", []string{"songs"}, "sing"))
	role := &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{GenerateName: canary + "-"},
		Rules:      []rbacv1.PolicyRule{rule("canary", []string{"songs"}, "whistle")},
	}
	Expect(admin.Create(ctx, role)).To(Succeed())
	bindEverywhere(ctx, canary, role.Name)
	for _, verb := range []string{"sing", "whistle"} {
		Eventually(func(g Gomega) {
			review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
				User:               canary,
				ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: team, Group: "canary", Resource: "songs", Verb: verb},
			}}
			g.Expect(admin.Create(ctx, review)).To(Succeed())
			g.Expect(review.Status.Allowed).To(BeTrue())
		}).Should(Succeed())
	}
}

var clients sync.Map

// as returns a client that acts as a user, over whom RBAC and the policies have the say.
func as(user string) client.Client {
	if known, found := clients.Load(user); found {
		return known.(client.Client)
	}
	c, err := client.New(server.UserConfig(user), client.Options{Scheme: scheme, Mapper: mapper})
	Expect(err).NotTo(HaveOccurred())
	clients.Store(user, c)
	return c
}
