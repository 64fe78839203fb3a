package image_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/secretreview/secretreview/test/cluster"
)

const version = "v1.2.3"

// names are the images, which bear the names of their programs.
var names = []string{"manager", "sr"}

var architectures = []string{"amd64", "arm64"}

// root is the repository; built has what was made once, for all tests; registry is where that was pushed to.
var root, built, repository string

func TestMain(m *testing.M) {
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runAll(m *testing.M) (code int, err error) {
	if root, err = cluster.RepositoryRoot(); err != nil {
		return 0, err
	}
	if built, err = os.MkdirTemp("", "image-"); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(built)) }()
	server := newRegistry()
	defer server.Close()
	repository = strings.TrimPrefix(server.URL, "http://") + "/secretreview"
	args := []string{"-repository", repository}
	for _, architecture := range architectures {
		args = append(args, "-platform", "linux/"+architecture)
	}
	if _, err = release(context.Background(), built, append(args, "images", "push")...); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

func newRegistry(options ...registry.Option) *httptest.Server {
	quiet := registry.Logger(log.New(io.Discard, "", 0))
	return httptest.NewServer(registry.New(append([]registry.Option{quiet, registry.WithReferrersSupport(true)}, options...)...))
}

// release runs the program that makes releases, and returns what it prints.
func release(ctx context.Context, out string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, "go", append([]string{"run", ".", "-root", root, "-out", out, "-version", version}, args...)...)
	command.Dir = filepath.Join(root, "tools", "release")
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("%w: %s", err, stderr.String())
	}
	return stdout.String(), nil
}

// index is what the tag of the release names.
func index(t *testing.T, image string) v1.ImageIndex {
	t.Helper()
	tag, err := name.NewTag(repository + "/" + image + ":" + version)
	if err != nil {
		t.Fatal(err)
	}
	found, err := remote.Index(tag, remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// forEach runs a test for every image on every architecture.
func forEach(t *testing.T, test func(t *testing.T, image, architecture string, pulled v1.Image)) {
	t.Helper()
	for _, image := range names {
		from := index(t, image)
		manifest, err := from.IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := len(manifest.Manifests), len(architectures); got != want {
			t.Fatalf("%s has %d platforms instead of %d", image, got, want)
		}
		for i, architecture := range architectures {
			t.Run(image+" on "+architecture, func(t *testing.T) {
				d := manifest.Manifests[i]
				if d.Platform == nil || d.Platform.OS != "linux" || d.Platform.Architecture != architecture {
					t.Fatalf("got platform %v", d.Platform)
				}
				pulled, err := from.Image(d.Digest)
				if err != nil {
					t.Fatal(err)
				}
				test(t, image, architecture, pulled)
			})
		}
	}
}
