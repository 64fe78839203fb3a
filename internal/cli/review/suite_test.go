package review_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
	"github.com/secretreview/secretreview/test/suite"
)

var env *clitest.Env

// patience is for a machine with much else to do.
const patience = 30 * time.Second

func TestReviewing(t *testing.T) {
	SetDefaultEventuallyTimeout(patience)
	suite.Run(t, "sr review, approve, reject, status and history")
}

var _ = BeforeSuite(func() { env = clitest.Start(GinkgoTB()) })

// at says which environment is meant.
var at = []string{"-p", clitest.Project, "-e", clitest.Production}

// propose lets alice propose, and returns the change's name.
func propose(scene *clitest.Scene, args ...string) string {
	GinkgoHelper()
	command := append([]string{"propose", "-r", "because", "-o", "name"}, append(at, args...)...)
	result := scene.As(clitest.Alice).Run(command...)
	Expect(result.Code).To(Equal(exit.OK), result.Err)
	_, name, _ := strings.Cut(strings.TrimSpace(result.Out), "/")
	scene.Emulator.ResetCalls()
	return name
}

// proposed proposes, and checks it as the controller does.
func proposed(scene *clitest.Scene, args ...string) string {
	GinkgoHelper()
	name := propose(scene, args...)
	check(scene, name)
	return name
}

func read(scene *clitest.Scene, name string) *v1alpha1.SecretChange {
	GinkgoHelper()
	change := &v1alpha1.SecretChange{}
	Expect(scene.Admin.Get(context.Background(), client.ObjectKey{Namespace: scene.Namespace, Name: name}, change)).To(Succeed())
	return change
}

// advance writes a change's status as the controller would.
func advance(scene *clitest.Scene, name string, alter func(*v1alpha1.SecretChangeStatus)) {
	GinkgoHelper()
	change := read(scene, name)
	status := change.Status
	status.ObservedGeneration = change.Generation
	alter(&status)
	scene.SetStatus(change, status)
}

// ready is the condition that says where a change stands.
func ready(reason string) []metav1.Condition {
	return []metav1.Condition{{
		Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: reason, LastTransitionTime: metav1.Now(),
	}}
}

// check makes a change Pending, with its keys.
func check(scene *clitest.Scene, name string) {
	GinkgoHelper()
	live, err := scene.Store.Get(context.Background(), secretstore.GetInput{ID: scene.LiveName()})
	Expect(err).NotTo(HaveOccurred())
	before, err := document.Parse(live.Value)
	Expect(err).NotTo(HaveOccurred())
	patch := staged(scene, name)
	diff := document.Diff(before, patch.Apply(before))
	advance(scene, name, func(s *v1alpha1.SecretChangeStatus) {
		counts := document.Count(diff)
		for _, c := range diff {
			s.Diff = append(s.Diff, v1alpha1.KeyChange{Key: c.Key, Type: v1alpha1.ChangeType(c.Type)})
		}
		s.DiffCounts = &v1alpha1.DiffCounts{Added: int32(counts.Added), Modified: int32(counts.Modified), Removed: int32(counts.Removed)}
		s.BaseVersionID, s.Approvals = live.VersionID, "0/1"
		expires := metav1.NewTime(time.Now().Add(time.Hour))
		s.ExpiresAt = &expires
		wait(s, 1)
	})
	scene.Emulator.ResetCalls()
}

// wait makes a change wait for approvals.
func wait(s *v1alpha1.SecretChangeStatus, required int32, approvers ...string) {
	s.Phase, s.Conditions = v1alpha1.PhasePending, ready(v1alpha1.ReasonAwaitingReview)
	s.Decision = &v1alpha1.Decision{Approvers: approvers, RequiredApprovals: required}
	s.Approvals = fmt.Sprintf("%d/%d", len(approvers), required)
	s.Message = "Waiting for more approvals"
}

