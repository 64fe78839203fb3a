package propose_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

// network is a way to the API server that breaks.
type network struct {
	onward http.RoundTripper
	trip   func(onward http.RoundTripper, r *http.Request) (*http.Response, error)
}

func (n network) RoundTrip(r *http.Request) (*http.Response, error) { return n.trip(n.onward, r) }

// through makes a session's requests to the cluster go through trip.
func through(s *clitest.Session, trip func(http.RoundTripper, *http.Request) (*http.Response, error)) {
	s.Alter = func(f *factory.Factory) {
		f.KubeFlags.WithWrapConfigFn(func(c *rest.Config) *rest.Config {
			c = rest.CopyConfig(c)
			c.Wrap(func(onward http.RoundTripper) http.RoundTripper { return network{onward: onward, trip: trip} })
			return c
		})
	}
}

var errBroken = errors.New("the connection broke")

// creates reports whether a request creates a change for good.
func creates(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/secretchanges") && r.URL.Query().Get("dryRun") == ""
}

// looks reports whether a request reads one change.
func looks(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/secretchanges/")
}

// atStaging runs do right after the staged secret was created.
func atStaging(scene *clitest.Scene, do func()) {
	scene.Emulator.SetHooks(nil, func(c emulator.Call) {
		if c.Operation == "CreateSecret" {
			do()
		}
	})
}

var _ = Describe("propose that fails", func() {
	var scene *clitest.Scene
	var alice *clitest.Session
	ctx := context.Background()

	BeforeEach(func() {
		scene = env.NewScene(GinkgoTB(), map[string]string{"A": "1"})
		alice = scene.As(clitest.Alice)
	})

	revoke := func() {
		GinkgoHelper()
		Expect(env.Admin.Delete(ctx, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: scene.Namespace, Name: "secretreview-proposer"},
		})).To(Succeed())
		// The API server's authorizer hears of it a moment later.
		Eventually(func() exit.Code { return scene.As(clitest.Alice).Run(to("--set", "A=5", "--dry-run")...).Code }).Should(Equal(exit.Denied))
	}

	It("is refused by the cluster before anything is staged", func() {
		result := scene.As(clitest.Bob).Run(to("--set", "A=canary")...)
		expectNothingDone(scene, result, exit.Denied)
		Expect(scene.Operations()).NotTo(ContainElement("CreateSecret"))
		Expect(result.Err).NotTo(ContainSubstring("canary"))
	})

	It("names the right that is missing where the policy refuses", func() {
		Expect(env.Admin.Create(ctx, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: scene.Namespace, Name: "half"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "secretreview-half-proposer"},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: clitest.Eve}},
		})).To(Succeed())
		Expect(env.Admin.Create(ctx, &rbacv1.ClusterRole{
			ObjectMeta: metav1.ObjectMeta{Name: "secretreview-half-proposer"},
			Rules:      []rbacv1.PolicyRule{{APIGroups: []string{"secretreview.dev"}, Resources: []string{"*"}, Verbs: []string{"get", "list", "create"}}},
		})).To(Succeed())
		Eventually(func() string { return scene.As(clitest.Eve).Run(to("--set", "A=9")...).Err }).
			Should(ContainSubstring("ask for the verb propose on secretprojects.secretreview.dev/production"))
		Expect(scene.Staged()).To(BeEmpty())
	})

	It("deletes what it staged when the change is refused after all", func() {
		atStaging(scene, revoke)
		result := alice.Run(to("--set", "A=canary")...)
		expectNothingDone(scene, result, exit.Denied)
		Expect(result.Err).To(ContainSubstring("what was staged is deleted again"))
		Expect(result.Err).NotTo(ContainSubstring("canary"))
	})

	It("says what is left, and how to delete it, where it may not", func() {
		scene.Emulator.SetPrincipals([]emulator.Principal{{AccessKeyID: clitest.Alice, Allow: []emulator.Rule{
			{Actions: []string{"GetSecretValue", "CreateSecret", "TagResource", "kms:*"}, Resources: []string{"*"}},
		}}})
		atStaging(scene, revoke)
		result := alice.Run(to("--set", "A=canary")...)
		Expect(result.Code).To(Equal(exit.Denied))
		Expect(scene.Changes()).To(BeEmpty())
		Expect(scene.Staged()).To(HaveLen(1))
		Expect(result.Err).To(ContainSubstring("the values stay staged, because deleting them failed too"))
		Expect(result.Err).To(ContainSubstring(fmt.Sprintf(
			`"aws secretsmanager delete-secret --region us-east-1 --secret-id %s"`, scene.Staged()[0].ARN)))
		Expect(result.Err).NotTo(ContainSubstring("canary"))
	})

	It("is no failure where only the answer to the creation is lost", func() {
		through(alice, func(onward http.RoundTripper, r *http.Request) (*http.Response, error) {
			response, err := onward.RoundTrip(r)
			if creates(r) && err == nil {
				_ = response.Body.Close()
				return nil, errBroken
			}
			return response, err
		})
		result := alice.Run(to("--set", "A=9")...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(scene.Changes()).To(HaveLen(1))
		Expect(scene.Staged()).To(HaveLen(1))
	})

	It("deletes for recovery where the creation may still turn up", func() {
		through(alice, func(onward http.RoundTripper, r *http.Request) (*http.Response, error) {
			if creates(r) {
				return nil, errBroken
			}
			return onward.RoundTrip(r)
		})
		result := alice.Run(to("--set", "A=canary")...)
		Expect(result.Code).To(Equal(exit.Unavailable), result.Err)
		Expect(result.Err).To(ContainSubstring("what was staged is deleted again"))
		Expect(scene.Changes()).To(BeEmpty())
		Expect(scene.Staged()).To(HaveLen(1))
		Expect(scene.Staged()[0].DeletedAt).NotTo(BeZero())
	})

	It("leaves the staged secret of a change that may exist", func() {
		through(alice, func(onward http.RoundTripper, r *http.Request) (*http.Response, error) {
			if creates(r) || looks(r) {
				return nil, errBroken
			}
			return onward.RoundTrip(r)
		})
		result := alice.Run(to("--set", "A=canary")...)
		Expect(result.Code).To(Equal(exit.Unavailable))
		Expect(scene.Staged()).To(HaveLen(1))
		Expect(scene.Staged()[0].DeletedAt).To(BeZero())
		Expect(result.Err).To(And(ContainSubstring("whether it was created is not known"), ContainSubstring(scene.Staged()[0].ARN)))
		Expect(result.Err).NotTo(ContainSubstring("canary"))
	})

	It("cleans up after Ctrl-C", func() {
		interrupted, cancel := context.WithCancel(ctx)
		alice.Context = func() context.Context { return interrupted }
		atStaging(scene, cancel)
		result := alice.Run(to("--set", "A=canary")...)
		Expect(result.Code).To(Equal(exit.Cancelled), result.Err)
		Expect(scene.Changes()).To(BeEmpty())
		for _, staged := range scene.Staged() {
			Expect(staged.DeletedAt).NotTo(BeZero())
		}
	})

	It("does not wait for standard input after Ctrl-C", func() {
		interrupted, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
		defer cancel()
		alice.Context = func() context.Context { return interrupted }
		reader, writer := io.Pipe()
		defer func() { _ = writer.Close() }()
		alice.Alter = func(f *factory.Factory) { f.In = reader }
		Expect(alice.Run(to("--set", "A=-")...).Code).NotTo(Equal(exit.OK))
		Expect(scene.Staged()).To(BeEmpty())
	})

	It("leaves somebody else's staged secret of the same name alone", func() {
		var name string
		taken := func(c emulator.Call) {
			if c.Operation == "CreateSecret" && name == "" {
				name = c.Secret
				scene.CreateAs(name, "not yours")
			}
		}
		scene.Emulator.SetHooks(taken, nil)
		result := alice.Run(to("--set", "A=canary")...)
		Expect(result.Code).To(Equal(exit.Conflict), result.Err)
		Expect(scene.Changes()).To(BeEmpty())
		Expect(scene.Staged()).To(HaveLen(1))
		Expect(scene.Staged()[0].DeletedAt).To(BeZero())
		Expect(scene.Staged()[0].Versions[0].Value.Reveal()).To(Equal("not yours"))
	})
})

