package disaster_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	awsstore "github.com/secretreview/secretreview/internal/secretstore/aws"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// account is an AWS account, which outlives every cluster.
type account struct {
	emulator *emulator.Emulator
	url      string
	store    secretstore.Store
}

// newAccount has a live secret for each environment, with A=1.
func newAccount(environments ...string) *account {
	GinkgoHelper()
	a := &account{emulator: emulator.New(emulator.Options{})}
	server := httptest.NewServer(a.emulator)
	DeferCleanup(server.Close)
	a.url = server.URL
	var err error
	a.store, err = awsstore.New(context.Background(), awsstore.Options{Region: a.emulator.Region(), EndpointURL: a.url,
		Credentials: &awsstore.StaticCredentials{AccessKeyID: "admin", SecretAccessKey: "x"}})
	Expect(err).NotTo(HaveOccurred())
	for _, environment := range environments {
		_, err := a.store.Create(context.Background(), secretstore.CreateInput{
			Name: liveName(environment), VersionID: uuid.NewString(), Value: sensitive.New(`{"A":"1"}`),
			Tags: map[string]string{naming.TagOwner: naming.Owner(clusterName, namespace)},
		})
		Expect(err).NotTo(HaveOccurred())
	}
	return a
}

func (a *account) environment(who string) []string {
	return []string{"AWS_ENDPOINT_URL=" + a.url, "AWS_REGION=" + a.emulator.Region(), "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ACCESS_KEY_ID=" + who, "AWS_SECRET_ACCESS_KEY=x"}
}

func liveName(environment string) string {
	return naming.LiveSecret(naming.DefaultPrefix, project, environment)
}

// live is the value of A that is live, and the id of that version.
func (a *account) live(environment string) (value, version string) {
	GinkgoHelper()
	got, err := a.store.Get(context.Background(), secretstore.GetInput{ID: liveName(environment), Label: secretstore.LabelCurrent})
	Expect(err).NotTo(HaveOccurred())
	values := map[string]string{}
	Expect(json.Unmarshal([]byte(got.Value.Reveal()), &values)).To(Succeed())
	return values["A"], got.VersionID
}

// moves counts how often AWSCURRENT was moved by the managers.
func (a *account) moves() int {
	count := 0
	for _, call := range a.emulator.Calls() {
		if call.Operation == "UpdateSecretVersionStage" && slices.Contains(call.Labels, secretstore.LabelCurrent) && call.AccessKeyID == "manager" && call.Code == "" {
			count++
		}
	}
	return count
}

// staged are the changes for which something is staged that is not deleted.
func (a *account) staged() []string {
	GinkgoHelper()
	all, err := a.store.List(context.Background(), naming.StagingPrefix(naming.DefaultPrefix))
	Expect(err).NotTo(HaveOccurred())
	names := []string{}
	for _, secret := range all {
		if secret.DeletedAt == nil {
			names = append(names, strings.TrimPrefix(secret.Name, naming.StagedSecret(naming.DefaultPrefix, project, "")))
		}
	}
	return names
}

// expire writes onto what is staged for a change that its time is over.
func (a *account) expire(change string) {
	GinkgoHelper()
	body, err := json.Marshal(map[string]any{
		"SecretId": naming.StagedSecret(naming.DefaultPrefix, project, change),
		"Tags":     []map[string]string{{"Key": naming.TagKeepUntil, "Value": naming.KeepUntil(time.Now().Add(-time.Hour))}},
	})
	Expect(err).NotTo(HaveOccurred())
	request, err := http.NewRequest(http.MethodPost, a.url, bytes.NewReader(body))
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("X-Amz-Target", "secretsmanager.TagResource")
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	// The emulator believes a signature.
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=admin/20250101/"+a.emulator.Region()+"/secretsmanager/aws4_request, "+
		"SignedHeaders=host, Signature=none")
	response, err := http.DefaultClient.Do(request)
	Expect(err).NotTo(HaveOccurred())
	Expect(response.Body.Close()).To(Succeed())
	Expect(response.StatusCode).To(Equal(http.StatusOK))
}

// listings counts how often all secrets were listed.
func (a *account) listings() int {
	count := 0
	for _, call := range a.emulator.Calls() {
		if call.Operation == "ListSecrets" && call.AccessKeyID == "manager" {
			count++
		}
	}
	return count
}

// createProject has the administrator make the project. What it needs of approvals stands behind each environment's name.
func (s *site) createProject(environments map[string]int32) {
	GinkgoHelper()
	p := &v1alpha1.SecretProject{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: project}}
	for name, approvals := range environments {
		p.Spec.Environments = append(p.Spec.Environments, v1alpha1.Environment{Name: name, RequiredApprovals: ptr.To(approvals)})
	}
	Expect(s.admin.Create(context.Background(), p)).To(Succeed())
}

