package admission

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	testclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/guard"
	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/install"
)

// guarding is a guard that runs, by a clock that the spec moves.
type guarding struct {
	*guard.Guard
	clock  *testclock.FakeClock
	events <-chan event.GenericEvent
	stop   func()
}

// startGuard starts a guard as a user, which the spec's end stops.
func startGuard(config *rest.Config, options guard.Options) *guarding {
	GinkgoHelper()
	c, err := client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	watched, err := cache.New(config, cache.Options{Scheme: scheme, Mapper: c.RESTMapper()})
	Expect(err).NotTo(HaveOccurred())
	clock := testclock.NewFakeClock(time.Now())
	g, err := guard.New(guard.Config{
		Options: options, Namespace: install.Namespace, Client: c, Reader: c, Cache: watched, Clock: clock, Log: GinkgoLogr,
	})
	Expect(err).NotTo(HaveOccurred())
	running := &guarding{Guard: g, clock: clock, events: g.Subscribe()}
	Expect(g.State().Intact).To(BeFalse(), "nothing is proven before the first check")

	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- watched.Start(ctx) }()
	go func() { done <- g.Start(ctx) }()
	running.stop = func() {
		cancel()
		for range cap(done) {
			Expect(<-done).To(Succeed())
		}
		running.stop = func() {}
	}
	DeferCleanup(func() { running.stop() })
	return running
}

// eventually waits, while time goes by, for a state.
func (r *guarding) eventually(match func(s guard.State) bool) guard.State {
	GinkgoHelper()
	var state guard.State
	Eventually(func() bool {
		r.clock.Step(time.Second)
		state = r.State()
		return match(state)
	}).Should(BeTrue(), func() string { return r.State().Reason })
	return state
}

// told waits, while time goes by, for an event.
func (r *guarding) told() {
	GinkgoHelper()
	Eventually(func() <-chan event.GenericEvent {
		r.clock.Step(time.Second)
		return r.events
	}).Should(Receive())
}

func isIntact(s guard.State) bool { return s.Intact }
func isLapsed(s guard.State) bool { return !s.Intact }

// cutWire fails every request while it is cut.
type cutWire struct {
	http.RoundTripper
	cut *atomic.Bool
}

func (w cutWire) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.cut.Load() {
		return nil, errors.New("the wire is cut")
	}
	return w.RoundTripper.RoundTrip(r)
}

