package secretproject_test

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/controller/inventory"
	"github.com/secretreview/secretreview/internal/guard"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/internal/sweep"
)

var _ = Describe("The sweep", func() {
	var t *team
	BeforeEach(func() {
		t = newTeam()
		t.createLive(map[string]string{"A": "1"})
		t.createProject(nil)
		t.beReady()
	})

	past := func() time.Time { return time.Now().Add(-time.Minute) }

	// state is Live, Scheduled for deletion or Gone.
	state := func(arn string) func() string {
		return func() string {
			GinkgoHelper()
			secret, err := store.Describe(ctx, arn)
			switch {
			case secretstore.KindOf(err) == secretstore.KindNotFound:
				return "Gone"
			case err != nil:
				Fail(err.Error())
			case secret.DeletedAt != nil:
				return "Scheduled"
			}
			return "Live"
		}
	}

	It("deletes, with a recovery window, what no change names when its time is over", func() {
		staged := t.stage("never-created", map[string]string{"A": "2"}, past())
		Eventually(state(staged.SecretARN)).Should(Equal("Scheduled"))
	})

	It("leaves what a change may still turn up for", func() {
		staged := t.stage("printed-for-git", map[string]string{"A": "2"}, time.Now().Add(time.Hour))
		afterListings(2)
		Expect(state(staged.SecretARN)()).To(Equal("Live"))
	})

	It("leaves what an unfinished change names, however old", func() {
		name := t.nextName()
		staged := t.stage(name, map[string]string{"A": "2"}, time.Now().Add(2*time.Second))
		t.create(name, v1alpha1.SecretChangeSpec{Staged: staged})
		Eventually(time.Now).Should(BeTemporally(">", time.Now().Add(3*time.Second)))
		afterListings(2)
		Expect(state(staged.SecretARN)()).To(Equal("Live"))
	})

	It("takes back what a change turns up for", func() {
		name := t.nextName()
		staged := t.stage(name, map[string]string{"A": "2"}, past())
		Eventually(state(staged.SecretARN)).Should(Equal("Scheduled"))
		c := t.create(name, v1alpha1.SecretChangeSpec{Staged: staged})
		Eventually(state(staged.SecretARN)).Should(Equal("Live"))
		t.review(c, v1alpha1.VerdictApproved)
		t.ended(c, v1alpha1.PhaseApplied)
	})

	It("deletes at once what a finished change has left", func() {
		name := t.nextName()
		staged := t.stage(name, map[string]string{"A": "2"}, time.Now().Add(time.Hour))
		allow := aws.Inject(emulator.Fault{Kind: emulator.FaultDeny, Operations: []string{"DescribeSecret"},
			Principal: "*" + managerKey, Secret: naming.StagedSecret(naming.DefaultPrefix, t.awsName(), name)})
		c := t.create(name, v1alpha1.SecretChangeSpec{Staged: staged})
		// Its status says that the staged secret is gone, which it is not.
		Eventually(func() error {
			if err := manager.Get(ctx, client.ObjectKeyFromObject(c), c); err != nil {
				return err
			}
			c.Status.Phase, c.Status.StagedDeleted, c.Status.FinishedAt = v1alpha1.PhaseRejected, true, ptr.To(metav1.NowMicro())
			return manager.Status().Update(ctx, c)
		}).Should(Succeed())
		t.ended(c, v1alpha1.PhaseRejected)
		Expect(state(staged.SecretARN)()).To(Equal("Live"))
		allow()
		Eventually(state(staged.SecretARN)).Should(Equal("Gone"))
	})

	It("leaves what was staged anew under a finished change's name to its time", func() {
		c := t.propose(map[string]string{"A": "2"})
		t.review(c, v1alpha1.VerdictRejected)
		t.ended(c, v1alpha1.PhaseRejected)
		again := t.stage(c.Name, map[string]string{"A": "3"}, time.Now().Add(time.Hour))
		afterListings(2)
		Expect(state(again.SecretARN)()).To(Equal("Live"))
	})

	It("leaves another cluster's alone", func() {
		created, err := store.Create(ctx, secretstore.CreateInput{
			Name: naming.StagedSecret(naming.DefaultPrefix, t.awsName(), "theirs"), VersionID: uuid.NewString(), Value: encode(doc(nil)),
			Tags: naming.StagedTags{Cluster: "other", Namespace: t.namespace, Project: t.awsName(), Environment: production,
				Change: "theirs", KeepUntil: past()}.Map(),
		})
		Expect(err).NotTo(HaveOccurred())
		afterListings(2)
		Expect(state(created.ARN)()).To(Equal("Live"))
	})

	It("is held where the live secret bears a foreign label", func() {
		t.byHand(encode(doc(map[string]string{"A": "2"})), naming.VersionLabel(uuid.NewString()))
		staged := t.stage("lost-with-the-backup", map[string]string{"A": "3"}, past())
		afterListings(2)
		Expect(state(staged.SecretARN)()).To(Equal("Live"))
	})

	It("goes on with others where some cannot be deleted, a few in each round", func() {
		var denied []string
		for i := range 3 {
			name := fmt.Sprint("a-denied-", i)
			t.stage(name, map[string]string{"A": "2"}, past())
			denied = append(denied, naming.StagedSecret(naming.DefaultPrefix, t.awsName(), name))
		}
		for _, name := range denied {
			DeferCleanup(aws.Inject(emulator.Fault{Kind: emulator.FaultDeny, Operations: []string{"DeleteSecret"}, Secret: name}))
		}
		last := t.stage("z-last", map[string]string{"A": "2"}, past())
		Eventually(state(last.SecretARN)).Should(Equal("Scheduled"))
		Expect(counter("secretreview_sweep_actions_total", "AccessDenied")).To(BeNumerically(">", 0))
		Expect(counter("secretreview_sweep_actions_total", "ok")).To(BeNumerically(">", 0))
	})

	It("acts on what is there now, not on what was listed", func() {
		name := t.nextName()
		staged := t.stage(name, map[string]string{"A": "2"}, time.Now().Add(time.Hour))
		c := t.create(name, v1alpha1.SecretChangeSpec{Staged: staged})
		t.review(c, v1alpha1.VerdictApproved)
		c = t.ended(c, v1alpha1.PhaseApplied)
		Eventually(func() []string {
			Expect(t.alice.Get(ctx, client.ObjectKeyFromObject(c), c)).To(Succeed())
			return c.Finalizers
		}).Should(BeEmpty())
		deletions := func() int { return calls(naming.StagedSecret(naming.DefaultPrefix, t.awsName(), name))["DeleteSecret"] }
		afterListings(1)
		// The change, and a sweep in the same moment, may both have found it there.
		before := deletions()
		// A listing from before shows the staged secret, which is gone.
		DeferCleanup(aws.Inject(emulator.Fault{Kind: emulator.FaultStale, Operations: []string{"ListSecrets"}, ChangesAgo: 3}))
		afterListings(2)
		Expect(deletions()).To(Equal(before))
	})

	It("asks the API server itself for the change before it deletes", func() {
		name := t.nextName()
		staged := t.stage(name, map[string]string{"A": "2"}, time.Now().Add(2*time.Second))
		t.create(name, v1alpha1.SecretChangeSpec{Staged: staged})
		secret, err := store.Describe(ctx, staged.SecretARN)
		Expect(err).NotTo(HaveOccurred())
		snapshot := inventory.Snapshot{Staged: []sweep.Secret{{ARN: secret.ARN, Name: secret.Name, Tags: secret.Tags, CreatedAt: secret.CreatedAt}}}
		orphans := &counting{}
		behind := &inventory.Sweeper{
			Cache: blind{}, Fresh: manager, Store: store, Guard: trusting{},
			Clock: clocktesting.NewFakePassiveClock(time.Now().Add(time.Hour)), Observer: orphans, Cluster: clusterName, Prefix: naming.DefaultPrefix,
		}
		Expect(behind.Observe(ctx, snapshot)).To(Succeed())
		Expect(orphans.found).To(Equal(1), "by its cache, nobody needs it")
		Expect(state(staged.SecretARN)()).To(Equal("Live"))

		distrusting := *behind
		distrusting.Guard, distrusting.Fresh = weakened{}, client.NewNamespacedClient(manager, "default")
		Expect(distrusting.Observe(ctx, snapshot)).To(MatchError(ContainSubstring("is held: somebody took the policy away")))
		Expect(state(staged.SecretARN)()).To(Equal("Live"))
	})
})

// blind is a cache that has heard of nothing.
type blind struct{}

func (blind) List(context.Context, client.ObjectList, ...client.ListOption) error { return nil }

func (blind) Get(_ context.Context, key client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
	return apierrors.NewNotFound(v1alpha1.GroupVersion.WithResource("secretchanges").GroupResource(), key.Name)
}

type counting struct{ found int }

func (c *counting) Orphans(count int)                           { c.found = count }
func (c *counting) Swept(sweep.ActionKind, sweep.Reason, error) {}

type trusting struct{}

func (trusting) State() guard.State { return guard.State{Intact: true, Epoch: 1} }

type weakened struct{}

func (weakened) State() guard.State {
	return guard.State{Epoch: 1, Reason: "somebody took the policy away"}
}
