package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/cluster/process"
	"github.com/secretreview/secretreview/test/install"
)

const (
	managerName = "manager"
	// restartDelay is between an end of the manager and its next start.
	restartDelay = time.Second
	// tokenRefresh is how often the manager's token is renewed, as the kubelet does; it is good for a day.
	tokenRefresh = time.Hour
)

// manager keeps the manager's process running, as a Deployment would, and its ServiceAccount's token fresh, as the
// kubelet would.
type manager struct {
	stack *Stack
	quit  chan struct{}
	ended sync.WaitGroup

	mu      sync.Mutex
	process *process.Process
	// ends counts how often the manager has ended by itself.
	ends int
}

func (s *Stack) startManager(ctx context.Context) error {
	if err := s.refreshToken(ctx); err != nil {
		return err
	}
	account := s.cluster.AnonymousConfig()
	account.BearerTokenFile = s.file("manager-token")
	err := s.cluster.WriteKubeconfig(s.file("manager-kubeconfig"), cluster.Context{Name: managerName, Namespace: install.Namespace, Config: account})
	if err != nil {
		return err
	}
	m := &manager{stack: s, quit: make(chan struct{})}
	if err := m.startOnce(); err != nil {
		return err
	}
	s.manager = m
	m.ended.Go(m.keepRunning)
	m.ended.Go(m.keepTokenFresh)
	return nil
}

func (s *Stack) refreshToken(ctx context.Context) error {
	account, err := s.cluster.ServiceAccountConfig(ctx, install.Namespace, install.ServiceAccount)
	if err != nil {
		return err
	}
	// The manager may read it at any time, so it must never see half of it.
	fresh := s.file("manager-token.new")
	if err := os.WriteFile(fresh, []byte(account.BearerToken), 0o600); err != nil {
		return fmt.Errorf("cannot write the manager's token: %w", err)
	}
	if err := os.Rename(fresh, s.file("manager-token")); err != nil {
		return fmt.Errorf("cannot replace the manager's token: %w", err)
	}
	return nil
}

func (m *manager) startOnce() error {
	s := m.stack
	metrics, err := freeAddress()
	if err != nil {
		return err
	}
	health, err := freeAddress()
	if err != nil {
		return err
	}
	started, err := process.Start(process.Command{
		Name: managerName,
		Path: filepath.Join(s.bin, managerName),
		Args: append([]string{
			"--cluster-name=" + ClusterName,
			"--prefix=" + naming.DefaultPrefix,
			"--leader-elect",
			"--metrics-bind-address=" + metrics,
			"--health-probe-bind-address=" + health,
		}, s.managerArgs...),
		Env: []string{
			"KUBECONFIG=" + s.file("manager-kubeconfig"),
			"POD_NAMESPACE=" + install.Namespace,
			"AWS_ENDPOINT_URL=" + s.endpoint,
			"AWS_REGION=" + Region,
			"AWS_ACCESS_KEY_ID=" + managerName,
			"AWS_SECRET_ACCESS_KEY=" + secretAccessKey,
			"HOME=" + s.dir, // the SDK looks there for files of its own
		},
		LogFile: s.logFile(managerName),
	})
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.process = started
	return nil
}

// freeAddress is free now. Should somebody take it before the manager does, the manager ends and is started again
// with another.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("cannot find a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

func (m *manager) current() *process.Process {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.process
}

// failed returns why the manager ended when it has done so again and again, or nil.
func (m *manager) failed() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	const enough = 3
	if m.ends < enough {
		return nil
	}
	return fmt.Errorf("%s ended %d times; the end of %s:\n%s", managerName, m.ends, m.process.LogFile(), process.Tail(m.process.LogFile()))
}

func (m *manager) keepRunning() {
	for {
		select {
		case <-m.quit:
			return
		case <-m.current().Done():
		}
		m.mu.Lock()
		m.ends++
		m.mu.Unlock()
		select {
		case <-m.quit:
			return
		case <-time.After(restartDelay):
		}
		if err := m.startOnce(); err != nil {
			m.stack.progress("cannot start the manager again: " + err.Error())
			return
		}
	}
}

func (m *manager) keepTokenFresh() {
	ticker := time.NewTicker(tokenRefresh)
	defer ticker.Stop()
	for {
		select {
		case <-m.quit:
			return
		case <-ticker.C:
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		if err := m.stack.refreshToken(ctx); err != nil {
			m.stack.progress("cannot renew the manager's token, trying again in an hour: " + err.Error())
		}
		cancel()
	}
}

func (m *manager) kill() error { return m.current().Kill() }

func (m *manager) stop(ctx context.Context) error {
	select {
	case <-m.quit:
		return nil
	default:
	}
	close(m.quit)
	m.ended.Wait()
	if err := m.current().Stop(ctx); err != nil {
		return errors.Join(errors.New("the manager did not end in good order"), err)
	}
	return nil
}
