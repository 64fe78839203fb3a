package argocd_test

import (
	"flag"
	"os"
	"path/filepath"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/health"
	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
	"github.com/secretreview/secretreview/test/dev/stack"
)

var update = flag.Bool("update", false, "record the testdata of the health checks anew; health_test.yaml has to be put right by hand")

// expiring is a change that cannot be live in time. It takes a minute, so the suite begins with it.
var expiring string

func proposeExpiring(ctx SpecContext) {
	GinkgoHelper()
	change := fromGit(newEnvironment(ctx, 1, `,"changeTTL":"1m"`))
	expiring = change.GetName()
	newApplication(holding(change)).synced()
}

// recorded reads an object, and asks Argo CD for its health.
func recorded(file, kind, name string) health.HealthStatus {
	GinkgoHelper()
	printed := run(stack.Admin, "kubectl", "get", kind+"."+v1alpha1.GroupName, name, "-o", "yaml")
	return judged(file, printed)
}

func judged(file, manifest string) health.HealthStatus {
	GinkgoHelper()
	object := &unstructured.Unstructured{}
	Expect(yaml.Unmarshal([]byte(manifest), &object.Object)).To(Succeed())
	if *update {
		path := filepath.Join(customizations, v1alpha1.GroupName, object.GetKind(), "testdata", file+".yaml")
		Expect(os.WriteFile(path, []byte(manifest), 0o644)).To(Succeed()) //nolint:gosec // it is committed
	}
	found, err := health.GetResourceHealth(object, argocd.overrides)
	Expect(err).NotTo(HaveOccurred())
	Expect(found).NotTo(BeNil())
	return *found
}