var _ = Describe("the guard", Serial, Ordered, func() {
	record := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: install.Namespace, Name: guard.ConfigMapName}}
	policies := func() []client.Object {
		var objects []client.Object
		for _, name := range []string{guard.IdentityPolicy, "secretreview-self-approval"} {
			objects = append(objects, &admissionv1.ValidatingAdmissionPolicy{ObjectMeta: metav1.ObjectMeta{Name: name}},
				&admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: name}})
		}
		return objects
	}
	start := func() *guarding { return startGuard(server.UserConfig(manager), names) }

	AfterEach(reinstall)

	It("vouches for freshly installed policies since they were enforced", func(ctx context.Context) {
		for _, object := range policies() {
			Expect(admin.Delete(ctx, object)).To(Succeed())
		}
		Expect(client.IgnoreNotFound(admin.Delete(ctx, record))).To(Succeed())
		reinstall(ctx)
		state := start().eventually(isIntact)
		Expect(state.Epoch).To(BeEquivalentTo(1))
		Expect(state.Policies).To(HaveLen(6))
		newest := time.Time{}
		for _, object := range policies() {
			Expect(admin.Get(ctx, keyOf(object), object)).To(Succeed())
			if made := object.GetCreationTimestamp().Time; made.After(newest) {
				newest = made
			}
		}
		Expect(state.Since).To(BeTemporally("==", newest.Add(guard.EnforcementDelay)))
	})

	It("goes on with the same epoch after a restart", func() {
		first := start()
		before := first.eventually(isIntact)
		first.stop()
		after := start().eventually(isIntact)
		Expect(after.Epoch).To(Equal(before.Epoch))
		Expect(after.Since).To(BeTemporally("==", before.Since))
		Expect(after.Policies).To(Equal(before.Policies))
	})

	It("goes on with the same epoch when everything is applied again unchanged", func(ctx context.Context) {
		running := start()
		before := running.eventually(isIntact)
		reinstall(ctx)
		running.clock.Step(guard.DefaultInterval)
		running.stop()
		Expect(start().eventually(isIntact).Policies).To(Equal(before.Policies))
	})

	DescribeTable("sees it, and begins a new epoch when it is put right:", func(ctx context.Context, weaken func(ctx context.Context), reason string) {
		running := start()
		before := running.eventually(isIntact)
		running.told()
		weaken(ctx)
		running.eventually(func(s guard.State) bool { return !s.Intact && strings.Contains(s.Reason, reason) })
		running.told()

		reinstall(ctx)
		after := running.eventually(isIntact)
		running.told()
		Expect(after.Epoch).NotTo(BeElementOf(before.Epoch, before.Epoch+1), "nobody can foresee it")
		Expect(after.Since).To(BeTemporally(">", before.Since))
		Expect(proposed(ctx, production).CreationTimestamp.Time).NotTo(BeTemporally("<", after.Since))
	},
		Entry("the identity policy ignores failures", alterPolicy(guard.IdentityPolicy, func(p *admissionv1.ValidatingAdmissionPolicy) {
			ignore := admissionv1.Ignore
			p.Spec.FailurePolicy = &ignore
		}), "ValidatingAdmissionPolicy secretreview-identity is not as shipped at spec.failurePolicy"),
		Entry("the identity policy skips somebody", alterPolicy(guard.IdentityPolicy, func(p *admissionv1.ValidatingAdmissionPolicy) {
			p.Spec.MatchConditions = []admissionv1.MatchCondition{{Name: "skip", Expression: "request.userInfo.username != 'eve'"}}
		}), "ValidatingAdmissionPolicy secretreview-identity is not as shipped at spec.matchConditions"),
		Entry("the identity policy lists another applier", alterPolicy(guard.IdentityPolicy, func(p *admissionv1.ValidatingAdmissionPolicy) {
			p.Spec.Variables[1].Expression = "['eve']"
		}), "ValidatingAdmissionPolicy secretreview-identity is not as shipped at spec.variables[1].expression"),
		Entry("the identity policy skips a namespace", alterPolicy(guard.IdentityPolicy, func(p *admissionv1.ValidatingAdmissionPolicy) {
			p.Spec.MatchConstraints.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"guarded": "yes"}}
		}), "ValidatingAdmissionPolicy secretreview-identity is not as shipped at spec.matchConstraints.namespaceSelector"),
		Entry("the identity policy is deleted", func(ctx context.Context) {
			Expect(admin.Delete(ctx, policies()[0])).To(Succeed())
		}, "ValidatingAdmissionPolicy secretreview-identity is missing"),
		Entry("the identity policy's binding is deleted", func(ctx context.Context) {
			Expect(admin.Delete(ctx, policies()[1])).To(Succeed())
		}, "ValidatingAdmissionPolicyBinding secretreview-identity is missing"),
		Entry("the identity policy's binding only audits", func(ctx context.Context) {
			binding := &admissionv1.ValidatingAdmissionPolicyBinding{}
			Expect(admin.Get(ctx, client.ObjectKey{Name: guard.IdentityPolicy}, binding)).To(Succeed())
			binding.Spec.ValidationActions = []admissionv1.ValidationAction{admissionv1.Audit}
			Expect(admin.Update(ctx, binding)).To(Succeed())
		}, "ValidatingAdmissionPolicyBinding secretreview-identity is not as shipped at spec.validationActions"),
		Entry("the self-approval policy prevents nothing", alterPolicy("secretreview-self-approval", func(p *admissionv1.ValidatingAdmissionPolicy) {
			p.Spec.Validations[0].Expression = "true"
		}), "ValidatingAdmissionPolicy secretreview-self-approval is not as shipped at spec.validations[0].expression"),
		Entry("the self-approval policy's binding is deleted", func(ctx context.Context) {
			Expect(admin.Delete(ctx, policies()[3])).To(Succeed())
		}, "ValidatingAdmissionPolicyBinding secretreview-self-approval is missing"),
		Entry("a rule of the changes' CRD is gone", alterCRD("secretchanges.secretreview.dev", func(s *apiextensionsv1.JSONSchemaProps) {
			s.XValidations = nil
		}), "CustomResourceDefinition secretchanges.secretreview.dev is not as shipped at spec.versions[0].schema"),
		Entry("a rule of the projects' CRD is gone", alterCRD("secretprojects.secretreview.dev", func(s *apiextensionsv1.JSONSchemaProps) {
			s.XValidations = nil
		}), "CustomResourceDefinition secretprojects.secretreview.dev is not as shipped at spec.versions[0].schema"),
	)

	It("learns of what was weakened and put right while it was down", func(ctx context.Context) {
		first := start()
		before := first.eventually(isIntact)
		first.stop()
		alterPolicy(guard.IdentityPolicy, func(p *admissionv1.ValidatingAdmissionPolicy) { p.Spec.Validations = p.Spec.Validations[1:] })(ctx)
		reinstall(ctx)
		after := start().eventually(isIntact)
		Expect(after.Epoch).NotTo(BeElementOf(before.Epoch, before.Epoch+1), "nobody can foresee it")
	})

	It("takes no epoch's number again when its record is lost", func(ctx context.Context) {
		running := start()
		before := running.eventually(isIntact)
		Expect(admin.Delete(ctx, record)).To(Succeed())
		running.clock.Step(guard.DefaultInterval)
		after := running.eventually(func(s guard.State) bool { return s.Intact && s.Epoch != before.Epoch })
		Expect(after.Epoch).NotTo(BeElementOf(before.Epoch, before.Epoch+1), "nobody can foresee it")
		running.stop()

		change := proposed(ctx, production)
		change.Status.Admission = &v1alpha1.AdmissionRecord{Epoch: after.Epoch}
		Expect(as(manager).Status().Update(ctx, change)).To(Succeed())
		Expect(admin.Delete(ctx, record)).To(Succeed())
		Expect(start().eventually(isIntact).Epoch).NotTo(BeElementOf(after.Epoch, after.Epoch+1))
	})

	It("vouches for nothing when it does not know the lists", func() {
		state := startGuard(server.UserConfig(manager), guard.Options{}).eventually(func(s guard.State) bool { return s.Epoch > 0 })
		Expect(state.Intact).To(BeFalse())
		Expect(state.Reason).To(ContainSubstring("secretreview-identity is not as shipped at spec.variables[1].expression"))
	})

	It("vouches for nothing when it cannot try", func(ctx context.Context) {
		allowedEverywhere(ctx, "blind", rule("admissionregistration.k8s.io", []string{"*"}, "get", "list", "watch"),
			rule("apiextensions.k8s.io", []string{"*"}, "get", "list", "watch"), rule("", []string{"configmaps"}, "get"),
			rule(v1alpha1.GroupName, []string{"secretchanges"}, "list"))
		settle(ctx)
		running := startGuard(server.UserConfig("blind"), names)
		state := running.eventually(func(s guard.State) bool {
			return strings.Contains(s.Reason, "an honest change in secretreview-system was not let in on trial")
		})
		Expect(state.Intact).To(BeFalse())
	})

	It("vouches for nothing once it has been out of touch for too long, and goes on after that", func() {
		var cut atomic.Bool
		config := server.UserConfig(manager)
		config.Wrap(func(wire http.RoundTripper) http.RoundTripper { return cutWire{wire, &cut} })
		running := startGuard(config, names)
		before := running.eventually(isIntact)
		running.told()

		cut.Store(true)
		running.clock.Step(guard.DefaultInterval)
		Expect(running.State().Intact).To(BeTrue(), "a short outage is none")
		running.clock.Step(guard.DefaultMaxSilence)
		Expect(running.State().Intact).To(BeFalse())
		running.told()
		Expect(running.eventually(isLapsed).Reason).To(ContainSubstring("not been proven for 5m0s"))

		cut.Store(false)
		after := running.eventually(isIntact)
		Expect(after.Epoch).To(Equal(before.Epoch))
	})
})

