package secretproject_test

import (
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	gomegatypes "github.com/onsi/gomega/types"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/internal/sensitive"
)

const (
	production = "production"
	// administrator owns every SecretProject of the suite.
	administrator = "ada"
)

func appointAdministrator() {
	GinkgoHelper()
	for role, verb := range map[string]string{
		"secretreview-administrator": "create", "secretreview-cluster-administer": v1alpha1.VerbAdminister, "secretreview-cluster-purge": "purge",
	} {
		Expect(admin.Create(ctx, &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: administrator + "-" + role},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: administrator}},
		})).To(Succeed())
		awaitRight(administrator, "", verb)
	}
}

// awaitRight waits until the API server has heard of a binding.
func awaitRight(user, namespace, verb string) {
	GinkgoHelper()
	Expect(api.AwaitRight(ctx, user, authorizationv1.ResourceAttributes{
		Namespace: namespace, Verb: verb, Group: v1alpha1.GroupName, Resource: "secretprojects",
	})).To(Succeed())
}

// team is a namespace of its own, with its people and one project.
type team struct {
	namespace       string
	ada, alice, bob client.Client
	project         *v1alpha1.SecretProject
	changes         int
}

// newTeam makes a namespace in which alice proposes and bob approves.
func newTeam() *team {
	GinkgoHelper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "team-"}}
	Expect(admin.Create(ctx, ns)).To(Succeed())
	verbs := map[string]string{"secretreview-proposer": v1alpha1.VerbPropose, "secretreview-approver": v1alpha1.VerbApprove}
	for user, role := range map[string]string{"alice": "secretreview-proposer", "bob": "secretreview-approver"} {
		Expect(admin.Create(ctx, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: user, Namespace: ns.Name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
		})).To(Succeed())
		awaitRight(user, ns.Name, verbs[role])
	}
	return &team{namespace: ns.Name, ada: as(api.UserConfig(administrator)), alice: as(api.UserConfig("alice")), bob: as(api.UserConfig("bob"))}
}

// awsName is the team's project in AWS.
func (t *team) awsName() string { return "api-" + t.namespace }

func (t *team) live() string {
	return naming.LiveSecret(naming.DefaultPrefix, t.awsName(), production)
}

// adopt makes the team's project; edit may change it first.
func (t *team) createProject(edit func(*v1alpha1.SecretProject)) {
	GinkgoHelper()
	t.project = t.newProject("api", edit)
}

func (t *team) newProject(name string, edit func(*v1alpha1.SecretProject)) *v1alpha1.SecretProject {
	GinkgoHelper()
	p := &v1alpha1.SecretProject{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: t.namespace},
		Spec:       v1alpha1.SecretProjectSpec{ProjectName: t.awsName(), Environments: []v1alpha1.Environment{{Name: production}}},
	}
	if edit != nil {
		edit(p)
	}
	Expect(t.ada.Create(ctx, p)).To(Succeed())
	return p
}

// createLive makes the live secret and returns its first version.
func (t *team) createLive(values map[string]string) secretstore.Version {
	GinkgoHelper()
	return t.createLiveWith(encode(doc(values)), map[string]string{naming.TagOwner: naming.Owner(clusterName, t.namespace)})
}

func (t *team) createLiveWith(value sensitive.Value, tags map[string]string) secretstore.Version {
	GinkgoHelper()
	v, err := store.Create(ctx, secretstore.CreateInput{Name: t.live(), VersionID: uuid.NewString(), Value: value, Tags: tags})
	Expect(err).NotTo(HaveOccurred())
	return v
}

// byHand makes other values live, past all review.
func (t *team) byHand(value sensitive.Value, labels ...string) string {
	GinkgoHelper()
	id := uuid.NewString()
	Expect(store.Put(ctx, secretstore.PutInput{ID: t.live(), VersionID: id, Value: value,
		Labels: append([]string{secretstore.LabelCurrent}, labels...)})).To(Succeed())
	return id
}

func doc(values map[string]string) document.Document {
	out := document.Document{}
	for k, v := range values {
		out[k] = sensitive.New(v)
	}
	return out
}

func encode(d document.Document) sensitive.Value {
	GinkgoHelper()
	value, err := d.Encode()
	Expect(err).NotTo(HaveOccurred())
	return value
}

// stage stores a proposed edit for a change, as sr does.
func (t *team) stage(changeName string, wanted map[string]string, keepUntil time.Time) *v1alpha1.StagedSource {
	GinkgoHelper()
	current, err := store.Get(ctx, secretstore.GetInput{ID: t.live()})
	Expect(err).NotTo(HaveOccurred())
	base, err := document.Parse(current.Value)
	Expect(err).NotTo(HaveOccurred())
	nonce, err := document.NewNonce(rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	id := document.Identity{Cluster: clusterName, Namespace: t.namespace, Project: t.awsName(), Environment: production, Change: changeName}
	value, err := document.Staged{Version: document.StagedVersion, Identity: id, Nonce: nonce, Patch: document.NewPatch(base, doc(wanted))}.Encode()
	Expect(err).NotTo(HaveOccurred())
	staged, err := store.Create(ctx, secretstore.CreateInput{
		Name: naming.StagedSecret(naming.DefaultPrefix, id.Project, changeName), VersionID: uuid.NewString(), Value: value,
		Tags: naming.StagedTags{Cluster: id.Cluster, Namespace: id.Namespace, Project: id.Project,
			Environment: id.Environment, Change: id.Change, KeepUntil: keepUntil}.Map(),
	})
	Expect(err).NotTo(HaveOccurred())
	return &v1alpha1.StagedSource{SecretARN: staged.ARN, VersionID: v1alpha1.VersionID(staged.VersionID), Digest: document.Digest(value)}
}

// nextName names a change.
func (t *team) nextName() string {
	t.changes++
	return fmt.Sprintf("change-%d", t.changes)
}

// propose stages and creates a change as alice.
func (t *team) propose(wanted map[string]string) *v1alpha1.SecretChange {
	GinkgoHelper()
	name := t.nextName()
	return t.create(name, v1alpha1.SecretChangeSpec{Staged: t.stage(name, wanted, time.Now().Add(time.Hour))})
}

// create makes alice's change of this name.
func (t *team) create(name string, spec v1alpha1.SecretChangeSpec) *v1alpha1.SecretChange {
	GinkgoHelper()
	spec.Project, spec.Environment, spec.Reason, spec.ProposedBy = "api", production, "because", "alice"
	c := &v1alpha1.SecretChange{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: t.namespace}, Spec: spec}
	Expect(t.alice.Create(ctx, c)).To(Succeed())
	return c
}