var _ = Describe("The health that Argo CD shows of what the manager has made", func() {
	// stored is a change of a new environment that Argo CD has applied and the manager has checked.
	stored := func(ctx SpecContext, approvals int) (name, environment string) {
		GinkgoHelper()
		environment = newEnvironment(ctx, approvals)
		change := fromGit(environment)
		newApplication(holding(change)).synced()
		awaitPhase(change.GetName(), v1alpha1.PhasePending)
		return change.GetName(), environment
	}
	shows := func(file, name string, status health.HealthStatusCode, message string) {
		GinkgoHelper()
		Expect(recorded(file, "secretchange", name)).To(And(HaveField("Status", status), HaveField("Message", MatchRegexp(message))))
	}

	It("is Progressing for a change that nobody has looked at", func(ctx SpecContext) {
		change, err := yaml.Marshal(fromGit(newEnvironment(ctx, 1)).Object)
		Expect(err).NotTo(HaveOccurred())
		file := filepath.Join(GinkgoT().TempDir(), "change.yaml")
		Expect(os.WriteFile(file, change, 0o600)).To(Succeed())
		printed := run(stack.Alice, "kubectl", "create", "--dry-run=server", "-o", "yaml", "-f", file)
		Expect(judged("progressing_unseen", printed)).To(HaveField("Status", health.HealthStatusProgressing))
	})

	It("is Suspended for one that waits for reviewers", func(ctx SpecContext) {
		name, _ := stored(ctx, 2)
		approve(stack.Bob, name)
		Eventually(func() string { return get(name).Status.Approvals }).Should(Equal("1/2"))
		shows("suspended_pending", name, health.HealthStatusSuspended, `^Pending: Waiting for 1 more approval \(keys: ~A\)$`)
	})

	It("is Progressing for one that is approved, and Healthy once it is live", func(ctx SpecContext) {
		name, environment := stored(ctx, 1)
		setSuspend(environment, true)
		approve(stack.Bob, name)
		awaitPhase(name, v1alpha1.PhaseApproved)
		Eventually(func() string { return get(name).Status.Message }).Should(ContainSubstring("suspended"))
		shows("progressing_approved", name, health.HealthStatusProgressing, `^Approved: Waiting: changes to environment "e-\d+" are suspended \(keys: ~A\)$`)
		setSuspend(environment, false)
		awaitPhase(name, v1alpha1.PhaseApplied)
		shows("healthy_applied", name, health.HealthStatusHealthy, `^Applied: Live as version [0-9a-f-]+ \(keys: ~A\)$`)
	})

	It("is Degraded for one that is rejected, with who did it", func(ctx SpecContext) {
		name, _ := stored(ctx, 1)
		reject(stack.Bob, name)
		awaitPhase(name, v1alpha1.PhaseRejected)
		shows("degraded_rejected", name, health.HealthStatusDegraded, `^Rejected: Rejected by "bob" \(keys: ~A\)$`)
	})

	It("is Degraded for one whose base has moved", func(ctx SpecContext) {
		name, environment := stored(ctx, 1)
		other := fromGit(environment)
		newApplication(holding(other)).synced()
		awaitPhase(other.GetName(), v1alpha1.PhasePending)
		approve(stack.Carol, other.GetName())
		awaitPhase(other.GetName(), v1alpha1.PhaseApplied)
		awaitPhase(name, v1alpha1.PhaseConflicted)
		shows("degraded_conflicted", name, health.HealthStatusDegraded, `^Conflicted: The live version is no longer .*rebase`)
	})

	It("is Degraded for one that is bad", func(ctx SpecContext) {
		change := fromGit(newEnvironment(ctx, 1))
		change.SetName(unique("renamed"))
		newApplication(holding(change)).synced()
		awaitPhase(change.GetName(), v1alpha1.PhaseInvalid)
		shows("degraded_invalid", change.GetName(), health.HealthStatusDegraded, `^Invalid: .+`)
	})

	It("is Degraded for one that has expired", func() {
		awaitPhase(expiring, v1alpha1.PhaseExpired)
		shows("degraded_expired", expiring, health.HealthStatusDegraded, `^Expired: .+`)
	})

	It("is that of the condition Ready for a project", func(ctx SpecContext) {
		const name = "shop"
		file := filepath.Join(GinkgoT().TempDir(), "project.json")
		Expect(os.WriteFile(file, []byte(`{"apiVersion":"secretreview.dev/v1alpha1","kind":"SecretProject",`+
			`"metadata":{"name":"`+name+`"},"spec":{"environments":[{"name":"production"}]}}`), 0o600)).To(Succeed())
		becomes := func(file string, status health.HealthStatusCode, message string) {
			GinkgoHelper()
			Eventually(func() health.HealthStatus { return recorded(file, "secretproject", name) }).
				Should(And(HaveField("Status", status), HaveField("Message", MatchRegexp(message))))
		}
		printed := run(stack.Admin, "kubectl", "create", "--dry-run=server", "-o", "yaml", "-f", file)
		Expect(judged("progressing_unseen", printed).Status).To(Equal(health.HealthStatusProgressing))
		run(stack.Admin, "kubectl", "create", "-f", file)
		DeferCleanup(func() { run(stack.Admin, "kubectl", "delete", "sproj", name) })
		becomes("degraded_secretMissing", health.HealthStatusDegraded, `^Environment "production": `)
		live := createLive(ctx, name, "production")
		becomes("healthy_ready", health.HealthStatusHealthy, `^The environment can be served$`)
		By("somebody's edit in AWS")
		store, err := world.Store(ctx, stack.Admin)
		Expect(err).NotTo(HaveOccurred())
		edit := secretstore.PutInput{ID: live.Name, VersionID: uuid.NewString(), Value: sensitive.New(`{"A":"2"}`), Labels: []string{secretstore.LabelCurrent}}
		Expect(store.Put(ctx, edit)).To(Succeed())
		becomes("healthy_drifted", health.HealthStatusHealthy, `^The environment can be served. Drift: Environment "production": version .* is live`)
	})
})

// setSuspend begins or ends a change freeze.
func setSuspend(environment string, suspend bool) {
	GinkgoHelper()
	project := &v1alpha1.SecretProject{}
	Eventually(func() error {
		if err := admin.Get(GinkgoT().Context(), client.ObjectKey{Namespace: stack.Namespace, Name: stack.Project}, project); err != nil {
			return err
		}
		for i := range project.Spec.Environments {
			if project.Spec.Environments[i].Name == environment {
				project.Spec.Environments[i].Suspend = &suspend
			}
		}
		return admin.Update(GinkgoT().Context(), project)
	}).Should(Succeed())
}
