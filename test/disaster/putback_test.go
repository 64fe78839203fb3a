package disaster_test

import (
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

var _ = Describe("A cluster whose etcd is put back to an old backup", func() {
	It("applies nothing again, and holds what it does not know", func(ctx SpecContext) {
		aws := newAccount("production", "dev")
		site := newSite(aws)
		site.createProject(map[string]int32{"production": 1, "dev": 2})
		Eventually(site.ready).Should(Equal(v1alpha1.ReasonReady))
		known := site.apply("production", "2", "bob")
		since := site.propose("production", "3")
		half := site.propose("dev", "2")
		site.approve("bob", half)
		backup := filepath.Join(site.dir, "backup")
		Expect(site.cluster.Backup(ctx, backup)).To(Succeed())
		site.approve("bob", since)
		site.await(since, v1alpha1.PhaseApplied)
		site.apply("production", "4", "bob")
		site.write()
		value, version := aws.live("production")
		moves := aws.moves()

		By("a change that is pending in the backup, and was live since, is on record as that, however it ends")
		Expect(site.cluster.Restore(ctx, backup)).To(Succeed())
		Expect(site.change(since).Status.Phase).To(Equal(v1alpha1.PhasePending))
		// What the manager remembers of the cluster is newer than the cluster. A Deployment starts it again.
		Eventually(site.manager.Running).Should(BeFalse())
		Expect(os.ReadFile(site.manager.LogFile())).To(ContainSubstring("was put back to an earlier state"))
		site.startManager()
		Eventually(site.ready).Should(Equal(v1alpha1.ReasonForeignVersion))
		site.approve("bob", since, "--without-values")
		Expect(site.await(since, v1alpha1.PhaseApplied).Status.Message).To(ContainSubstring("has since been replaced by " + version))
		Expect(site.change(known).Status.Phase).To(Equal(v1alpha1.PhaseApplied))
		Expect(aws.moves()).To(Equal(moves))
		nowValue, nowVersion := aws.live("production")
		Expect([]string{nowValue, nowVersion}).To(Equal([]string{value, version}))

		By("reviews that the backup knows still count")
		site.approve("carol", half)
		site.await(half, v1alpha1.PhaseApplied)

		By("what came after the backup is adopted, and it goes on")
		site.adopt("production")
		Eventually(site.ready).Should(Equal(v1alpha1.ReasonReady))
		site.apply("production", "5", "bob")
		value, _ = aws.live("production")
		Expect(value).To(Equal("5"))
	})
})
