package argocd_test

import (
	"os"
	"path/filepath"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/health"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/sync/common"
	argocommon "github.com/argoproj/argo-cd/v3/common"
	argov1alpha1 "github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/dev/stack"
)

const (
	syncOptions = common.AnnotationSyncOptions
	syncWave    = common.AnnotationSyncWave
	onlyGrow    = "reviews only grow"
	// clientSide is what sr prints without ServerSideApply=true.
	clientSide = "Prune=false,Delete=false"
)

func approval(reviewer string) v1alpha1.Review {
	return v1alpha1.Review{Reviewer: reviewer, Verdict: v1alpha1.VerdictApproved}
}

// inSync says that Argo CD finds no difference, in any way of comparing that an application may have.
func inSync(app *application) {
	GinkgoHelper()
	status := app.refresh()
	Expect(status.Status.Conditions).To(BeEmpty())
	Expect(outOfSync(status)).To(BeEmpty())
	Expect(status.Status.Sync.Status).To(Equal(argov1alpha1.SyncStatusCodeSynced))
}

var _ = Describe("A change that Argo CD applies", func() {
	DescribeTable("keeps the reviews that are added in the cluster, which are no drift, until it is live and afterwards",
		func(ctx SpecContext, options ...func(*argov1alpha1.Application)) {
			change := fromGit(newEnvironment(ctx, 2))
			name := change.GetName()
			app := newApplication(holding(change), options...)
			Expect(outOfSync(app.refresh())).To(ConsistOf(name))
			app.synced()
			awaitPhase(name, v1alpha1.PhasePending)
			Expect(get(name).Spec.ProposedBy).To(Equal(stack.Alice))
			check := func(reviews ...string) {
				GinkgoHelper()
				inSync(app)
				Expect(messageOf(app.synced(), name)).To(ContainSubstring("serverside-applied"))
				Expect(reviewers(get(name))).To(ConsistOf(reviews))
			}
			check()
			approve(stack.Bob, name)
			check(stack.Bob)
			approve(stack.Carol, name)
			awaitPhase(name, v1alpha1.PhaseApplied)
			check(stack.Bob, stack.Carol)
		},
		Entry("as Argo CD compares by itself"),
		Entry("with ServerSideDiff", serverSideDiff),
	)

	It("is left alone by an application that heals itself", func(ctx SpecContext) {
		change := fromGit(newEnvironment(ctx, 2))
		name := change.GetName()
		app := newApplication(holding(change), automated)
		awaitPhase(name, v1alpha1.PhasePending)
		first := app.ended()
		approve(stack.Bob, name)
		inSync(app)
		approve(stack.Carol, name)
		awaitPhase(name, v1alpha1.PhaseApplied)
		inSync(app)
		Expect(app.get().Status.OperationState.StartedAt).To(Equal(first.StartedAt), "nothing was synchronized again")
		Expect(reviewers(get(name))).To(ConsistOf(stack.Bob, stack.Carol))
	})

	It("keeps the reviews of Git beside those of the cluster", func(ctx SpecContext) {
		change := fromGit(newEnvironment(ctx, 2))
		name := change.GetName()
		app := newApplication(holding(change))
		app.synced()
		awaitPhase(name, v1alpha1.PhasePending)
		app.commit(withReviews(change, approval(stack.Bob)))
		app.synced()
		Eventually(func() string { return get(name).Status.Approvals }).Should(Equal("1/2"))
		approve(stack.Carol, name)
		awaitPhase(name, v1alpha1.PhaseApplied)
		inSync(app)
		app.synced()
		Expect(reviewers(get(name))).To(ConsistOf(stack.Bob, stack.Carol))
	})

	It("does not get back an approval that its reviewer has taken back in the cluster: the sync fails", func(ctx SpecContext) {
		change := withReviews(fromGit(newEnvironment(ctx, 2)), approval(stack.Bob))
		name := change.GetName()
		app := newApplication(holding(change))
		app.synced()
		reject(stack.Bob, name)
		awaitPhase(name, v1alpha1.PhaseRejected)
		Expect(outOfSync(app.refresh())).To(ConsistOf(name))
		failed := app.sync()
		Expect(failed.Phase).To(Equal(common.OperationFailed))
		Expect(messageOf(failed, name)).To(ContainSubstring(onlyGrow))
		Expect(get(name).Spec.Reviews[0].Verdict).To(Equal(v1alpha1.VerdictRejected))
	})

	It("cannot be altered by altering the manifest", func(ctx SpecContext) {
		change := fromGit(newEnvironment(ctx, 1))
		app := newApplication(holding(change))
		app.synced()
		altered := change.DeepCopy()
		Expect(unstructured.SetNestedField(altered.Object, "something else", "spec", "reason")).To(Succeed())
		app.commit(altered)
		failed := app.sync()
		Expect(failed.Phase).To(Equal(common.OperationFailed))
		Expect(messageOf(failed, change.GetName())).To(ContainSubstring("reason is immutable"))
	})

	DescribeTable("is refused where the account is no listed applier, whatever RBAC gives it", func(ctx SpecContext, project string) {
		change := fromGit(newEnvironment(ctx, 1))
		failed := newApplication(holding(change), in(project)).sync()
		Expect(failed.Phase).To(Equal(common.OperationFailed))
		Expect(messageOf(failed, change.GetName())).To(ContainSubstring("may not propose in the name of alice"))
		Expect(exists(change)).To(BeFalse())
	},
		Entry("a ServiceAccount that has all the roles", unlisted),
		Entry("Argo CD's own controller, which may do everything", plain),
	)

	It("is compared by the controller's own account with ServerSideDiff, which may not name who reviewed in Git", func(ctx SpecContext) {
		change := fromGit(newEnvironment(ctx, 2))
		newApplication(holding(change)).synced()
		account, err := world.Cluster().ServiceAccountConfig(ctx, argoNamespace, argocommon.DefaultApplicationControllerName)
		Expect(err).NotTo(HaveOccurred())
		kubeconfig, manifest := filepath.Join(GinkgoT().TempDir(), "kubeconfig"), filepath.Join(GinkgoT().TempDir(), "change.yaml")
		Expect(world.Cluster().WriteKubeconfig(kubeconfig, cluster.Context{Name: "argocd", Config: account})).To(Succeed())
		dryRun := func(change *unstructured.Unstructured) error {
			text, err := yaml.Marshal(change.Object)
			Expect(err).NotTo(HaveOccurred())
			Expect(os.WriteFile(manifest, text, 0o600)).To(Succeed())
			_, err = try(stack.Admin, "kubectl", "--kubeconfig", kubeconfig, "apply", "--server-side", "--force-conflicts", "--dry-run=server",
				"--field-manager", argocommon.ArgoCDSSAManager, "-f", manifest)
			return err
		}
		Expect(dryRun(change)).To(Succeed())
		Expect(dryRun(withReviews(change, approval(stack.Bob)))).To(MatchError(ContainSubstring("argocd-application-controller may not review")))
	})
})

