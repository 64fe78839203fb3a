package secretproject_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/internal/sensitive"
)

var _ = Describe("A SecretProject", func() {
	var t *team
	BeforeEach(func() { t = newTeam() })

	It("says what a client needs to stage a change", func() {
		live := t.createLive(map[string]string{"A": "1", "B": "2"})
		t.createProject(nil)
		t.beReady()
		status := t.status()
		Expect(status.Region).To(Equal(aws.Region()))
		Expect(status.Prefix).To(Equal(naming.DefaultPrefix))
		Expect(status.ClusterName).To(Equal(clusterName))
		Expect(status.ObservedGeneration).To(Equal(t.project.Generation))
		Expect(status.EnvironmentNames).To(Equal(production))
		Expect(t.environment()).To(Equal(v1alpha1.EnvironmentStatus{
			Name: production, SecretName: t.live(), SecretARN: live.ARN, LiveVersionID: live.VersionID, Keys: 2, BaselineVersionID: live.VersionID,
		}))
		Eventually(t.status).Should(have(v1alpha1.ConditionPoliciesInForce, metav1.ConditionTrue, v1alpha1.ReasonPoliciesInForce))
		Expect(t.status()).To(have(v1alpha1.ConditionInSync, metav1.ConditionTrue, v1alpha1.ReasonInSync))
	})

	It("costs nothing while nothing happens", func() {
		t.createLive(map[string]string{"A": "1"})
		t.createProject(nil)
		t.beReady()
		Eventually(t.status).Should(have(v1alpha1.ConditionPoliciesInForce, metav1.ConditionTrue, v1alpha1.ReasonPoliciesInForce))
		afterListings(1)
		before, version := calls(t.live()), t.resourceVersion()
		afterListings(3)
		Expect(calls(t.live())).To(Equal(before))
		Expect(t.resourceVersion()).To(Equal(version))
	})

	It("takes from an applied change what it has made live, before any listing shows it", func() {
		base := t.createLive(map[string]string{"A": "1"})
		t.createProject(nil)
		t.beReady()
		afterListings(1)
		// No listing tells of it.
		DeferCleanup(aws.Inject(emulator.Fault{Kind: emulator.FaultDrop, Operations: []string{"ListSecrets"}}))
		c := t.apply(map[string]string{"A": "one", "C": "3", "D": "4"})
		Eventually(func() string { return t.environment().LiveVersionID }).Should(Equal(c.Status.AppliedVersionID))
		e := t.environment()
		Expect(e.Keys).To(BeEquivalentTo(3))
		Expect(e.LastAppliedChange).To(Equal(c.Name))
		Expect(e.LastAppliedVersionID).To(Equal(c.Status.AppliedVersionID))
		Expect(e.LastAppliedTime.Time).To(BeTemporally("==", c.Status.AppliedAt.Time))
		Expect(e.BaselineVersionID).To(Equal(base.VersionID))
		Expect(e.Drift).To(BeNil())
		Expect(e.Versions).To(HaveLen(2))
		Expect(e.Versions[0].VersionID).To(Equal(c.Status.AppliedVersionID))
		Expect(e.Versions[0].Change).To(Equal(c.Name))
		Expect(e.Versions[1].VersionID).To(Equal(base.VersionID))
		Expect(e.Versions[1].ReplacedBy).To(Equal(c.Name))
	})

	It("agrees with AWS about what a change has made live", func() {
		t.createLive(map[string]string{"A": "1"})
		t.createProject(nil)
		t.beReady()
		t.apply(map[string]string{"A": "2"})
		afterListings(1)
		before, version := calls(t.live()), t.resourceVersion()
		afterListings(2)
		Expect(calls(t.live())).To(Equal(before))
		Expect(t.resourceVersion()).To(Equal(version))
		Expect(t.environment().Drift).To(BeNil())
	})

	It("keeps a list of what can be restored, the newest first", func() {
		t.createLive(map[string]string{"A": "0"})
		t.createProject(func(p *v1alpha1.SecretProject) { p.Spec.VersionHistory = ptr.To[int32](1) })
		t.beReady()
		var names []string
		for _, value := range []string{"1", "2", "3"} {
			names = append(names, t.apply(map[string]string{"A": value}).Name)
		}
		afterListings(2)
		var got []string
		for _, v := range t.environment().Versions {
			got = append(got, v.Change)
		}
		Expect(got).To(Equal([]string{names[2], names[1]}))
	})

	It("notices a new environment", func() {
		t.createLive(map[string]string{"A": "1"})
		t.createProject(nil)
		t.beReady()
		var p v1alpha1.SecretProject
		Expect(t.ada.Get(ctx, client.ObjectKeyFromObject(t.project), &p)).To(Succeed())
		p.Spec.Environments = append(p.Spec.Environments, v1alpha1.Environment{Name: "dev"})
		Expect(t.ada.Update(ctx, &p)).To(Succeed())
		Eventually(t.status).Should(And(say(`environment "dev"`[1:]), have(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretMissing)))
		Expect(t.status().EnvironmentNames).To(Equal("production,dev"))
		Expect(t.status()).To(have(v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonSecretMissing))
	})

	It("knows how far replicas have come", func() {
		t.createLive(map[string]string{"A": "1"})
		Expect(aws.SetState(t.live(), emulator.State{Replicas: []emulator.ReplicaState{{Region: "eu-central-1", Status: "Failed", Message: "no key"}}})).To(Succeed())
		t.createProject(nil)
		t.beReady()
		Expect(t.environment().Replication).To(Equal([]v1alpha1.ReplicationStatus{{Region: "eu-central-1", Status: "Failed", Message: "no key"}}))
		Expect(aws.SetState(t.live(), emulator.State{Replicas: []emulator.ReplicaState{{Region: "eu-central-1", Status: "InSync"}}})).To(Succeed())
		t.apply(map[string]string{"A": "2"})
		Eventually(func() []v1alpha1.ReplicationStatus { return t.environment().Replication }).
			Should(Equal([]v1alpha1.ReplicationStatus{{Region: "eu-central-1", Status: "InSync"}}))
	})
})

