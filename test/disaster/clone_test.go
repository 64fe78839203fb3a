package disaster_test

import (
	"context"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/install"
)

// becomes puts another cluster's etcd in the place of a site's own, as a clone of that cluster has it, UIDs and all.
func (s *site) becomes(ctx context.Context, backup string) {
	GinkgoHelper()
	s.stopManager()
	Expect(s.cluster.Restore(ctx, backup)).To(Succeed())
	// The ServiceAccount is the other cluster's, and a token is of one ServiceAccount.
	config := s.account(ctx, install.Namespace, install.ServiceAccount)
	Expect(s.cluster.WriteKubeconfig(s.kubeconfig["manager"], cluster.Context{Name: "manager", Namespace: namespace, Config: config})).To(Succeed())
	s.startManager()
}

var _ = Describe("A cluster that is cloned from its etcd, name and all", func() {
	It("makes a change live once though both decide it, and holds the clone once one has gone on", func(ctx SpecContext) {
		aws := newAccount("production")
		original := newSite(aws)
		original.createProject(map[string]int32{"production": 1})
		Eventually(original.ready).Should(Equal(v1alpha1.ReasonReady))
		original.apply("production", "2", "bob")
		both := original.propose("production", "3")
		backup := filepath.Join(original.dir, "backup")
		Expect(original.cluster.Backup(ctx, backup)).To(Succeed())
		clone := newSite(aws)
		clone.becomes(ctx, backup)
		Expect(clone.change(both).UID).To(Equal(original.change(both).UID))

		By("approved in both, it is live once")
		moves := aws.moves()
		original.approve("bob", both)
		clone.approve("carol", both, "--without-values")
		for _, site := range []*site{original, clone} {
			Eventually(func() v1alpha1.Phase { return site.change(both).Status.Phase }).Should(BeElementOf(v1alpha1.PhaseApplied, v1alpha1.PhaseConflicted))
			Expect(site.change(both).Status.Message).NotTo(BeEmpty())
		}
		Expect(aws.moves()).To(Equal(moves + 1))
		value, _ := aws.live("production")
		Expect(value).To(Equal("3"))

		By("what one does from then on holds the other")
		original.apply("production", "4", "bob")
		Eventually(clone.ready).Should(Equal(v1alpha1.ReasonForeignVersion))
		held := clone.propose("production", "5")
		clone.approve("bob", held)
		clone.awaitReason(held, v1alpha1.ReasonForeignVersion)
		value, _ = aws.live("production")
		Expect(value).To(Equal("4"))
	})
})
