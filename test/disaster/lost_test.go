package disaster_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/yaml"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

var _ = Describe("A cluster that is lost", func() {
	It("is followed by an empty one of its name, and is held off where it comes back", func() {
		aws := newAccount("production", "dev")
		lost := newSite(aws)
		lost.createProject(map[string]int32{"production": 1, "dev": 1})
		Eventually(lost.ready).Should(Equal(v1alpha1.ReasonReady))
		_, first := aws.live("production")
		lost.apply("production", "2", "bob")
		lost.apply("production", "3", "bob")
		pending := lost.propose("production", "4")
		fromGit := lost.run("alice", "sr", "propose", "-n", namespace, "-p", project, "-e", "production", "--set", "A=5", "-r", "because", "-o", "yaml")
		lost.stopManager()
		value, version := aws.live("production")
		moves := aws.moves()

		By("the new one has no history: what others wrote is foreign, and holds that environment alone")
		site := newSite(aws)
		site.createProject(map[string]int32{"production": 1, "dev": 1})
		Eventually(site.ready).Should(Equal(v1alpha1.ReasonForeignVersion))
		site.apply("dev", "2", "bob")
		held := site.propose("production", "6")
		site.approve("bob", held)
		site.awaitReason(held, v1alpha1.ReasonForeignVersion)
		Expect(aws.moves()).To(Equal(moves + 1))
		nowValue, nowVersion := aws.live("production")
		Expect([]string{nowValue, nowVersion}).To(Equal([]string{value, version}))

		By("what is staged is not swept while it is held, although its time is over")
		aws.expire(pending)
		sweeps := aws.listings()
		Eventually(aws.listings).Should(BeNumerically(">", sweeps+2))
		Expect(aws.staged()).To(ContainElement(pending))

		By("once adopted, it goes on: with what waited, with what Git kept, and back to what AWS still has")
		site.adopt("production")
		site.await(held, v1alpha1.PhaseApplied)
		Eventually(site.ready).Should(Equal(v1alpha1.ReasonReady))
		kept := &v1alpha1.SecretChange{}
		Expect(yaml.Unmarshal([]byte(fromGit), kept)).To(Succeed())
		Expect(site.alice.Create(context.Background(), kept)).To(Succeed())
		Expect(site.await(kept.Name, v1alpha1.PhaseConflicted).Status.Message).To(ContainSubstring("rebase it"))
		rebased := site.created("rebase", kept.Name, "--ours", "A")
		site.approve("bob", rebased)
		site.await(rebased, v1alpha1.PhaseApplied)
		back := site.restore("production", first)
		site.approve("bob", back)
		site.await(back, v1alpha1.PhaseApplied)
		value, _ = aws.live("production")
		Expect(value).To(Equal("1"))

		By("what was staged for a change that is lost goes by itself")
		Eventually(aws.staged).ShouldNot(ContainElement(pending))

		By("the lost one comes back, sees what it does not know, and applies nothing")
		lost.startManager()
		Eventually(lost.ready).Should(Equal(v1alpha1.ReasonForeignVersion))
		lost.await(pending, v1alpha1.PhaseConflicted)
		moves = aws.moves()
		late := lost.propose("production", "7")
		lost.approve("bob", late)
		lost.awaitReason(late, v1alpha1.ReasonForeignVersion)
		Expect(aws.moves()).To(Equal(moves))
	})
})
