package stack_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
	"github.com/secretreview/secretreview/test/dev/stack"
)

const patience = 2 * time.Minute

// One stack serves all tests of it, each of which is a step: it takes seconds to start.
func TestStack(t *testing.T) {
	g := NewWithT(t)
	var steps []string
	s, err := stack.Start(t.Context(), stack.Options{
		Dir:      filepath.Join(t.TempDir(), "a folder that isn't easy to quote"),
		Progress: func(step string) { steps = append(steps, step) },
	})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() {
		if t.Failed() {
			for _, path := range s.LogFiles() {
				content, err := os.ReadFile(path)
				t.Logf("%s (%v):\n%s", path, err, content)
			}
		}
		if err := s.Stop(context.Background()); err != nil { //nolint:usetesting // the test's context has ended by then
			t.Error(err)
		}
	})
	g.Expect(len(steps)).To(BeNumerically(">", 5), "it tells what it does")

	t.Run("a shell that sourced the file is admin, and can be others", func(t *testing.T) { testShell(t, s) })
	t.Run("everybody has the rights in AWS that they need and no more", func(t *testing.T) { testRightsInAWS(t, s) })
	t.Run("a manager that is killed comes back", func(t *testing.T) { testManagerComesBack(t, s) })
}

func testShell(t *testing.T, s *stack.Stack) {
	for command, want := range map[string]string{
		`kubectl auth whoami -o jsonpath={.status.userInfo.username}`:          "admin",
		`as alice kubectl auth whoami -o jsonpath={.status.userInfo.username}`: "alice",
		`as alice printenv AWS_PROFILE`:                                        "alice",
		`kubectl config view --minify -o jsonpath={..namespace}`:               stack.Namespace,
		`kubectl config get-contexts -o name | tr '\n' ' '`:                    "admin alice bob carol eve ",
		`command -v sr >/dev/null && echo found`:                               "found",
		`as eve kubectl auth can-i get secretprojects.secretreview.dev || :`:   "no",
		`as bob kubectl auth can-i patch secretchanges.secretreview.dev`:       "yes",
		`as bob kubectl auth can-i create secretchanges.secretreview.dev || :`: "no",
		`as carol sr pull -p backend-api -e dev -o - | grep LOG_LEVEL`:         "LOG_LEVEL=debug",
		`echo "${AWS_ACCESS_KEY_ID-nobody}"`:                                   "nobody",
	} {
		shell := exec.CommandContext(t.Context(), "sh", "-c", `. "$0"; `+command, s.EnvFile())
		shell.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=somebody")
		shell.Dir = t.TempDir()
		output, err := shell.CombinedOutput()
		if err != nil || strings.TrimSuffix(string(output), "\n") != want {
			t.Errorf("%s: %v, answers %q, not %q", command, err, output, want)
		}
	}
}

func testRightsInAWS(t *testing.T, s *stack.Stack) {
	g := NewWithT(t)
	ctx := t.Context()
	liveName := naming.LiveSecret(naming.DefaultPrefix, stack.Project, "production")
	stagedName := naming.StagedSecret(naming.DefaultPrefix, stack.Project, "a-change")
	staged := secretstore.CreateInput{
		Name: stagedName, VersionID: uuid.NewString(), Value: sensitive.New("{}"), KMSKeyID: describe(ctx, g, s, liveName).KMSKeyID,
		Tags: naming.StagedTags{
			Cluster: stack.ClusterName, Namespace: stack.Namespace, Project: stack.Project, Environment: "production", Change: "a-change",
			KeepUntil: time.Now().Add(time.Hour),
		}.Map(),
	}
	_, err := store(ctx, g, s, stack.Alice).Create(ctx, staged)
	g.Expect(err).NotTo(HaveOccurred(), "alice stages")

	read := func(store secretstore.Store) error {
		_, err := store.Get(ctx, secretstore.GetInput{ID: stagedName})
		return err
	}
	remove := func(store secretstore.Store) error {
		return store.Delete(ctx, secretstore.DeleteInput{ID: stagedName})
	}
	put := func(store secretstore.Store) error {
		return store.Put(ctx, secretstore.PutInput{ID: liveName, VersionID: uuid.NewString(), Value: sensitive.New("{}"), Labels: []string{"a-label"}})
	}
	for _, attempt := range []struct {
		who, what string
		do        func(secretstore.Store) error
		allowed   bool
	}{
		{stack.Alice, "reads what is staged", read, true},
		{stack.Alice, "deletes what is staged", remove, false},
		{stack.Alice, "writes what is live", put, false},
		{stack.Bob, "reads what is staged", read, true},
		{stack.Bob, "writes what is live", put, false},
		{stack.Eve, "reads what is staged", read, false},
		{"manager", "writes what is live", put, true},
		{"manager", "deletes what is staged", remove, true},
	} {
		err := attempt.do(store(ctx, g, s, attempt.who))
		if attempt.allowed {
			g.Expect(err).NotTo(HaveOccurred(), "%s %s", attempt.who, attempt.what)
			continue
		}
		var refused *secretstore.Error
		g.Expect(errors.As(err, &refused)).To(BeTrue(), "%s %s: %v", attempt.who, attempt.what, err)
		g.Expect(refused.Kind).To(Equal(secretstore.KindDenied), "%s %s", attempt.who, attempt.what)
	}
}

func testManagerComesBack(t *testing.T, s *stack.Stack) {
	g := NewWithT(t)
	admin := func(script string) string {
		shell := exec.CommandContext(t.Context(), "sh", "-c", `. "$0"; `+script, s.EnvFile())
		output, err := shell.CombinedOutput()
		if err != nil {
			return err.Error() + ": " + string(output)
		}
		return string(output)
	}
	g.Expect(s.KillManager()).To(Succeed())
	g.Expect(admin(`kubectl patch secretproject backend-api --type merge -p '{"spec":{"suspend":true}}'`)).To(ContainSubstring("patched"))
	want := admin(`kubectl get secretproject backend-api -o jsonpath={.metadata.generation}`)
	g.Eventually(func() string {
		return admin(`kubectl get secretproject backend-api -o jsonpath={.status.observedGeneration}`)
	}).WithTimeout(patience).WithPolling(time.Second).Should(Equal(want))
}

func describe(ctx context.Context, g *WithT, s *stack.Stack, name string) secretstore.Secret {
	secret, err := store(ctx, g, s, stack.Admin).Describe(ctx, name)
	g.Expect(err).NotTo(HaveOccurred())
	return secret
}

func store(ctx context.Context, g *WithT, s *stack.Stack, name string) secretstore.Store {
	client, err := s.Store(ctx, name)
	g.Expect(err).NotTo(HaveOccurred())
	return client
}