var _ = Describe("An environment that cannot be served", func() {
	var t *team
	BeforeEach(func() { t = newTeam() })

	owned := func() map[string]string {
		return map[string]string{naming.TagOwner: naming.Owner(clusterName, t.namespace)}
	}

	It("says that its secret is missing, and is served once it is there", func() {
		t.createProject(nil)
		Eventually(t.status).Should(And(have(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretMissing), say("create it")))
		Expect(t.environment().Problem.Reason).To(Equal(v1alpha1.ReasonSecretMissing))
		t.createLive(map[string]string{"A": "1"})
		t.beReady()
		Expect(t.environment().Keys).To(BeEquivalentTo(1))
		Eventually(func() []string { return told(t.project) }).Should(ContainElements(v1alpha1.ReasonSecretMissing, v1alpha1.ReasonReady))
	})

	DescribeTable("says why", func(prepare func(), reason, message string) {
		prepare()
		t.createProject(nil)
		Eventually(t.status).Should(And(have(v1alpha1.ConditionReady, metav1.ConditionFalse, reason), say(message)))
	},
		Entry("scheduled for deletion", func() {
			t.createLive(map[string]string{"A": "1"})
			Expect(store.Delete(ctx, secretstore.DeleteInput{ID: t.live(), RecoveryDays: 7})).To(Succeed())
		}, v1alpha1.ReasonSecretUnusable, "scheduled for deletion"),
		Entry("owned by a service", func() {
			t.createLive(map[string]string{"A": "1"})
			Expect(aws.SetState(t.live(), emulator.State{OwningService: ptr.To("rds")})).To(Succeed())
		}, v1alpha1.ReasonSecretUnusable, "managed by rds"),
		Entry("a replica", func() {
			t.createLive(map[string]string{"A": "1"})
			Expect(aws.SetState(t.live(), emulator.State{PrimaryRegion: ptr.To("eu-central-1")})).To(Succeed())
		}, v1alpha1.ReasonSecretUnusable, "a replica of the one in eu-central-1"),
		Entry("in rotation", func() {
			t.createLive(map[string]string{"A": "1"})
			Expect(aws.SetState(t.live(), emulator.State{Rotating: ptr.To(true)})).To(Succeed())
		}, v1alpha1.ReasonSecretUnusable, "rotation"),
		Entry("not JSON", func() { t.createLiveWith(sensitive.New("A=canary-value-1"), owned()) },
			v1alpha1.ReasonSecretUnusable, "mend it by hand"),
		Entry("JSON, but not strings", func() { t.createLiveWith(sensitive.New(`{"A":{"B":"canary-value-1"}}`), owned()) },
			v1alpha1.ReasonSecretUnusable, "mend it by hand"),
		Entry("without an owner", func() { t.createLiveWith(encode(doc(nil)), nil) },
			v1alpha1.ReasonNotOwner, "has no owner"),
		Entry("another cluster's", func() {
			t.createLiveWith(encode(doc(nil)), map[string]string{naming.TagOwner: "other/" + t.namespace})
		}, v1alpha1.ReasonNotOwner, "belongs to"),
	)

	It("never shows a value", func() {
		t.createLiveWith(sensitive.New(`{"A":["canary-value-1"]}`), owned())
		t.createProject(nil)
		Eventually(t.status).Should(have(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretUnusable))
		var p v1alpha1.SecretProject
		Expect(t.alice.Get(ctx, client.ObjectKeyFromObject(t.project), &p)).To(Succeed())
		Expect(p).NotTo(WithTransform(marshal, ContainSubstring("canary-value")))
	})

	It("reads nothing of a secret that is another team's, and shows nothing of it", func() {
		t.createLiveWith(encode(doc(map[string]string{"A": "1"})), map[string]string{naming.TagOwner: naming.Owner(clusterName, "somebody-else")})
		t.createProject(nil)
		Eventually(t.status).Should(have(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonNotOwner))
		Expect(t.environment().SecretARN).To(BeEmpty())
		Expect(t.environment().LiveVersionID).To(BeEmpty())
		Expect(calls(t.live())).NotTo(HaveKey("GetSecretValue"))
	})

	It("waits, and says so, while AWS throttles", func() {
		t.createLive(map[string]string{"A": "1"})
		remove := aws.Inject(emulator.Fault{Kind: emulator.FaultThrottle, Operations: []string{"DescribeSecret"}, Secret: t.live()})
		t.createProject(nil)
		Eventually(t.status).Should(And(have(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonThrottled),
			have(v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonThrottled)))
		remove()
		t.beReady()
	})

	It("says which right is missing", func() {
		t.createLive(map[string]string{"A": "1"})
		remove := aws.Inject(emulator.Fault{Kind: emulator.FaultDeny, Operations: []string{"GetSecretValue"}, Secret: t.live()})
		t.createProject(nil)
		Eventually(t.status).Should(And(have(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonAccessDenied), say("GetSecretValue")))
		remove()
		t.beReady()
		Expect(t.environment().Keys).To(BeEquivalentTo(1))
	})
})

