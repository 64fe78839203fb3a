// Package reading applies the examples of docs/reading.md, and reads by them what the built programs make live.
package reading

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/dev/stack"
	"github.com/secretreview/secretreview/test/suite"
)

const (
	patience = 2 * time.Minute
	polling  = 100 * time.Millisecond

	environment = "production"
	// reader is the access key of the role that all readers have.
	reader = "reader"
)

var (
	s *stack.Stack
	// dir is the folder of the whole stack.
	dir string
	// live is the name of the secret that is read.
	live = naming.LiveSecret(naming.DefaultPrefix, stack.Project, environment)
	root = func() string {
		dir, err := cluster.RepositoryRoot()
		if err != nil {
			panic(err)
		}
		return dir
	}()
)

func TestReading(t *testing.T) { suite.Run(t, "The read side") }

var _ = BeforeSuite(func(ctx SpecContext) {
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(polling)
	operator := externalSecrets()
	var err error
	dir, err = os.MkdirTemp("", "secretreview-reading-")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() {
		if os.Getenv("SECRETREVIEW_KEEP") == "" {
			Expect(os.RemoveAll(dir)).To(Succeed())
		}
	})
	s, err = stack.Start(ctx, stack.Options{Dir: dir, Principals: []emulator.Principal{readRole()}})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func(ctx SpecContext) { Expect(s.Stop(ctx)).To(Succeed()) })
	kubectl("apply", "-f", example("serviceaccount.yaml"))
	startExternalSecrets(ctx, operator)
})

func example(path ...string) string {
	return filepath.Join(append([]string{root, "examples", "reading"}, path...)...)
}

// run runs a program as one of stack.People, and returns what it prints.
func run(person, program string, args ...string) string {
	GinkgoHelper()
	command := exec.Command("env", append([]string{program}, args...)...) // env looks for it in the person's PATH
	command.Env, command.Dir = append(os.Environ(), s.Env(person)...), dir
	output, err := command.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "%s %v\n%s", program, args, output)
	return strings.TrimSpace(string(output))
}

func kubectl(args ...string) string {
	GinkgoHelper()
	return run(stack.Admin, "kubectl", args...)
}

// apply applies an object that is no example.
func apply(object unstructured.Unstructured) {
	GinkgoHelper()
	text, err := object.MarshalJSON()
	Expect(err).NotTo(HaveOccurred())
	file := filepath.Join(GinkgoT().TempDir(), "object.json")
	Expect(os.WriteFile(file, text, 0o600)).To(Succeed())
	kubectl("apply", "-f", file)
}

// get reads an object of the story's namespace.
func get(into any, args ...string) {
	GinkgoHelper()
	Expect(json.Unmarshal([]byte(kubectl(append([]string{"get", "-o", "json"}, args...)...)), into)).To(Succeed())
}

// calls are those that the read role has made, oldest first.
func calls() (made []emulator.Call) {
	GinkgoHelper()
	response, err := http.Get(s.Endpoint() + emulator.AdminPath + "calls")
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	var all []emulator.Call
	Expect(json.NewDecoder(response.Body).Decode(&all)).To(Succeed())
	for _, call := range all {
		if call.AccessKeyID == reader {
			made = append(made, call)
		}
	}
	return made
}
