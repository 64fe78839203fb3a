package review_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/review/verdict"
	"github.com/secretreview/secretreview/internal/secretstore"
)

var _ = Describe("approve", func() {
	var (
		scene *clitest.Scene
		name  string
	)
	BeforeEach(func() {
		scene = env.NewScene(GinkgoTB(), map[string]string{"DB": oldValue})
		name = proposed(scene, "--set", "DB="+newValue)
	})

	It("shows, asks, approves, and waits until the change is live", func() {
		command := start(scene.As(clitest.Bob).AtTerminal("y"), "approve", name, "-c", "checked")
		awaitReview(scene, name, clitest.Bob)
		advance(scene, name, hold(v1alpha1.ReasonFrozen, "Waiting: changes to environment \"production\" are suspended"))
		advance(scene, name, hold(v1alpha1.ReasonWaitingForTurn, "Waiting: change \"other\" goes first"))
		Consistently(command, "200ms").ShouldNot(Receive())
		advance(scene, name, finish(v1alpha1.PhaseApplied, "Live as version "+newVersion))
		result := command.result()

		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Questions).To(Equal([]string{"Approve this change?"}))
		Expect(result.Out).To(And(ContainSubstring(newValue), HaveSuffix("\nChange "+name+" is applied. Live as version "+newVersion+".\n")))
		Expect(result.Err).To(HavePrefix("\nYour approval of change " + name + " is recorded.\n"))
		Expect(result.Err).To(HaveSuffix("Waiting: change \"other\" goes first\n"))
		Expect(gets(scene)).To(Equal(2))
		change := read(scene, name)
		Expect(change.Spec.Reviews).To(Equal([]v1alpha1.Review{{Reviewer: clitest.Bob, Verdict: v1alpha1.VerdictApproved, Comment: "checked"}}))
		Expect(change.ManagedFields).To(ContainElement(HaveField("Manager", v1alpha1.FieldManager)))
	})

	It("says how many approvals are missing, and ends well", func() {
		command := start(scene.As(clitest.Bob), "approve", name, "-y")
		awaitReview(scene, name, clitest.Bob)
		advance(scene, name, func(s *v1alpha1.SecretChangeStatus) { wait(s, 2, clitest.Bob) })
		result := command.result()
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Out).To(HaveSuffix("Change " + name + " has 1/2 approvals: 1 more needed.\n"))
	})

	It("says where the approval does not count", func() {
		command := start(scene.As(clitest.Bob), "approve", name, "-y")
		awaitReview(scene, name, clitest.Bob)
		advance(scene, name, func(s *v1alpha1.SecretChangeStatus) {
			wait(s, 1)
			s.Message = "Waiting for 1 more approval; one person counts once"
		})
		result := command.result()
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Out).To(HaveSuffix("Change " + name + " is not approved yet. Waiting for 1 more approval; one person counts once.\n"))
	})

	DescribeTable("says why the change is not live", func(phase v1alpha1.Phase, code exit.Code) {
		command := start(scene.As(clitest.Bob), "approve", name, "-y", "--json")
		awaitReview(scene, name, clitest.Bob)
		advance(scene, name, finish(phase, "It could not be."))
		result := command.result()
		Expect(result.Code).To(Equal(code))
		Expect(result.Err).To(HaveSuffix("change \"" + name + "\" is not live, it ended as " + string(phase) + ": It could not be\n"))
		var got struct {
			Verdict string
			Added   bool
			Outcome struct{ Phase, Message string }
		}
		Expect(json.Unmarshal([]byte(result.Out), &got)).To(Succeed())
		Expect(got.Verdict).To(Equal("Approved"))
		Expect(got.Outcome.Phase).To(Equal(string(phase)))
	},
		Entry("rejected by somebody else", v1alpha1.PhaseRejected, exit.Refused),
		Entry("in conflict", v1alpha1.PhaseConflicted, exit.Conflict),
		Entry("expired", v1alpha1.PhaseExpired, exit.Refused),
		Entry("invalid", v1alpha1.PhaseInvalid, exit.Refused),
	)

	It("gives up waiting in time, and says where the change stands", func() {
		command := start(scene.As(clitest.Bob), "approve", name, "-y", "--timeout", "5s")
		awaitReview(scene, name, clitest.Bob)
		advance(scene, name, hold(v1alpha1.ReasonFrozen, "Waiting: frozen."))
		result := command.result()
		Expect(result.Code).To(Equal(exit.Unavailable))
		Expect(result.Err).To(ContainSubstring("which you approved: Waiting: frozen; see \"sr status " + name + " -n " + scene.Namespace + "\""))
	})

	It("says that the approval stays when the person stops waiting", func() {
		ctx, cancel := context.WithCancel(context.Background())
		bob := scene.As(clitest.Bob)
		bob.Context = func() context.Context { return ctx }
		said := gbytes.NewBuffer()
		bob.Alter = func(f *factory.Factory) {
			f.Out, f.ErrOut = io.MultiWriter(f.Out, said), io.MultiWriter(f.ErrOut, said)
		}
		command := start(bob, "approve", name, "-y")
		// The cluster has the review before the command knows it.
		Eventually(said).Should(gbytes.Say("is recorded"))
		cancel()
		result := command.result()
		Expect(result.Code).To(Equal(exit.Cancelled))
		Expect(result.Err).To(ContainSubstring("is recorded, and it goes on without you"))
	})

	It("does not wait when told so", func() {
		result := scene.As(clitest.Bob).Run("approve", name, "-y", "--no-wait")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(reviewers(read(scene, name))).To(Equal([]string{clitest.Bob}))
	})

	It("changes nothing where the answer is no", func() {
		result := scene.As(clitest.Bob).AtTerminal("n").Run("approve", name)
		Expect(result.Code).To(Equal(exit.Cancelled))
		Expect(read(scene, name).Spec.Reviews).To(BeEmpty())
	})

	It("wants -y where nobody can be asked", func() {
		for _, args := range [][]string{{"approve", name}, {"approve", name, "--json"}, {"reject", name}, {"reject", name, "--json"}} {
			result := scene.As(clitest.Bob).Run(args...)
			Expect(result.Code).To(Equal(exit.Usage))
			Expect(result.Err).To(ContainSubstring("add -y"))
		}
		Expect(gets(scene)).To(BeZero())
	})

	It("approves nothing that was made anew under the same name while a person was reading", func() {
		bob := while(scene.As(clitest.Bob), "y", func() {
			shown := read(scene, name)
			Expect(scene.Admin.Delete(context.Background(), shown)).To(Succeed())
			remake(scene, name, shown.Spec)
		})
		result := bob.Run("approve", name)
		Expect(result.Code).To(Equal(exit.Conflict), result.Err)
		Expect(result.Err).To(ContainSubstring("made anew under the same name"))
		Expect(read(scene, name).Spec.Reviews).To(BeEmpty())
	})

	It("approves nothing that was deleted or has ended while a person was reading", func() {
		bob := while(scene.As(clitest.Bob), "y", func() { advance(scene, name, finish(v1alpha1.PhaseRejected, "Rejected by \"carol\"")) })
		result := bob.Run("approve", name)
		Expect(result.Code).To(Equal(exit.Refused), result.Err)
		Expect(result.Err).To(ContainSubstring("has already ended as Rejected and takes no more reviews: Rejected by \"carol\""))

		other := proposed(scene, "--set", "DB=other")
		bob = while(scene.As(clitest.Bob), "y", func() {
			Expect(scene.Admin.Delete(context.Background(), read(scene, other))).To(Succeed())
		})
		result = bob.Run("approve", other)
		Expect(result.Code).To(Equal(exit.NotFound), result.Err)
		Expect(result.Err).To(ContainSubstring("was deleted after it was shown to you"))
	})

	It("says how the change ended where that takes the staged values away before they are read", func() {
		ending := func(user string, change string) *clitest.Session {
			session := scene.As(user)
			session.Alter = func(f *factory.Factory) {
				connect := f.NewStore
				f.NewStore = func(ctx context.Context, region string) (secretstore.Store, error) {
					store, err := connect(ctx, region)
					return &endingStore{Store: store, before: func() { end(scene, change) }}, err
				}
			}
			return session
		}
		for _, command := range [][]string{{"approve", name, "-y"}, {"reject", name}} {
			other := proposed(scene, "--set", "DB="+newValue)
			command[1] = other
			session := ending(clitest.Bob, other)
			if command[0] == "reject" {
				session.AtTerminal()
			}
			result := session.Run(command...)
			Expect(result.Code).To(Equal(exit.Conflict), result.Err)
			Expect(result.Err).To(HaveSuffix("has already ended as Conflicted and takes no more reviews: The base moved\n"))
		}
		result := ending(clitest.Bob, name).Run("review", name)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Out).To(ContainSubstring("Conflicted"))
	})

	It("keeps both approvals of two people who approve at once", func() {
		bob := while(scene.As(clitest.Bob), "y", func() {
			Expect(scene.As(clitest.Carol).Run("approve", name, "-y", "--no-wait").Code).To(Equal(exit.OK))
		})
		result := bob.Run("approve", name, "--no-wait")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(reviewers(read(scene, name))).To(Equal([]string{clitest.Carol, clitest.Bob}))
	})

	It("says so where one has approved already, and waits all the same", func() {
		Expect(scene.As(clitest.Bob).Run("approve", name, "-y", "--no-wait").Code).To(Equal(exit.OK))
		advance(scene, name, func(s *v1alpha1.SecretChangeStatus) { wait(s, 2, clitest.Bob) })
		waiting := scene.As(clitest.Bob).Run("approve", name, "-y")
		Expect(waiting.Code).To(Equal(exit.OK), waiting.Err)
		Expect(waiting.Out).To(Equal("Change " + name + " has 1/2 approvals: 1 more needed.\n"))
		again := scene.As(clitest.Bob).Run("approve", name, "-y", "--no-wait")
		Expect(again.Code).To(Equal(exit.OK), again.Err)
		Expect(again.Err).To(Equal("You have already approved change " + name + ".\n"))
		Expect(reviewers(read(scene, name))).To(Equal([]string{clitest.Bob}))
	})

	DescribeTable("knows whether the approval was added when the answer is lost", func(arrives bool, code exit.Code) {
		kube, err := client.NewWithWatch(scene.Cluster.UserConfig(clitest.Bob), client.Options{Scheme: scene.Admin.Scheme()})
		Expect(err).NotTo(HaveOccurred())
		lost := &url.Error{Op: "Patch", URL: "https://cluster", Err: errors.New("connection reset by peer")}
		flaky := interceptor.NewClient(kube, interceptor.Funcs{
			Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
				if arrives {
					Expect(c.Patch(ctx, o.DeepCopyObject().(client.Object), p, opts...)).To(Succeed())
				}
				return lost
			},
		})
		_, added, err := verdict.Submit(context.Background(), flaky, read(scene, name), v1alpha1.Review{Reviewer: clitest.Bob, Verdict: v1alpha1.VerdictApproved})
		Expect(exit.CodeOf(err)).To(Equal(code))
		Expect(added).To(Equal(arrives))
	},
		Entry("and it was", true, exit.OK),
		Entry("and it was not", false, exit.Unavailable),
	)

	It("refuses the proposer before anything is read", func() {
		result := scene.As(clitest.Alice).Run("approve", name, "-y")
		Expect(result.Code).To(Equal(exit.Refused))
		Expect(result.Err).To(ContainSubstring("you proposed change"))
		Expect(gets(scene)).To(BeZero())
	})

	It("lets the API server refuse who may not approve", func() {
		Expect(scene.Admin.Create(context.Background(), &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: scene.Namespace, Name: "eve"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "secretreview-viewer"},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: clitest.Eve}},
		})).To(Succeed())
		Eventually(func() exit.Code { return scene.As(clitest.Eve).Run("status", name).Code }).Should(Equal(exit.OK))
		result := scene.As(clitest.Eve).Run("approve", name, "-y")
		Expect(result.Code).To(Equal(exit.Denied))
		Expect(result.Err).To(ContainSubstring("add your review to change"))
		Expect(read(scene, name).Spec.Reviews).To(BeEmpty())
	})

	It("does not approve what the controller has not checked", func() {
		unseen := propose(scene, "--set", "DB=unseen")
		result := scene.As(clitest.Bob).Run("approve", unseen, "-y", "--timeout", "1s")
		Expect(result.Code).To(Equal(exit.Unavailable))
		Expect(result.Err).To(ContainSubstring("has not checked change"))
		Expect(read(scene, unseen).Spec.Reviews).To(BeEmpty())
	})

	It("waits a moment for the check of what was proposed just now", func() {
		unseen := propose(scene, "--set", "DB="+newValue)
		command := start(scene.As(clitest.Bob), "approve", unseen, "-y", "--no-wait")
		Consistently(command, "200ms").ShouldNot(Receive())
		check(scene, unseen)
		Expect(command.result().Code).To(Equal(exit.OK))
		Expect(reviewers(read(scene, unseen))).To(Equal([]string{clitest.Bob}))
	})

	It("refuses a comment that the API server would refuse", func() {
		result := scene.As(clitest.Bob).Run("approve", name, "-y", "-c", strings.Repeat("x", 2049))
		Expect(result.Code).To(Equal(exit.Usage))
		Expect(result.Err).To(ContainSubstring("2049 bytes"))
	})

	It("notices that the change is deleted while it waits", func() {
		command := start(scene.As(clitest.Bob), "approve", name, "-y")
		awaitReview(scene, name, clitest.Bob)
		Expect(scene.Admin.Delete(context.Background(), read(scene, name))).To(Succeed())
		result := command.result()
		Expect(result.Code).To(Equal(exit.NotFound), result.Err)
	})

	It("shows on a terminal what it waits for, and takes that away again", func() {
		bob, notes := scene.As(clitest.Bob), gbytes.NewBuffer()
		bob.Terminal = factory.Terminal{StderrTTY: true, Animate: true, ErrWidth: 80}
		bob.Alter = func(f *factory.Factory) { f.ErrOut = notes }
		command := start(bob, "approve", name, "-y")
		Eventually(notes).Should(gbytes.Say("Waiting for " + name))
		advance(scene, name, func(s *v1alpha1.SecretChangeStatus) {
			s.Phase, s.Message = v1alpha1.PhaseApproved, "Being made \x1b[2Jlive"
		})
		Eventually(notes).Should(gbytes.Say(`Being made \\x1b\[2Jlive" \(`))
		advance(scene, name, finish(v1alpha1.PhaseApplied, "Live as version "+newVersion))
		Expect(command.result().Code).To(Equal(exit.OK))
		Expect(string(notes.Contents())).To(HaveSuffix("\r\x1b[K"))
	})

	It("goes on waiting while the API server cannot be reached", func() {
		way := clitest.NewProxy(GinkgoTB(), scene.Cluster.AdminConfig().Host)
		bob, notes := scene.As(clitest.Bob), gbytes.NewBuffer()
		bob.Alter = func(f *factory.Factory) { f.ErrOut = notes }
		command := start(bob, "approve", name, "-y", "--server", way.URL())
		Eventually(notes).Should(gbytes.Say("is recorded"))
		way.Cut()
		advance(scene, name, finish(v1alpha1.PhaseApplied, "Live as version "+newVersion))
		Consistently(command, "1500ms").ShouldNot(Receive())
		way.Mend()
		result := command.result()
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Out).To(HaveSuffix("is applied. Live as version " + newVersion + ".\n"))
	})
})

// endingStore lets something happen before the first value is read.
type endingStore struct {
	secretstore.Store
	before func()
}

func (s *endingStore) Get(ctx context.Context, in secretstore.GetInput) (secretstore.Version, error) {
	s.before()
	s.before = func() {}
	return s.Store.Get(ctx, in)
}

// end ends a change as the controller does, its staged secret included.
func end(scene *clitest.Scene, name string) {
	GinkgoHelper()
	advance(scene, name, finish(v1alpha1.PhaseConflicted, "The base moved."))
	Expect(scene.Store.Delete(context.Background(), secretstore.DeleteInput{ID: read(scene, name).Spec.Staged.SecretARN})).To(Succeed())
}