var _ = Describe("Two SecretProjects that claim one live secret", func() {
	It("are neither served in one namespace, until one lets go", func() {
		t := newTeam()
		t.createLive(map[string]string{"A": "1"})
		t.createProject(nil)
		t.beReady()
		other := t.newProject("other", nil)
		claimed := have(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonNameClaimed)
		Eventually(t.status).Should(And(claimed, say(t.namespace+"/other")))
		Eventually(func() v1alpha1.SecretProjectStatus { return t.statusOf(other) }).Should(And(claimed, say(t.namespace+"/api")))
		Expect(t.ada.Delete(ctx, other)).To(Succeed())
		t.beReady()
	})

	It("are told apart by the owner tag in two namespaces, whoever came first", func() {
		thief := newTeam()
		owner := newTeam()
		thief.createProject(func(p *v1alpha1.SecretProject) { p.Spec.ProjectName = owner.awsName() })
		owner.createLive(map[string]string{"A": "1"})
		owner.createProject(nil)
		owner.beReady()
		Eventually(thief.status).Should(have(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonNotOwner))
		Expect(owner.status()).To(have(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady))
	})
})

var _ = Describe("While the inventory cannot be taken", func() {
	It("every project says so, and says when it is over", func() {
		t := newTeam()
		t.createLive(map[string]string{"A": "1"})
		t.createProject(nil)
		t.beReady()
		remove := aws.Inject(emulator.Fault{Kind: emulator.FaultDrop, Operations: []string{"ListSecrets"}})
		Eventually(t.status, 30*time.Second).Should(And(have(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonUnavailable),
			have(v1alpha1.ConditionInSync, metav1.ConditionUnknown, v1alpha1.ReasonProgressing)))
		Expect(t.environment().LiveVersionID).NotTo(BeEmpty(), "what was known is kept")
		remove()
		t.beReady()
	})
})

func (t *team) resourceVersion() string {
	GinkgoHelper()
	var p v1alpha1.SecretProject
	Expect(t.alice.Get(ctx, client.ObjectKeyFromObject(t.project), &p)).To(Succeed())
	return p.ResourceVersion
}
