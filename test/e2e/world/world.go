package world

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/helm"
)

const (
	// ClusterName is the manager's --cluster-name, and stands in the owner tags of live secrets.
	ClusterName = "e2e"
	// Patience is how long anything may take that is waited for; on an idle machine it takes a second or two.
	Patience = 90 * time.Second

	pollInterval = 50 * time.Millisecond
	// keepEnv, when not empty, keeps the folder of a World.
	keepEnv = "SECRETREVIEW_KEEP"
)

// World is everything, running.
type World struct {
	Cluster *cluster.Cluster
	AWS     *AWS
	Manager *Manager

	// Mark stands in every secret value and every credential of the World, and nowhere else.
	Mark string

	dir     string
	release Release
	helm    *helm.Helm
	people  map[string]*Person
	teams   []*Team
	record  record
}

// Start builds the programs and starts everything. It leaves nothing running where it fails. The programs die with this
// process at the latest.
func Start(ctx context.Context) (*World, error) { return StartOn(ctx, Release{}) }

// StartOn is Start with another release.
func StartOn(ctx context.Context, release Release) (*World, error) {
	dir, err := os.MkdirTemp("", "secretreview-e2e-")
	if err != nil {
		return nil, fmt.Errorf("cannot make a folder for the tests: %w", err)
	}
	w := &World{
		Mark: "hush" + strings.ReplaceAll(uuid.NewString(), "-", ""), dir: dir, release: release, people: map[string]*Person{},
	}
	if err := w.start(ctx); err != nil {
		return nil, errors.Join(err, w.Stop(ctx))
	}
	return w, nil
}

func (w *World) start(ctx context.Context) error {
	for _, dir := range []string{w.binDir(), w.tempDir(), w.shellsDir(), w.file("people")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("cannot make a folder for the tests: %w", err)
		}
	}
	programs, err := cluster.FindBinaries("")
	if err != nil {
		return err
	}
	if err := build(w.binDir(), programs.Kubectl); err != nil {
		return err
	}
	if w.Cluster, err = cluster.Start(ctx, cluster.Options{Dir: w.file("cluster"), AuditLog: true, ControllerManager: true}); err != nil {
		return err
	}
	if w.AWS, err = startAWS(w.dir, w.program("emulator")); err != nil {
		return err
	}
	if err := w.install(ctx); err != nil {
		return err
	}
	w.Apply(scraperObjects()...)
	w.Manager, err = newManager(ctx, w)
	return err
}

// Stop stops everything and removes its folder, unless SECRETREVIEW_KEEP is set.
func (w *World) Stop(ctx context.Context) error {
	var err error
	if w.Manager != nil {
		err = w.Manager.stopAll(ctx)
	}
	if w.AWS != nil {
		err = errors.Join(err, w.AWS.process.Stop(ctx))
	}
	if w.Cluster != nil {
		err = errors.Join(err, w.Cluster.Stop())
	}
	if os.Getenv(keepEnv) == "" {
		err = errors.Join(err, os.RemoveAll(w.dir))
	}
	return err
}

// Secret is a value that is not to be seen: it says what it is, behind the Mark.
func (w *World) Secret(what string) string { return w.Mark + "-" + what }

func (w *World) file(name string) string { return filepath.Join(w.dir, name) }
func (w *World) binDir() string          { return w.file("bin") }

// program is a built program by its name, or another by its path.
func (w *World) program(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(w.binDir(), name)
}

// shellsDir holds the directories of all shells, where people keep values.
func (w *World) shellsDir() string { return w.file("shells") }

// tempDir is TMPDIR of all processes.
func (w *World) tempDir() string { return w.file("tmp") }

// Path is the PATH of all processes: first of all, what is built here.
func (w *World) Path() string { return w.binDir() + string(os.PathListSeparator) + os.Getenv("PATH") }

// environment is what all processes get.
func (w *World) environment() []string {
	return []string{
		"PATH=" + w.Path(),
		"TMPDIR=" + w.tempDir(),
		"AWS_ENDPOINT_URL=" + w.AWS.URL,
		"AWS_EC2_METADATA_DISABLED=true",
		// The race detector otherwise keeps each program for a second after its end.
		"GORACE=atexit_sleep_ms=0",
	}
}

// until polls outside of specs.
func until(done func() (bool, error)) error {
	return wait.PollUntilContextTimeout(context.Background(), pollInterval, Patience, true,
		func(context.Context) (bool, error) { return done() })
}
