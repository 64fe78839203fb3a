package image_test

import (
	"archive/tar"
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"io"
	"maps"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// file is one of an image.
type file struct {
	folder  bool
	mode    int64
	owner   int
	content []byte
}

// files are all that an image has, by their names.
func files(t *testing.T, image v1.Image) map[string]file {
	t.Helper()
	layers := mutate.Extract(image)
	defer func() { _ = layers.Close() }()
	found := map[string]file{}
	for archive := tar.NewReader(layers); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		found[header.Name] = file{folder: header.Typeflag == tar.TypeDir, mode: header.Mode, owner: header.Uid, content: content}
	}
}

func config(t *testing.T, image v1.Image) *v1.ConfigFile {
	t.Helper()
	found, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func git(t *testing.T, args ...string) string {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "git", append([]string{"-C", root}, args...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(output))
}

func TestImagesStartTheirProgramAsNobody(t *testing.T) {
	forEach(t, func(t *testing.T, image, architecture string, pulled v1.Image) {
		c := config(t, pulled)
		want := v1.Config{
			User: "65532:65532", Entrypoint: []string{"/usr/local/bin/" + image}, Env: []string{"PATH=/usr/local/bin"},
			WorkingDir: "/", Labels: c.Config.Labels,
		}
		if !reflect.DeepEqual(c.Config, want) {
			t.Errorf("got %+v, want %+v", c.Config, want)
		}
		if c.OS != "linux" || c.Architecture != architecture || c.RootFS.Type != "layers" {
			t.Errorf("got %s/%s with %s", c.OS, c.Architecture, c.RootFS.Type)
		}
	})
}

func TestImagesSayWhatTheyAreMadeFrom(t *testing.T) {
	revision := git(t, "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty")
	forEach(t, func(t *testing.T, image, _ string, pulled v1.Image) {
		manifest, err := pulled.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		whole, err := index(t, image).IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		labels := config(t, pulled).Config.Labels
		for key, want := range map[string]string{
			"source": "https://github.com/secretreview/secretreview", "revision": revision, "version": version, "licenses": "Apache-2.0",
		} {
			if got := labels["org.opencontainers.image."+key]; got != want {
				t.Errorf("the label %s is %q, want %q", key, got, want)
			}
		}
		if labels["org.opencontainers.image.title"] == "" || labels["org.opencontainers.image.description"] == "" {
			t.Errorf("does not say what it is: %v", labels)
		}
		for what, annotations := range map[string]map[string]string{"manifest": manifest.Annotations, "index": whole.Annotations} {
			if !maps.Equal(annotations, labels) {
				t.Errorf("the %s says %v, and the labels say %v", what, annotations, labels)
			}
		}
	})
}

func TestImagesHoldNothingButTheirProgram(t *testing.T) {
	forEach(t, func(t *testing.T, image, _ string, pulled v1.Image) {
		found := files(t, pulled)
		want := []string{"licenses", "licenses/LICENSE", "usr", "usr/local", "usr/local/bin", "usr/local/bin/" + image}
		if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		for name, f := range found {
			if f.owner != 0 || f.mode&0o7022 != 0 {
				t.Errorf("%s can be changed by others than root: owner %d, mode %o", name, f.owner, f.mode)
			}
		}
	})
}

func TestProgramsNeedNothingBesideThem(t *testing.T) {
	machines := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}
	forEach(t, func(t *testing.T, image, architecture string, pulled v1.Image) {
		program := files(t, pulled)["usr/local/bin/"+image].content
		parsed, err := elf.NewFile(bytes.NewReader(program))
		if err != nil {
			t.Fatal(err)
		}
		if parsed.Machine != machines[architecture] {
			t.Errorf("is for %s", parsed.Machine)
		}
		for _, header := range parsed.Progs {
			if header.Type == elf.PT_INTERP || header.Type == elf.PT_DYNAMIC {
				t.Errorf("is not static: it has %s", header.Type)
			}
		}
		info, err := buildinfo.Read(bytes.NewReader(program))
		if err != nil {
			t.Fatal(err)
		}
		settings := map[string]string{}
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
		if settings["CGO_ENABLED"] != "0" || settings["-trimpath"] != "true" || info.Path != "github.com/secretreview/secretreview/cmd/"+image {
			t.Errorf("was built as %s with %v", info.Path, settings)
		}
		if bytes.Contains(program, []byte(root)) {
			t.Errorf("tells that it was built in %s", root)
		}
	})
}

// TestProgramsBringCertificateAuthorities looks for those that sign the certificates of AWS in a program itself: there
// are none in the image.
func TestProgramsBringCertificateAuthorities(t *testing.T) {
	var amazon [][]byte
	for authority := range bundle.Roots() {
		if bytes.Contains(authority.Certificate, []byte("Amazon Root CA")) {
			amazon = append(amazon, authority.Certificate)
		}
	}
	if len(amazon) < 4 {
		t.Fatalf("the bundle has %d of Amazon's", len(amazon))
	}
	forEach(t, func(t *testing.T, image, _ string, pulled v1.Image) {
		program := files(t, pulled)["usr/local/bin/"+image].content
		for _, certificate := range amazon {
			if !bytes.Contains(program, certificate) {
				t.Error("lacks one of Amazon's")
			}
		}
	})
}
