package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

func TestOnlyOneHoldsTheLock(t *testing.T) {
	g := NewWithT(t)
	s := state{dir: filepath.Join(t.TempDir(), ".dev")}
	running, err := s.running()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(running).To(BeFalse(), "nothing was ever started")
	g.Expect(s.dir).NotTo(BeADirectory(), "looking leaves nothing behind")

	held, err := s.lock()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(held).NotTo(BeNil())
	second, err := s.lock()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(second).To(BeNil())
	running, err = s.running()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(running).To(BeTrue())

	g.Expect(held.Close()).To(Succeed())
	running, err = s.running()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(running).To(BeFalse(), "the lock goes with its holder")
}

func TestFollowEndsWithWhatTheSupervisorSaid(t *testing.T) {
	tests := map[string]struct {
		said  status
		lives bool
		want  string
	}{
		"ready":                          {said: status{PID: 1, Ready: true, EnvFile: "env"}, lives: true},
		"failed":                         {said: status{PID: 1, Error: "etcd ended by itself"}, want: "etcd ended by itself"},
		"gone without a word on why":     {said: status{PID: 1, Steps: []string{"starting"}}, want: "supervisor is gone"},
		"ready, and gone a moment later": {said: status{PID: 1, Ready: true, EnvFile: "env"}},
		"another version of Kubernetes": {
			said: status{PID: 1, KubernetesVersion: "1.33"}, lives: true, want: "runs Kubernetes 1.33, not 1.37: run `make down` first",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			s := state{dir: t.TempDir()}
			if test.lives {
				held, err := s.lock()
				g.Expect(err).NotTo(HaveOccurred())
				defer func() { g.Expect(held.Close()).To(Succeed()) }()
			}
			g.Expect(s.writeStatus(test.said)).To(Succeed())
			got, err := s.follow(t.Context(), "1.37")
			if test.want != "" {
				g.Expect(err).To(MatchError(ContainSubstring(test.want)))
				return
			}
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(got).To(Equal(test.said))
		})
	}
}

func TestClearKeepsTheLockAndTheLog(t *testing.T) {
	g := NewWithT(t)
	s := state{dir: t.TempDir()}
	for _, name := range []string{"lock", "dev.log", "status.json", "cluster/etcd/data"} {
		path := filepath.Join(s.dir, name)
		g.Expect(os.MkdirAll(filepath.Dir(path), 0o700)).To(Succeed())
		g.Expect(os.WriteFile(path, nil, 0o600)).To(Succeed())
	}
	g.Expect(s.clear()).To(Succeed())
	entries, err := os.ReadDir(s.dir)
	g.Expect(err).NotTo(HaveOccurred())
	var left []string
	for _, entry := range entries {
		left = append(left, entry.Name())
	}
	g.Expect(left).To(ConsistOf("lock", "dev.log"))
}

func TestDownWithNothingUpIsNoError(t *testing.T) {
	g := NewWithT(t)
	g.Expect(down(t.Context(), state{dir: filepath.Join(t.TempDir(), ".dev")})).To(Succeed())
	left := state{dir: filepath.Join(t.TempDir(), ".dev")}
	g.Expect(left.dir).NotTo(BeADirectory())
	g.Expect(os.MkdirAll(left.dir, 0o700)).To(Succeed())
	g.Expect(left.writeStatus(status{PID: os.Getpid(), Ready: true})).To(Succeed(), "as a power cut leaves it")
	g.Expect(down(t.Context(), left)).To(Succeed())
	g.Expect(left.dir).NotTo(BeADirectory())
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"sideways"}, {"up", "down"}} {
		if err := run(args); err == nil || !strings.Contains(err.Error(), "usage") {
			t.Errorf("run(%q) = %v", args, err)
		}
	}
}

func TestTheSupervisorDoesNotInheritAccess(t *testing.T) {
	g := NewWithT(t)
	given := []string{"PATH=/bin", "AWS_PROFILE=work", "KUBECONFIG=/work", "AWS_SECRET_ACCESS_KEY=s", "KUBECONFIGS=mine"}
	g.Expect(withoutAccess(given)).To(Equal([]string{"PATH=/bin", "KUBECONFIGS=mine"}))
	g.Expect(given).To(HaveLen(5), "the caller's list stays as it is")
}