// ready is the reason of the project's condition Ready.
func (s *site) ready() string {
	GinkgoHelper()
	var p v1alpha1.SecretProject
	Expect(s.admin.Get(context.Background(), client.ObjectKey{Namespace: namespace, Name: project}, &p)).To(Succeed())
	if c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionReady); c != nil {
		return c.Reason
	}
	return ""
}

// propose has alice propose A=value, and returns the change's name.
func (s *site) propose(environment, value string) string {
	GinkgoHelper()
	return s.created("propose", "-e", environment, "--set", "A="+value, "-r", "because")
}

// created has alice run a command of sr that makes a change, and returns its name once it is pending.
func (s *site) created(command string, args ...string) string {
	GinkgoHelper()
	before := s.names()
	s.run("alice", "sr", append([]string{command, "-n", namespace, "-p", project}, args...)...)
	made := slices.DeleteFunc(s.names(), func(name string) bool { return slices.Contains(before, name) })
	Expect(made).To(HaveLen(1))
	s.await(made[0], v1alpha1.PhasePending)
	return made[0]
}

func (s *site) names() []string {
	GinkgoHelper()
	var list v1alpha1.SecretChangeList
	Expect(s.admin.List(context.Background(), &list, client.InNamespace(namespace))).To(Succeed())
	var names []string
	for i := range list.Items {
		names = append(names, list.Items[i].Name)
	}
	return names
}

// approve has somebody approve a change, and does not wait for what comes of it.
func (s *site) approve(who, name string, flags ...string) {
	GinkgoHelper()
	s.run(who, "sr", append([]string{"approve", name, "-n", namespace, "-y", "--no-wait"}, flags...)...)
}

// approveAnew has people approve a change, one after the other, for as long as approvals from before an epoch have to be
// given anew, and waits until it is applied.
func (s *site) approveAnew(name string, people ...string) {
	GinkgoHelper()
	for _, who := range people {
		s.approve(who, name)
		var c *v1alpha1.SecretChange
		anew := func() bool {
			approved := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionApproved)
			return approved != nil && approved.Reason == v1alpha1.ReasonReviewAnew && c.Status.ObservedGeneration == c.Generation
		}
		Eventually(func() bool {
			c = s.change(name)
			return c.Status.Phase == v1alpha1.PhaseApplied || anew()
		}).Should(BeTrue(), func() string { return name + ": " + c.Status.Message })
		if c.Status.Phase == v1alpha1.PhaseApplied {
			return
		}
	}
	s.await(name, v1alpha1.PhaseApplied)
}

// apply proposes a value and has it approved.
func (s *site) apply(environment, value string, approvers ...string) string {
	GinkgoHelper()
	name := s.propose(environment, value)
	for _, who := range approvers {
		s.approve(who, name)
	}
	s.await(name, v1alpha1.PhaseApplied)
	Eventually(s.aws.staged).ShouldNot(ContainElement(name))
	return name
}

func (s *site) change(name string) *v1alpha1.SecretChange {
	GinkgoHelper()
	c := &v1alpha1.SecretChange{}
	Expect(s.admin.Get(context.Background(), client.ObjectKey{Namespace: namespace, Name: name}, c)).To(Succeed())
	return c
}

// await waits until a change is in a phase, and returns it.
func (s *site) await(name string, phase v1alpha1.Phase) *v1alpha1.SecretChange {
	GinkgoHelper()
	var c *v1alpha1.SecretChange
	Eventually(func() string {
		c = s.change(name)
		return string(c.Status.Phase) + ": " + c.Status.Message
	}).Should(HavePrefix(string(phase)+": "), name)
	return c
}

// awaitReason waits until a change says why it is not Ready.
func (s *site) awaitReason(name, reason string) {
	GinkgoHelper()
	Eventually(func() string {
		c := s.change(name)
		if ready := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
			return ready.Reason + ": " + ready.Message
		}
		return ""
	}).Should(HavePrefix(reason+": "), name)
}

// adopt has alice restore what is live, and bob approve that.
func (s *site) adopt(environment string) {
	GinkgoHelper()
	_, version := s.aws.live(environment)
	name := s.restore(environment, version)
	s.approve("bob", name)
	s.await(name, v1alpha1.PhaseApplied)
}

// restore has alice propose to go back to a version, or to right after a change.
func (s *site) restore(environment, to string) string {
	GinkgoHelper()
	return s.created("restore", "-e", environment, "--to", to, "-r", "It is right", "-y", "--no-wait")
}
