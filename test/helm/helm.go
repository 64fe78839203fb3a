// Package helm runs the pinned helm with the project's chart, as tests and the local world install it.
package helm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/secretreview/secretreview/test/cluster"
)

const (
	// Release is the name under which tests install the chart.
	Release = "secretreview"
	// programName is the newest helm; OldProgram one of the release before it, which can still render the chart.
	programName = "helm"
	OldProgram  = "helm3"
)

// Helm is a user of helm.
type Helm struct {
	program string
	env     []string
}

// New returns a user whose files are in dir, with the current context of kubeconfig, which need not exist for what needs no
// cluster.
func New(dir, kubeconfig string) (*Helm, error) { return NewOf(programName, dir, kubeconfig) }

// NewOf is New with another program of the Makefile's folder of tools.
func NewOf(program, dir, kubeconfig string) (*Helm, error) {
	bin, err := cluster.BinDir()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(bin, program)
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("there is no %s: \"make %s\" builds it", path, path)
	}
	return &Helm{program: path, env: []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "KUBECONFIG=" + kubeconfig,
		"HELM_CACHE_HOME=" + filepath.Join(dir, "cache"), "HELM_CONFIG_HOME=" + filepath.Join(dir, "config"), "HELM_DATA_HOME=" + filepath.Join(dir, "data"),
	}}, nil
}

// Run returns what helm prints; its error holds what it complains of.
func (h *Helm) Run(ctx context.Context, args ...string) (string, error) {
	var out, complaint strings.Builder
	cmd := exec.CommandContext(ctx, h.program, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = h.env, &out, &complaint
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out.String(), fmt.Errorf("helm %s: %s", args[0], strings.TrimSpace(complaint.String()))
	}
	return out.String(), err
}

// Chart is the folder of the project's chart.
func Chart() (string, error) {
	root, err := cluster.RepositoryRoot()
	return filepath.Join(root, "charts", "secretreview"), err
}