var _ = Describe("the guard of an API server that enforces no policies", func() {
	It("sees through policies that are as shipped", func(ctx context.Context) {
		other := cluster.Run(GinkgoTB(), cluster.Options{APIServerArgs: []string{"--disable-admission-plugins=ValidatingAdmissionPolicy"}})
		brief, cancel := context.WithTimeout(ctx, 40*time.Second)
		defer cancel()
		Expect(install.Apply(brief, other.AdminConfig(), install.Options{})).To(MatchError(ContainSubstring("the identity policy is not enforced")))
		state := startGuard(other.UserConfig(manager), guard.Options{}).eventually(func(s guard.State) bool {
			return strings.Contains(s.Reason, "as shipped but not enforced: the API server let in a forged proposer")
		})
		Expect(state.Intact).To(BeFalse())
	})
})

func alterPolicy(name string, alter func(p *admissionv1.ValidatingAdmissionPolicy)) func(ctx context.Context) {
	return func(ctx context.Context) {
		policy := &admissionv1.ValidatingAdmissionPolicy{}
		Expect(admin.Get(ctx, client.ObjectKey{Name: name}, policy)).To(Succeed())
		alter(policy)
		Expect(admin.Update(ctx, policy)).To(Succeed())
	}
}

func alterCRD(name string, alter func(s *apiextensionsv1.JSONSchemaProps)) func(ctx context.Context) {
	return func(ctx context.Context) {
		Eventually(func(g Gomega) {
			crd := &apiextensionsv1.CustomResourceDefinition{}
			g.Expect(admin.Get(ctx, client.ObjectKey{Name: name}, crd)).To(Succeed())
			alter(crd.Spec.Versions[0].Schema.OpenAPIV3Schema)
			g.Expect(admin.Update(ctx, crd)).To(Succeed())
		}).Should(Succeed())
	}
}
