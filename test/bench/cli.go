package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/secretreview/secretreview/test/cluster"
)

// ran is what runs of a program took, in milliseconds each.
type ran struct{ wall, cpu []float64 }

// run runs a program so many times.
func (s *site) run(ctx context.Context, count int, path string, args ...string) (ran, error) {
	var r ran
	for range count {
		cmd := exec.CommandContext(ctx, path, args...)
		cmd.Dir = s.dir
		cmd.Env = []string{
			"HOME=" + s.dir, "KUBECONFIG=" + s.file("alice.kubeconfig"), "AWS_ENDPOINT_URL=" + s.endpoint, "AWS_REGION=" + region,
			"AWS_ACCESS_KEY_ID=alice", "AWS_SECRET_ACCESS_KEY=x", "AWS_EC2_METADATA_DISABLED=true",
		}
		began := time.Now()
		out, err := cmd.CombinedOutput()
		if err != nil {
			return r, fmt.Errorf("%s %v: %w: %s", filepath.Base(path), args, err, out)
		}
		r.wall = append(r.wall, milliseconds(time.Since(began)))
		r.cpu = append(r.cpu, milliseconds(cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()))
	}
	return r, nil
}

// people gives alice a kubeconfig.
func (s *site) people() error {
	return s.cluster.WriteKubeconfig(s.file("alice.kubeconfig"), cluster.Context{Name: "alice", Namespace: namespace, Config: s.cluster.UserConfig("alice")})
}

// commandLine looks how fast sr starts, and reads what is live, beside a kubectl that only says its version.
func commandLine(ctx context.Context, b *bench) error {
	return b.with(ctx, nil, func(s *site) error {
		environments, err := s.environments(ctx, "cli", 1)
		if err != nil {
			return err
		}
		if err := s.people(); err != nil {
			return err
		}
		sr, count := filepath.Join(s.bin, "sr"), b.size(30, 5)
		pull := []string{"pull", "-n", namespace, "-p", environments[0].project, "-e", environments[0].name, "-y"}
		kubectl, err := s.run(ctx, count, s.cluster.Binaries().Kubectl, "version", "--client")
		if err != nil {
			return err
		}
		b.report.add("kubectl version --client: p50", percentile(kubectl.wall, 0.5), "ms")
		b.report.add("kubectl version --client: processor time, p50", percentile(kubectl.cpu, 0.5), "ms")
		for _, one := range []struct {
			what  string
			delay time.Duration
			args  []string
		}{
			{"sr --version", 0, []string{"--version"}},
			{"sr help", 0, []string{"help"}},
			{"sr pull", 0, pull},
			{fmt.Sprintf("sr pull, with AWS at %s", slowAWS), slowAWS, pull},
		} {
			if err := s.slow(ctx, one.delay); err != nil {
				return err
			}
			if err := os.RemoveAll(s.file(".env")); err != nil {
				return err
			}
			found, err := s.run(ctx, count, sr, one.args...)
			if err != nil {
				return err
			}
			b.report.add(one.what+": p50", percentile(found.wall, 0.5), "ms")
			b.report.add(one.what+": processor time, p50", percentile(found.cpu, 0.5), "ms")
			b.report.add(one.what+": as many times kubectl's processor time", percentile(found.cpu, 0.5)/percentile(kubectl.cpu, 0.5), "")
		}
		return nil
	})
}
