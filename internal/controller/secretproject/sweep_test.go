package secretproject_test

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
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
		c := t.propose(map[string]string{"A": "2"})
		t.review(c, v1alpha1.VerdictRejected)
		c = t.ended(c, v1alpha1.PhaseRejected)
		Expect(state(c.Spec.Staged.SecretARN)()).To(Equal("Gone"))
		// Somebody stages anew under the finished change's name: not what it names.
		again := t.stage(c.Name, map[string]string{"A": "3"}, past())
		Eventually(state(again.SecretARN)).Should(Equal("Scheduled"))
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
		// A listing from before shows the staged secret, which is gone.
		DeferCleanup(aws.Inject(emulator.Fault{Kind: emulator.FaultStale, Operations: []string{"ListSecrets"}, ChangesAgo: 3}))
		afterListings(2)
		Expect(t.alice.Get(ctx, client.ObjectKeyFromObject(c), c)).To(Succeed())
		Expect(calls(naming.StagedSecret(naming.DefaultPrefix, t.awsName(), name))["DeleteSecret"]).To(Equal(1))
	})
})