// finish ends a change.
func finish(phase v1alpha1.Phase, message string) func(*v1alpha1.SecretChangeStatus) {
	return func(s *v1alpha1.SecretChangeStatus) {
		now := metav1.NowMicro()
		s.Phase, s.Message, s.FinishedAt, s.Conditions = phase, message, &now, ready(string(phase))
		if phase == v1alpha1.PhaseApplied {
			s.AppliedVersionID = newVersion
		}
	}
}

// hold says why an approved change is not applied yet.
func hold(reason, message string) func(*v1alpha1.SecretChangeStatus) {
	return func(s *v1alpha1.SecretChangeStatus) {
		s.Phase, s.Message, s.Conditions = v1alpha1.PhaseApproved, message, ready(reason)
	}
}

const newVersion = "99999999-9999-4999-8999-999999999999"

func staged(scene *clitest.Scene, name string) document.Patch {
	GinkgoHelper()
	for _, secret := range scene.Staged() {
		if strings.HasSuffix(secret.Name, "/"+name) {
			parsed, err := document.ParseStaged(secret.Versions[0].Value)
			Expect(err).NotTo(HaveOccurred())
			return parsed.Patch
		}
	}
	Fail("nothing is staged for " + name)
	return document.Patch{}
}

// running is a command that is not done yet.
type running chan clitest.Result

func start(session *clitest.Session, args ...string) running {
	done := make(running, 1)
	go func() {
		defer GinkgoRecover()
		done <- session.Run(args...)
	}()
	return done
}

func (r running) result() clitest.Result {
	GinkgoHelper()
	var result clitest.Result
	Eventually(r).Should(Receive(&result))
	return result
}

// awaitReview waits until somebody's review is there.
func awaitReview(scene *clitest.Scene, name, reviewer string) {
	GinkgoHelper()
	Eventually(func() []string { return reviewers(read(scene, name)) }).Should(ContainElement(reviewer))
}

func reviewers(change *v1alpha1.SecretChange) []string {
	var names []string
	for _, review := range change.Spec.Reviews {
		names = append(names, review.Reviewer)
	}
	return names
}

// busy is a person who does something before answering the first question.
type busy struct {
	before func()
	answer string
}

func (b *busy) Confirm(context.Context, string) (bool, error) {
	b.before()
	return b.answer == "y", nil
}

func (b *busy) Line(context.Context, string) (string, error) {
	b.before()
	b.before = func() {}
	answer := b.answer
	b.answer = ""
	return answer, nil
}

func (b *busy) Hidden(context.Context, string) (sensitive.Value, error) {
	panic("nothing hidden is asked for")
}

// while lets something happen while a person is being asked.
func while(session *clitest.Session, answer string, before func()) *clitest.Session {
	session.AtTerminal()
	session.Alter = func(f *factory.Factory) { f.Prompter = &busy{before: before, answer: answer} }
	return session
}

// expectSafe holds that a terminal shows all of a text and acts on none of it.
func expectSafe(texts ...string) {
	GinkgoHelper()
	for _, text := range texts {
		for _, r := range strings.ReplaceAll(text, "\n", "") {
			if r != ' ' && !unicode.IsPrint(r) {
				Fail(fmt.Sprintf("%q holds %U", text, r))
			}
		}
	}
}

// gets counts the values that were read from AWS, and fails for any other call.
func gets(scene *clitest.Scene) int {
	GinkgoHelper()
	calls := scene.Operations()
	Expect(slices.ContainsFunc(calls, func(op string) bool { return op != "GetSecretValue" })).To(BeFalse(), "calls: %v", calls)
	return len(calls)
}

// remake creates a change under a name that was freed.
func remake(scene *clitest.Scene, name string, spec v1alpha1.SecretChangeSpec) {
	GinkgoHelper()
	alice, err := client.New(scene.Cluster.UserConfig(clitest.Alice), client.Options{Scheme: scene.Admin.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	Expect(alice.Create(context.Background(), &v1alpha1.SecretChange{
		ObjectMeta: metav1.ObjectMeta{Namespace: scene.Namespace, Name: name}, Spec: spec,
	})).To(Succeed())
	check(scene, name)
}
