package flux_test

import (
	"context"
	"strings"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/test/dev/stack"
)

const second = "second-token"

func applying() {
	var repo *repository

	BeforeEach(func(ctx SpecContext) { repo = here.repository(ctx) })

	// commit pushes the manifest of a new change.
	commit := func(ctx context.Context, environment string) (change, revision string) {
		GinkgoHelper()
		printed, proposed := here.manifest(ctx, environment, second)
		repo.write(fileOf(proposed.Name), printed)
		return proposed.Name, repo.push(ctx)
	}
	changes := func(ctx context.Context) *kustomization {
		GinkgoHelper()
		return repo.kustomization(ctx, "changes.yaml", "demo-changes", nil)
	}

	It("waits for a change, leaves its reviews alone, and goes on once it is live", func(ctx SpecContext) {
		environment := here.environment(ctx, v1alpha1.Environment{RequiredApprovals: ptr.To[int32](2)})
		name, revision := commit(ctx, environment)
		waiting := changes(ctx)
		deployed := repo.kustomization(ctx, "changes.yaml", "demo", nil)

		By("waiting")
		here.await(ctx, name, v1alpha1.PhasePending)
		waiting.awaitHealthCheck(ctx, revision)
		deployed.awaitFailure(ctx, "", meta.DependencyNotReadyReason, "")

		By("applying again after a commit, with a review there")
		here.approve(ctx, stack.Bob, name)
		repo.write("README.md", "more")
		revision = repo.push(ctx)
		waiting.awaitHealthCheck(ctx, revision)
		Expect(here.change(ctx, name).Spec.Reviews).To(ConsistOf(HaveField("Reviewer", stack.Bob)))
		here.await(ctx, name, v1alpha1.PhasePending)
		Expect(here.live(ctx, environment)).To(ContainSubstring(first))

		By("going live")
		here.approve(ctx, stack.Carol, name)
		waiting.awaitReady(ctx, revision)
		deployed.awaitReady(ctx, revision)
		change := here.change(ctx, name)
		Expect(change.Status.Phase).To(Equal(v1alpha1.PhaseApplied))
		Expect(change.Status.Decision.Approvers).To(ConsistOf(stack.Bob, stack.Carol))
		Expect(here.live(ctx, environment)).To(ContainSubstring(second))

		By("keeping it as history when Git forgets it, when Git remembers it, and when the Kustomization goes")
		manifest := repo.remove(fileOf(name))
		waiting.awaitReady(ctx, repo.push(ctx))
		Expect(waiting.object.Status.Inventory.Entries).To(BeEmpty())
		repo.write(fileOf(name), manifest)
		waiting.awaitReady(ctx, repo.push(ctx))
		Expect(waiting.object.Status.Inventory.Entries).To(HaveLen(1))
		waiting.delete(ctx)
		Expect(here.change(ctx, name)).To(And(HaveField("UID", change.UID), HaveField("DeletionTimestamp", BeNil())))
	})

	It("applies what was proposed and reviewed in Git, with nothing else to be done", func(ctx SpecContext) {
		environment := here.environment(ctx, v1alpha1.Environment{})
		printed, change := here.manifest(ctx, environment, second)
		repo.write(fileOf(change.Name), printed+"  reviews:\n  - reviewer: bob\n    verdict: Approved\n    comment: in pull request 7\n")
		revision := repo.push(ctx)
		changes(ctx).awaitReady(ctx, revision)
		applied := here.change(ctx, change.Name)
		Expect(applied.Spec.ProposedBy).To(Equal(stack.Alice))
		Expect(applied.Status.Decision.Approvers).To(ConsistOf(stack.Bob))
		Expect(here.live(ctx, environment)).To(ContainSubstring(second))
	})

	It("fails with a change that is rejected, and recovers when Git forgets it", func(ctx SpecContext) {
		name, revision := commit(ctx, here.environment(ctx, v1alpha1.Environment{}))
		failing := changes(ctx)
		here.await(ctx, name, v1alpha1.PhasePending)
		failing.awaitHealthCheck(ctx, revision)
		here.reject(ctx, stack.Bob, name)
		failing.awaitFailure(ctx, revision, meta.HealthCheckFailedReason, "SecretChange/demo/"+name+" status: 'Failed'")
		repo.remove(fileOf(name))
		failing.awaitReady(ctx, repo.push(ctx))
	})

	It("recovers from a conflict when Git has the rebased change in place of the old one", func(ctx SpecContext) {
		environment := here.environment(ctx, v1alpha1.Environment{})
		old, revision := commit(ctx, environment)
		failing := changes(ctx)
		here.await(ctx, old, v1alpha1.PhasePending)
		here.outlast(ctx, old)
		faster := here.propose(ctx, environment, "faster-token")
		here.approve(ctx, stack.Bob, faster)
		failing.awaitFailure(ctx, revision, meta.HealthCheckFailedReason, old)
		Expect(here.change(ctx, old).Status.Phase).To(Equal(v1alpha1.PhaseConflicted))

		printed := here.sr(ctx, stack.Alice, "rebase", old, "--ours", key, "-o", "yaml")
		rebased := parse(printed)
		repo.remove(fileOf(old))
		repo.write(fileOf(rebased.Name), printed)
		revision = repo.push(ctx)
		here.await(ctx, rebased.Name, v1alpha1.PhasePending)
		here.approve(ctx, stack.Bob, rebased.Name)
		failing.awaitReady(ctx, revision)
		Expect(here.live(ctx, environment)).To(ContainSubstring(second))
	})

	It("does not wait for reviews where it is told not to, and still fails with what is rejected", func(ctx SpecContext) {
		name, revision := commit(ctx, here.environment(ctx, v1alpha1.Environment{RequiredApprovals: ptr.To[int32](2)}))
		hasty := repo.kustomization(ctx, "not-waiting.yaml", "demo-changes", nil)
		hasty.awaitReady(ctx, revision)
		here.await(ctx, name, v1alpha1.PhasePending)

		By("applying again when asked, with a review there")
		here.approve(ctx, stack.Bob, name)
		hasty.reconcile(ctx)
		hasty.awaitReady(ctx, revision)
		Expect(here.change(ctx, name).Spec.Reviews).To(ConsistOf(HaveField("Reviewer", stack.Bob)))

		here.reject(ctx, stack.Carol, name)
		hasty.reconcile(ctx)
		hasty.awaitFailure(ctx, revision, meta.HealthCheckFailedReason, name)
	})

	It("cannot alter a change by altering Git, not even by force", func(ctx SpecContext) {
		name, revision := commit(ctx, here.environment(ctx, v1alpha1.Environment{}))
		patient := changes(ctx)
		patient.awaitHealthCheck(ctx, revision)
		uid := here.change(ctx, name).UID
		printed := repo.read(fileOf(name))
		repo.write(fileOf(name), replaced(printed, "reason: Rotate the token", "reason: Something else"))
		patient.awaitFailure(ctx, repo.push(ctx), meta.ReconciliationFailedReason, "reason is immutable")

		before := client.MergeFrom(patient.object.DeepCopy())
		patient.object.Spec.Force = true
		Expect(here.admin.Patch(ctx, patient.object, before)).To(Succeed())
		patient.awaitFailure(ctx, patient.object.Status.LastAttemptedRevision, meta.ReconciliationFailedReason, "may not delete the change "+name)
		Expect(here.change(ctx, name).UID).To(Equal(uid))
	})

	It("takes no review away that kubectl added, and says so until Git has it, too", func(ctx SpecContext) {
		name, revision := commit(ctx, here.environment(ctx, v1alpha1.Environment{RequiredApprovals: ptr.To[int32](2)}))
		patient := changes(ctx)
		patient.awaitHealthCheck(ctx, revision)
		here.kubectl(ctx, stack.Bob, "patch", "schg", name, "--type=json", "-p",
			`[{"op":"add","path":"/spec/reviews/-","value":{"reviewer":"bob","verdict":"Approved"}}]`)
		repo.write("README.md", "more")
		patient.awaitFailure(ctx, repo.push(ctx), meta.ReconciliationFailedReason, "reviews only grow")
		Expect(here.change(ctx, name).Spec.Reviews).To(HaveLen(1))
		repo.write(fileOf(name), repo.read(fileOf(name))+"  reviews:\n  - reviewer: bob\n    verdict: Approved\n")
		patient.awaitHealthCheck(ctx, repo.push(ctx))
	})

	It("cannot delete a change whose manifest has lost the annotation against that", func(ctx SpecContext) {
		printed, change := here.manifest(ctx, here.environment(ctx, v1alpha1.Environment{}), second)
		repo.write(fileOf(change.Name), replaced(printed, "kustomize.toolkit.fluxcd.io/prune: disabled", "kustomize.toolkit.fluxcd.io/prune: enabled"))
		pruning := changes(ctx)
		pruning.awaitHealthCheck(ctx, repo.push(ctx))
		repo.remove(fileOf(change.Name))
		pruning.awaitFailure(ctx, repo.push(ctx), meta.PruneFailedReason, "may not delete the change "+change.Name)
		Expect(here.change(ctx, change.Name).DeletionTimestamp).To(BeNil())
	})

	DescribeTable("applies nothing in the names of others under an account that is not listed", func(ctx SpecContext, account, user string) {
		name, revision := commit(ctx, here.environment(ctx, v1alpha1.Environment{}))
		refused := repo.kustomization(ctx, "changes.yaml", "demo-changes", func(spec *kustomizev1.KustomizationSpec) { spec.ServiceAccountName = account })
		refused.awaitFailure(ctx, revision, meta.ReconciliationFailedReason, user+" may not propose in the name of alice")
		key := client.ObjectKey{Namespace: stack.Namespace, Name: name}
		Expect(apierrors.IsNotFound(here.admin.Get(ctx, key, &v1alpha1.SecretChange{}))).To(BeTrue())
	},
		Entry("of a tenant", unlisted, "system:serviceaccount:flux-system:"+unlisted),
		Entry("of the controller, although it is a cluster administrator", "", "system:serviceaccount:flux-system:kustomize-controller"),
	)
}

// fileOf is where a change's manifest is kept.
func fileOf(change string) string { return "changes/" + change + ".yaml" }

func replaced(text, old, changed string) string {
	GinkgoHelper()
	Expect(text).To(ContainSubstring(old))
	return strings.Replace(text, old, changed, 1)
}