// review adds bob's verdict.
func (t *team) review(c *v1alpha1.SecretChange, verdict v1alpha1.Verdict) {
	GinkgoHelper()
	Eventually(func() error {
		var now v1alpha1.SecretChange
		if err := t.bob.Get(ctx, client.ObjectKeyFromObject(c), &now); err != nil {
			return err
		}
		now.Spec.Reviews = append(now.Spec.Reviews, v1alpha1.Review{Reviewer: "bob", Verdict: verdict})
		return t.bob.Update(ctx, &now)
	}).Should(Succeed())
}

// apply proposes, approves and waits until it is live. It returns the change as
// it is then.
func (t *team) apply(wanted map[string]string) *v1alpha1.SecretChange {
	GinkgoHelper()
	c := t.propose(wanted)
	t.review(c, v1alpha1.VerdictApproved)
	return t.ended(c, v1alpha1.PhaseApplied)
}

// ended waits until a change has ended and is cleaned up.
func (t *team) ended(c *v1alpha1.SecretChange, phase v1alpha1.Phase) *v1alpha1.SecretChange {
	GinkgoHelper()
	now := &v1alpha1.SecretChange{}
	Eventually(func(g Gomega) {
		g.Expect(t.alice.Get(ctx, client.ObjectKeyFromObject(c), now)).To(Succeed())
		g.Expect(now.Status.Phase).To(Equal(phase), now.Status.Message)
		g.Expect(now.Finalizers).To(BeEmpty())
	}).Should(Succeed())
	return now
}

// status reads the project as alice.
func (t *team) status() v1alpha1.SecretProjectStatus {
	GinkgoHelper()
	return t.statusOf(t.project)
}

func (t *team) statusOf(p *v1alpha1.SecretProject) v1alpha1.SecretProjectStatus {
	GinkgoHelper()
	var now v1alpha1.SecretProject
	Expect(t.alice.Get(ctx, client.ObjectKeyFromObject(p), &now)).To(Succeed())
	return now.Status
}

// environment reads the status of production.
func (t *team) environment() v1alpha1.EnvironmentStatus {
	GinkgoHelper()
	status := t.status()
	if e := status.Environment(production); e != nil {
		return *e
	}
	return v1alpha1.EnvironmentStatus{}
}

// beReady waits until the project is served.
func (t *team) beReady() {
	GinkgoHelper()
	Eventually(t.status).Should(have(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady))
}

// have matches a status by one condition.
func have(kind string, status metav1.ConditionStatus, reason string) gomegatypes.GomegaMatcher {
	type words struct {
		Status metav1.ConditionStatus
		Reason string
	}
	return WithTransform(func(s v1alpha1.SecretProjectStatus) words {
		c := meta.FindStatusCondition(s.Conditions, kind)
		if c == nil {
			return words{}
		}
		return words{c.Status, c.Reason}
	}, Equal(words{status, reason}))
}

// say matches a status by what Ready says.
func say(part string) gomegatypes.GomegaMatcher {
	return WithTransform(func(s v1alpha1.SecretProjectStatus) string {
		c := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady)
		if c == nil {
			return ""
		}
		return c.Message
	}, ContainSubstring(part))
}

// calls are the manager's calls about one secret since the given point, by
// operation.
func calls(secret string) map[string]int {
	count := map[string]int{}
	for _, call := range emulator.Invocations(aws.Calls()) {
		if call.AccessKeyID == managerKey && call.Secret == secret {
			count[call.Operation]++
		}
	}
	return count
}

// listings is how many inventories the manager has begun to take.
func listings() int { return calls("")["ListSecrets"] }

// afterListings waits for some more complete inventories.
func afterListings(n int) {
	GinkgoHelper()
	before := listings()
	// One may be under way, and one more shows that its predecessor is done with.
	Eventually(listings).Should(BeNumerically(">=", before+n+2))
}

// told are the reasons of the events about an object.
func told(about client.Object) []string {
	GinkgoHelper()
	var all eventsv1.EventList
	Expect(admin.List(ctx, &all, client.InNamespace(about.GetNamespace()))).To(Succeed())
	var reasons []string
	for i := range all.Items {
		if all.Items[i].Regarding.UID == about.GetUID() && !slices.Contains(reasons, all.Items[i].Reason) {
			reasons = append(reasons, all.Items[i].Reason)
		}
	}
	return reasons
}
