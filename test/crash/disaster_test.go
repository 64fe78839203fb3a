package crash_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/test/install"
)

const (
	// What makes a version live, and what is written down just before.
	theWrite  = "PutSecretValue of live"
	theMove   = "UpdateSecretVersionStage of live, label " + secretstore.LabelCurrent
	theRecord = "update secretchanges/status"
)

// elected makes managers wait for the lease, which a busy machine must not cost the leader.
var elected = []string{"--leader-elect=true", "--lease-duration=40s", "--renew-deadline=30s"}

var _ = Describe("While a change is being made live", func() {
	var api *team
	var name string

	// propose has alice propose to a project of its own.
	propose := func() (*team, string) {
		GinkgoHelper()
		api, err := at.newTeam(values{"A": "a", "B": "b"}, nil)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { at.gate.set(api.project, nil) })
		Expect(api.ready()).To(Succeed())
		name, err := api.pending(one)
		Expect(err).NotTo(HaveOccurred())
		return api, name
	}
	// pending starts a manager and has something proposed.
	pending := func(args ...string) *manager {
		GinkgoHelper()
		m := at.start(time.Second, args...)
		api, name = propose()
		return m
	}
	// caught sets a trap and returns once a call is in it.
	caught := func(what string, after bool) *trap {
		GinkgoHelper()
		t := trapAt(what, 1, after)
		at.gate.set(api.project, t)
		return t
	}
	approve := func() {
		GinkgoHelper()
		Expect(api.review(bob, name, v1alpha1.VerdictApproved)).To(Succeed())
	}
	// recorded approves, and holds the answer to what is written down just before the move.
	recorded := func() *trap {
		GinkgoHelper()
		write := caught(theWrite, true)
		approve()
		Eventually(write.sprung).Should(BeClosed())
		record := caught(theRecord, true)
		write.let()
		Eventually(record.sprung).Should(BeClosed())
		return record
	}
	BeforeEach(func() {
		Expect(at.admin.DeleteAllOf(context.Background(), &coordinationv1.Lease{}, client.InNamespace(install.Namespace))).To(Succeed())
	})

	It("a leader is paused, loses its lease, and goes on: what it was about to do changes nothing, nor what was undone meanwhile", func() {
		first := pending(elected...)
		held, heldName := api, name
		move := caught(theMove, false)
		approve()
		Eventually(move.sprung).Should(BeClosed())
		By("another change is one step behind")
		api, name = propose()
		record := recorded()
		first.pause()
		record.let()
		second := at.start(time.Second, elected...)
		Expect(held.await(heldName, v1alpha1.PhaseApplied)).To(Succeed())
		Expect(api.await(name, v1alpha1.PhaseApplied)).To(Succeed())
		Expect(api.undo()).To(Succeed())
		_, undone, err := api.current()
		Expect(err).NotTo(HaveOccurred())
		first.resume()
		move.let()
		Eventually(first.Running).Should(BeFalse(), "who lost the lease ends")
		Expect(held.rest(true)).To(Succeed())
		Expect(api.rest(true)).To(Succeed())
		_, now, err := api.current()
		Expect(err).NotTo(HaveOccurred())
		Expect(now).To(Equal(undone), "somebody has undone it")
		second.kill()
	})

	It("two managers believe that they lead: one makes it live", func() {
		first := pending()
		move := caught(theMove, false)
		approve()
		Eventually(move.sprung).Should(BeClosed())
		second := at.start(time.Second)
		Expect(api.await(name, v1alpha1.PhaseApplied)).To(Succeed())
		move.let()
		Expect(api.rest(true)).To(Succeed())
		first.kill()
		second.kill()
	})

	It("the manager does not see a rejection: it asks before the last step", func() {
		m := pending()
		write := caught(theWrite, false)
		approve()
		Eventually(write.sprung).Should(BeClosed())
		thaw := make(chan struct{})
		DeferCleanup(func() { at.gate.trouble(nil, nil) })
		at.gate.trouble(nil, func() { <-thaw })
		Expect(api.review(carol, name, v1alpha1.VerdictRejected)).To(Succeed())
		record := caught(theRecord, false)
		write.let()
		// It must not have asked for the move by the time that it writes down what came of the change.
		Eventually(record.sprung).Should(BeClosed())
		record.let()
		close(thaw)
		Expect(api.await(name, v1alpha1.PhaseRejected)).To(Succeed())
		Expect(api.rest(true)).To(Succeed())
		m.kill()
	})

	for title, outage := range map[string]func(context.Context) error{
		"the API server is killed and started again": func(ctx context.Context) error {
			if err := at.cluster.KillAPIServer(); err != nil {
				return err
			}
			return at.cluster.StartAPIServer(ctx)
		},
		"etcd is killed and started again": func(ctx context.Context) error { return at.cluster.RestartEtcd(ctx) },
	} {
		DescribeTable(title, func(ctx SpecContext, what string, after bool) {
			m := pending()
			held := caught(what, after)
			approve()
			Eventually(held.sprung).Should(BeClosed())
			if after {
				Expect(outage(ctx)).To(Succeed())
				held.let()
			} else {
				held.let()
				Expect(outage(ctx)).To(Succeed())
			}
			Expect(api.await(name, v1alpha1.PhaseApplied)).To(Succeed())
			Expect(api.rest(true)).To(Succeed())
			m.kill()
		},
			Entry("after the move", theMove, true),
			Entry("while something is written down", theRecord, false),
		)
	}
})