var _ = Describe("Without server-side apply", func() {
	It("reviews that are added in the cluster survive, as long as Git has none", func(ctx SpecContext) {
		change := withAnnotation(fromGit(newEnvironment(ctx, 2)), syncOptions, clientSide)
		name := change.GetName()
		app := newApplication(holding(change))
		app.synced()
		awaitPhase(name, v1alpha1.PhasePending)
		approve(stack.Bob, name)
		inSync(app)
		Expect(messageOf(app.synced(), name)).NotTo(ContainSubstring("serverside"))
		Expect(reviewers(get(name))).To(ConsistOf(stack.Bob))
	})

	It("Git's list of reviews would be written over the cluster's: it is drift, and the sync fails", func(ctx SpecContext) {
		change := withReviews(withAnnotation(fromGit(newEnvironment(ctx, 3)), syncOptions, clientSide), approval(stack.Bob))
		name := change.GetName()
		app := newApplication(holding(change))
		app.synced()
		awaitPhase(name, v1alpha1.PhasePending)
		approve(stack.Carol, name)
		Expect(outOfSync(app.refresh())).To(ConsistOf(name))
		failed := app.sync()
		Expect(failed.Phase).To(Equal(common.OperationFailed))
		Expect(messageOf(failed, name)).To(ContainSubstring(onlyGrow))
		Expect(reviewers(get(name))).To(ConsistOf(stack.Bob, stack.Carol))
	})

	DescribeTable("replacing instead of applying cannot take reviews away", func(ctx SpecContext, option, refusal string) {
		change := fromGit(newEnvironment(ctx, 2))
		name := change.GetName()
		app := newApplication(holding(change))
		app.synced()
		awaitPhase(name, v1alpha1.PhasePending)
		approve(stack.Bob, name)
		app.commit(withAnnotation(change, syncOptions, option))
		failed := app.sync()
		Expect(failed.Phase).To(Equal(common.OperationFailed))
		Expect(messageOf(failed, name)).To(ContainSubstring(refusal))
		Expect(reviewers(get(name))).To(ConsistOf(stack.Bob))
	},
		Entry("by Replace", "Replace=true", onlyGrow),
		Entry("by Force", "Force=true,Replace=true", "may not delete the change"),
	)
})

