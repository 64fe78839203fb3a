package flux_test

import (
	"context"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/config"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/test/dev/stack"
)

// expiring is the name of a change that is proposed first, because nothing expires within less than a minute.
var expiring string

func proposeExpiring(ctx context.Context) {
	GinkgoHelper()
	expiring = here.propose(ctx, here.environment(ctx, v1alpha1.Environment{ChangeTTL: &metav1.Duration{Duration: time.Minute}}), second)
}

// stored is an object as the API server has it.
func (l *local) stored(ctx context.Context, kind, name string) *unstructured.Unstructured {
	GinkgoHelper()
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
	Expect(l.admin.Get(ctx, client.ObjectKey{Namespace: stack.Namespace, Name: name}, object)).To(Succeed())
	return object
}

// health is what Flux, and everybody else who asks kstatus, makes of an object.
func health(object *unstructured.Unstructured) status.Status {
	GinkgoHelper()
	result, err := status.Compute(object)
	Expect(err).NotTo(HaveOccurred())
	return result.Status
}

func healthOfChanges() {
	propose := func(ctx context.Context, policy v1alpha1.Environment) (environment, change string) {
		GinkgoHelper()
		environment = here.environment(ctx, policy)
		return environment, here.propose(ctx, environment, second)
	}
	approved := func(ctx context.Context, policy v1alpha1.Environment) string {
		GinkgoHelper()
		_, change := propose(ctx, policy)
		here.await(ctx, change, v1alpha1.PhasePending)
		here.approve(ctx, stack.Bob, change)
		return change
	}

	DescribeTable("follows its phase", func(ctx SpecContext, phase v1alpha1.Phase, want status.Status, story func(context.Context) string) {
		name := story(ctx)
		here.await(ctx, name, phase)
		Expect(health(here.stored(ctx, "SecretChange", name))).To(Equal(want))
	},
		Entry("pending", v1alpha1.PhasePending, status.InProgressStatus, func(ctx context.Context) string {
			_, change := propose(ctx, v1alpha1.Environment{})
			return change
		}),
		Entry("approved, and held by a freeze", v1alpha1.PhaseApproved, status.InProgressStatus, func(ctx context.Context) string {
			return approved(ctx, v1alpha1.Environment{Suspend: ptr.To(true)})
		}),
		Entry("applied", v1alpha1.PhaseApplied, status.CurrentStatus, func(ctx context.Context) string {
			return approved(ctx, v1alpha1.Environment{})
		}),
		Entry("rejected", v1alpha1.PhaseRejected, status.FailedStatus, func(ctx context.Context) string {
			_, change := propose(ctx, v1alpha1.Environment{})
			here.reject(ctx, stack.Bob, change)
			return change
		}),
		Entry("conflicted", v1alpha1.PhaseConflicted, status.FailedStatus, func(ctx context.Context) string {
			environment, slower := propose(ctx, v1alpha1.Environment{})
			here.await(ctx, slower, v1alpha1.PhasePending)
			here.outlast(ctx, slower)
			faster := here.propose(ctx, environment, "faster-token")
			here.approve(ctx, stack.Bob, faster)
			return slower
		}),
		Entry("invalid, as one too many", v1alpha1.PhaseInvalid, status.FailedStatus, func(ctx context.Context) string {
			environment, allowed := propose(ctx, v1alpha1.Environment{PendingLimit: ptr.To[int32](1)})
			here.await(ctx, allowed, v1alpha1.PhasePending)
			return here.propose(ctx, environment, "third-token")
		}),
		Entry("expired", v1alpha1.PhaseExpired, status.FailedStatus, func(context.Context) string { return expiring }),
	)

	It("is in progress before the manager has seen it", func(ctx SpecContext) {
		printed, _ := here.manifest(ctx, here.environment(ctx, v1alpha1.Environment{}), second)
		fresh := &unstructured.Unstructured{}
		Expect(yaml.Unmarshal([]byte(printed), &fresh.Object)).To(Succeed())
		Expect(health(fresh)).To(Equal(status.CurrentStatus), "kstatus believes in what has no status")
		alice, err := client.New(here.Cluster().UserConfig(stack.Alice), client.Options{})
		Expect(err).NotTo(HaveOccurred())
		Expect(alice.Create(ctx, fresh, client.DryRunAll)).To(Succeed(), "as it would be stored")
		Expect(fresh.Object).To(HaveKeyWithValue("status", map[string]any{"observedGeneration": int64(-1)}))
		Expect(health(fresh)).To(Equal(status.InProgressStatus))
	})

	It("is in progress also where it was stored without any status", func(ctx SpecContext) {
		printed, change := here.manifest(ctx, here.environment(ctx, v1alpha1.Environment{}), second)
		object := &unstructured.Unstructured{}
		Expect(yaml.Unmarshal([]byte(printed), &object.Object)).To(Succeed())
		object.SetAPIVersion(older + "/" + v1alpha1.GroupVersion.Version)
		crd := copiedCRD(change.GroupVersionKind().Kind)

		By("storing it while the CRD has no defaults, as after an upgrade or a restored backup")
		withoutDefaults := crd.DeepCopy()
		schema := statusSchema(withoutDefaults)
		delete(schema, "default")
		delete(schema["properties"].(map[string]any)["observedGeneration"].(map[string]any), "default")
		Expect(here.admin.Create(ctx, withoutDefaults)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { Expect(here.admin.Delete(ctx, withoutDefaults)).To(Succeed()) })
		stored := object.DeepCopy()
		Eventually(ctx, func() error { return here.admin.Create(ctx, stored) }).Should(Succeed())
		Expect(stored.Object).NotTo(HaveKey("status"))
		Expect(health(stored)).To(Equal(status.CurrentStatus))

		crd.SetResourceVersion(withoutDefaults.GetResourceVersion())
		before := client.MergeFrom(withoutDefaults)
		Expect(here.admin.Patch(ctx, crd, before)).To(Succeed())
		Eventually(ctx, func() (status.Status, error) {
			err := here.admin.Get(ctx, client.ObjectKeyFromObject(stored), stored)
			return health(stored), err
		}).Should(Equal(status.InProgressStatus))
	})
}