var _ = Describe("propose without a cluster", Serial, func() {
	It("says that it cannot be reached", func() {
		scene := env.NewScene(GinkgoTB(), map[string]string{"A": "1"})
		alice := scene.As(clitest.Alice)
		nowhere := "https://127.0.0.1:1"
		alice.Alter = func(f *factory.Factory) { f.KubeFlags.APIServer = &nowhere }
		result := alice.Run(to("--set", "A=canary")...)
		expectNothingDone(scene, result, exit.Unavailable)
		Expect(result.Err).To(And(ContainSubstring("connection refused"), ContainSubstring("--context")))
		Expect(result.Err).NotTo(ContainSubstring("canary"))
	})

	It("deletes what it staged when the cluster goes away meanwhile", func() {
		scene := env.NewScene(GinkgoTB(), map[string]string{"A": "1"})
		atStaging(scene, func() { Expect(env.Cluster.StopAPIServer(context.Background())).To(Succeed()) })
		result := scene.As(clitest.Alice).Run(to("--set", "A=canary")...)
		Expect(env.Cluster.StartAPIServer(context.Background())).To(Succeed())
		expectNothingDone(scene, result, exit.Unavailable)
		Expect(result.Err).To(ContainSubstring("what was staged is deleted again"))
	})

	It("says that a context is unknown", func() {
		scene := env.NewScene(GinkgoTB(), map[string]string{"A": "1"})
		alice := scene.As(clitest.Alice)
		result := alice.Run(to("--set", "A=canary", "--context", "nowhere")...)
		expectNothingDone(scene, result, exit.Usage)
		Expect(result.Err).To(ContainSubstring("get-contexts"))
	})
})