var _ = Describe("Sync waves", func() {
	It("are held by a change that waits for reviewers, newer commits too, and go on once it is live", func(ctx SpecContext) {
		change, after, newer := fromGit(newEnvironment(ctx, 1)), later(), withAnnotation(later(), syncWave, "-1")
		name := change.GetName()
		app := newApplication(holding(change, after), automated)
		awaitPhase(name, v1alpha1.PhasePending)
		Eventually(func() string { return app.get().Status.OperationState.Message }).
			Should(Equal("waiting for healthy state of secretreview.dev/SecretChange/" + name))
		status := app.refresh()
		Expect(healthOf(status, name)).To(And(
			HaveField("Status", health.HealthStatusSuspended), HaveField("Message", "Pending: Waiting for 1 more approval (keys: ~A)")))
		Expect(status.Status.Health.Status).To(Equal(health.HealthStatusSuspended))

		app.commit(change, after, newer)
		Expect(app.refresh().Status.Sync.Status).To(Equal(argov1alpha1.SyncStatusCodeOutOfSync))
		Expect(app.get().Status.OperationState.Phase).To(Equal(common.OperationRunning))
		Expect(exists(after)).To(BeFalse())
		Expect(exists(newer)).To(BeFalse())

		approve(stack.Bob, name)
		awaitPhase(name, v1alpha1.PhaseApplied)
		Eventually(func() bool { return exists(after) }).Should(BeTrue())
		Eventually(func() bool { return exists(newer) }).Should(BeTrue())
		Eventually(func() health.HealthStatusCode { return app.refresh().Status.Health.Status }).Should(Equal(health.HealthStatusHealthy))
	})

	It("end with a change that is rejected, and so does each sync after it until the file is gone", func(ctx SpecContext) {
		change, after := fromGit(newEnvironment(ctx, 1)), later()
		name := change.GetName()
		app := newApplication(holding(change, after))
		app.begin()
		awaitPhase(name, v1alpha1.PhasePending)
		reject(stack.Bob, name)
		failed := app.ended()
		for range 2 {
			Expect(failed.Phase).To(Equal(common.OperationFailed))
			Expect(failed.Message).To(ContainSubstring("one or more synchronization tasks completed unsuccessfully"))
			Expect(messageOf(failed, name)).To(Equal(`Rejected: Rejected by "bob" (keys: ~A)`))
			Expect(exists(after)).To(BeFalse())
			failed = app.sync()
		}
		app.commit(after)
		app.synced()
		Expect(exists(after)).To(BeTrue())
	})

	It("do not hold what is in the wave of the change, if that is the last one", func(ctx SpecContext) {
		change := withAnnotation(fromGit(newEnvironment(ctx, 1)), syncWave, "2")
		before, beside := later(), withAnnotation(later(), syncWave, "2")
		app := newApplication(holding(change, before, beside))
		app.synced()
		Expect(exists(before)).To(BeTrue())
		Expect(exists(beside)).To(BeTrue())
		awaitPhase(change.GetName(), v1alpha1.PhasePending)
	})
})

var _ = Describe("A change whose file is deleted from Git", func() {
	var app *application
	var name string
	var other *unstructured.Unstructured

	BeforeEach(func(ctx SpecContext) {
		change := fromGit(newEnvironment(ctx, 1))
		other = withAnnotation(later(), syncWave, "")
		name = change.GetName()
		app = newApplication(holding(change, other), automated)
		awaitPhase(name, v1alpha1.PhasePending)
		reject(stack.Bob, name)
		awaitPhase(name, v1alpha1.PhaseRejected)
		app.commit(other)
	})

	It("stays in the cluster, as history, and is no drift", func() {
		Expect(app.refresh().Status.Sync.Status).To(Equal(argov1alpha1.SyncStatusCodeSynced))
		Expect(messageOf(app.synced(), name)).To(Equal("ignored (no prune)"))
		Expect(get(name).DeletionTimestamp).To(BeNil())
	})

	It("would be drift without the annotation that sr writes", func(ctx SpecContext) {
		change := withAnnotation(fromGit(newEnvironment(ctx, 1)), argocommon.AnnotationCompareOptions, "")
		beside := withAnnotation(later(), syncWave, "")
		app := newApplication(holding(change, beside))
		app.synced()
		app.commit(beside)
		status := app.refresh()
		Expect(status.Status.Sync.Status).To(Equal(argov1alpha1.SyncStatusCodeOutOfSync))
		Expect(outOfSync(status)).To(ConsistOf(change.GetName()))
	})

	It("lends the application its health until Argo CD's mark is taken off it, which its proposer may", func() {
		Expect(app.refresh().Status.Health.Status).To(Equal(health.HealthStatusDegraded))
		run(stack.Alice, "kubectl", "annotate", "schg", name, argocommon.AnnotationKeyAppInstance+"-")
		Eventually(func() health.HealthStatusCode { return app.refresh().Status.Health.Status }).Should(Equal(health.HealthStatusHealthy))
		Expect(get(name).Status.Phase).To(Equal(v1alpha1.PhaseRejected))
	})

	It("outlives the application", func(ctx SpecContext) {
		run(stack.Admin, "kubectl", "patch", "application", app.name, "-n", argoNamespace, "--type=merge",
			"-p", `{"metadata":{"finalizers":["`+argov1alpha1.ResourcesFinalizerName+`"]}}`)
		apps := argocd.ArgoprojV1alpha1().Applications(argoNamespace)
		Expect(apps.Delete(ctx, app.name, metav1.DeleteOptions{})).To(Succeed())
		Eventually(func() error {
			_, err := apps.Get(ctx, app.name, metav1.GetOptions{})
			return err
		}).Should(MatchError(ContainSubstring("not found")))
		Expect(exists(other)).To(BeFalse())
		Expect(get(name).DeletionTimestamp).To(BeNil())
	})
})