// older is the API group of a copy of our CRD, which the manager and the admission policies know nothing of.
const older = "older.example.com"

// copiedCRD is the CRD of a kind in another API group.
func copiedCRD(kind string) *unstructured.Unstructured {
	GinkgoHelper()
	all, err := config.Objects(config.CRDDir)
	Expect(err).NotTo(HaveOccurred())
	for _, crd := range all {
		names := crd.Object["spec"].(map[string]any)["names"].(map[string]any)
		if names["kind"] == kind {
			crd.SetName(names["plural"].(string) + "." + older)
			Expect(unstructured.SetNestedField(crd.Object, older, "spec", "group")).To(Succeed())
			return crd
		}
	}
	Fail("there is no CRD of " + kind)
	return nil
}

func statusSchema(crd *unstructured.Unstructured) map[string]any {
	version := crd.Object["spec"].(map[string]any)["versions"].([]any)[0].(map[string]any)
	schema := version["schema"].(map[string]any)["openAPIV3Schema"].(map[string]any)
	return schema["properties"].(map[string]any)["status"].(map[string]any)
}

func healthOfProjects() {
	const production = "production"

	create := func(ctx context.Context, name string, options ...client.CreateOption) *unstructured.Unstructured {
		GinkgoHelper()
		project := &unstructured.Unstructured{Object: map[string]any{
			"spec": map[string]any{"environments": []any{map[string]any{"name": production}}},
		}}
		project.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("SecretProject"))
		project.SetNamespace(stack.Namespace)
		project.SetName(name)
		Expect(here.admin.Create(ctx, project, options...)).To(Succeed())
		return project
	}

	It("is in progress before the manager has seen it", func(ctx SpecContext) {
		project := create(ctx, newName(), client.DryRunAll)
		Expect(project.Object).To(HaveKeyWithValue("status", map[string]any{"observedGeneration": int64(-1)}))
		Expect(health(project)).To(Equal(status.InProgressStatus))
	})

	DescribeTable("follows its conditions", func(ctx SpecContext, condition, reason string, want status.Status, story func(ctx context.Context, name string)) {
		name := newName()
		story(ctx, name)
		if here.admin.Get(ctx, client.ObjectKey{Namespace: stack.Namespace, Name: name}, &v1alpha1.SecretProject{}) != nil {
			create(ctx, name)
		}
		here.awaitProject(ctx, name, condition, reason)
		Expect(health(here.stored(ctx, "SecretProject", name))).To(Equal(want))
	},
		Entry("ready", v1alpha1.ConditionReady, v1alpha1.ReasonReady, status.CurrentStatus, func(ctx context.Context, name string) {
			here.createLive(ctx, name, production)
		}),
		Entry("without its live secret, which takes a person", v1alpha1.ConditionReady, v1alpha1.ReasonSecretMissing, status.FailedStatus,
			func(context.Context, string) {}),
		Entry("with another cluster's version, which takes a person", v1alpha1.ConditionReady, v1alpha1.ReasonForeignVersion, status.FailedStatus,
			func(ctx context.Context, name string) {
				here.createLive(ctx, name, production)
				here.putVersion(ctx, name, production, naming.VersionLabel(uuid.NewString()))
			}),
		Entry("ready, and drifted", v1alpha1.ConditionInSync, v1alpha1.ReasonDrifted, status.CurrentStatus, func(ctx context.Context, name string) {
			here.createLive(ctx, name, production)
			create(ctx, name)
			here.awaitProject(ctx, name, v1alpha1.ConditionInSync, v1alpha1.ReasonInSync)
			here.putVersion(ctx, name, production, secretstore.LabelCurrent)
		}),
	)
}
