package secretproject_test

import (
	"encoding/json"

	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/guard"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
)

func marshal(v any) (string, error) {
	out, err := json.Marshal(v)
	return string(out), err
}

var _ = Describe("Drift", func() {
	var t *team
	BeforeEach(func() {
		t = newTeam()
		t.createLive(map[string]string{"A": "1"})
		t.createProject(nil)
		t.beReady()
	})

	drift := func() *v1alpha1.Drift { return t.environment().Drift }

	// adopt restores the live version as alice, approved by bob.
	adopt := func(live string) {
		GinkgoHelper()
		c := t.create(t.nextName(), v1alpha1.SecretChangeSpec{BaseVersionID: v1alpha1.VersionID(live),
			Restore: &v1alpha1.RestoreSource{VersionID: v1alpha1.VersionID(live)}})
		t.review(c, v1alpha1.VerdictApproved)
		t.ended(c, v1alpha1.PhaseApplied)
	}

	It("is noticed, told, and over once the live version is adopted", func() {
		baseline := t.environment().LiveVersionID
		live := t.byHand(encode(doc(map[string]string{"A": "1", "B": "by hand"})))
		Eventually(drift).ShouldNot(BeNil())
		Expect(drift().ExpectedVersionID).To(Equal(baseline))
		Expect(drift().LiveVersionID).To(Equal(live))
		Expect(t.status()).To(have(v1alpha1.ConditionInSync, metav1.ConditionFalse, v1alpha1.ReasonDrifted))
		Expect(t.status()).To(have(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady))
		Expect(t.status().DriftedNames).To(Equal(production))
		Expect(t.environment().Keys).To(BeEquivalentTo(2))
		// It shows what the manager's cache has, which may lag behind.
		drifted := func() float64 { return gauge("secretreview_environment_drifted", t.namespace) }
		Eventually(drifted).Should(Equal(1.0))
		adopt(live)
		Eventually(drift).Should(BeNil())
		Expect(t.status()).To(have(v1alpha1.ConditionInSync, metav1.ConditionTrue, v1alpha1.ReasonInSync))
		Expect(t.environment().LastAppliedVersionID).To(Equal(live))
		Eventually(func() []string { return told(t.project) }).Should(ContainElements(v1alpha1.ReasonDrifted, v1alpha1.ReasonInSync))
		Consistently(drift, 3*interval, interval/2).Should(BeNil())
		Eventually(drifted).Should(Equal(0.0))
	})

	It("shows an emergency undo by hand, soon after the change", func() {
		c := t.apply(map[string]string{"A": "broken"})
		Expect(store.MoveLabel(ctx, secretstore.MoveLabelInput{ID: t.live(), Label: secretstore.LabelCurrent,
			From: c.Status.AppliedVersionID, To: c.Status.PreviousVersionID})).To(Succeed())
		// What AWS shows is taken for old during the first half minute.
		Eventually(drift, "90s").ShouldNot(BeNil())
		Expect(drift().ExpectedVersionID).To(Equal(c.Status.AppliedVersionID))
		Expect(drift().LiveVersionID).To(Equal(c.Status.PreviousVersionID))
	})

	It("is over once a change is applied on top of it", func() {
		t.byHand(encode(doc(map[string]string{"A": "by hand"})))
		Eventually(drift).ShouldNot(BeNil())
		t.apply(map[string]string{"A": "2"})
		Eventually(drift).Should(BeNil())
	})

	It("tells of a version that bears the label of a change this cluster does not know", func() {
		foreign := uuid.NewString()
		live := t.byHand(encode(doc(map[string]string{"A": "restored"})), naming.VersionLabel(foreign))
		Eventually(drift).Should(HaveField("ForeignChangeUID", foreign))
		Expect(t.status()).To(And(have(v1alpha1.ConditionInSync, metav1.ConditionFalse, v1alpha1.ReasonForeignVersion),
			have(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonForeignVersion),
			have(v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonForeignVersion)))
		adopt(live)
		Eventually(drift).Should(BeNil())
		t.beReady()
	})

	It("does not count a version whose change has been purged", func() {
		c := t.apply(map[string]string{"A": "2"})
		Eventually(func() string { return t.environment().LastAppliedChange }).Should(Equal(c.Name))
		Expect(t.ada.Delete(ctx, c)).To(Succeed())
		afterListings(3)
		Expect(drift()).To(BeNil())
		Expect(t.environment().Versions).To(HaveLen(2), "what the change wrote, and what it replaced")
		Expect(t.status()).To(have(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady))
	})
})

var _ = Describe("While the admission policies are weakened", func() {
	It("every project says that nothing is applied", func() {
		t := newTeam()
		t.createLive(map[string]string{"A": "1"})
		t.createProject(nil)
		t.beReady()
		Eventually(t.status).Should(have(v1alpha1.ConditionPoliciesInForce, metav1.ConditionTrue, v1alpha1.ReasonPoliciesInForce))
		binding := &admissionregistrationv1.ValidatingAdmissionPolicyBinding{}
		Expect(admin.Get(ctx, client.ObjectKey{Name: guard.IdentityPolicy}, binding)).To(Succeed())
		Expect(admin.Delete(ctx, binding.DeepCopy())).To(Succeed())
		Eventually(t.status).Should(And(have(v1alpha1.ConditionPoliciesInForce, metav1.ConditionFalse, v1alpha1.ReasonPoliciesWeakened),
			have(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonPoliciesWeakened)))
		binding.ResourceVersion, binding.UID = "", ""
		Expect(admin.Create(ctx, binding)).To(Succeed())
		t.beReady()
		Eventually(t.status).Should(have(v1alpha1.ConditionPoliciesInForce, metav1.ConditionTrue, v1alpha1.ReasonPoliciesInForce))
	})
})
