package image_test

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/secretreview/secretreview/test/cluster"
)

func read(t *testing.T, folder, file string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(folder, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestTheSameCommitGivesTheSameImages is what lets others check a release.
func TestTheSameCommitGivesTheSameImages(t *testing.T) {
	again := t.TempDir()
	if _, err := release(t.Context(), again, "-platform", "linux/amd64", "images"); err != nil {
		t.Fatal(err)
	}
	first := strings.Split(read(t, built, "images.txt"), "\n")
	same := 0
	for line := range strings.Lines(read(t, again, "images.txt")) {
		if !strings.Contains(line, " linux/amd64 ") {
			continue
		}
		same++
		if !slices.Contains(first, strings.TrimSuffix(line, "\n")) {
			t.Errorf("%s is not among %q", line, first)
		}
	}
	if same != len(names) {
		t.Errorf("compared %d images", same)
	}
	for _, image := range names {
		sbom := image + "_linux_amd64.cdx.json"
		if read(t, built, sbom) != read(t, again, sbom) {
			t.Errorf("%s differs", sbom)
		}
	}
}

func TestImagesAreListedByDigest(t *testing.T) {
	list := read(t, built, "images.txt")
	for _, image := range names {
		digest, err := index(t, image).Digest()
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%s index %s\n", image, digest); !strings.Contains(list, want) {
			t.Errorf("there is no %q in\n%s", want, list)
		}
	}
}

func TestChecksumsAreOfAllFiles(t *testing.T) {
	entries, err := os.ReadDir(built)
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for _, entry := range entries {
		if !entry.IsDir() && entry.Name() != "checksums.txt" {
			fmt.Fprintf(&want, "%x  %s\n", sha256.Sum256([]byte(read(t, built, entry.Name()))), entry.Name())
		}
	}
	if got := read(t, built, "checksums.txt"); got != want.String() || got == "" {
		t.Errorf("got\n%s\nwant\n%s", got, want.String())
	}
}

func TestPushingAgainChangesNothing(t *testing.T) {
	before, err := index(t, "manager").Digest()
	if err != nil {
		t.Fatal(err)
	}
	printed, err := release(t.Context(), built, "-repository", repository, "push")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%s/manager:%s@%s\n", repository, version, before); !strings.Contains(printed, want) {
		t.Errorf("there is no %q in\n%s", want, printed)
	}
}

func TestRefuses(t *testing.T) {
	// Where another image is the release already.
	taken := repository + "/taken"
	tag, err := name.NewTag(taken + "/manager:" + version)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(tag, empty.Image, remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
	for sentence, c := range map[string]struct {
		args []string
		says string
	}{
		"a version without its v":             {[]string{"-version", "1.2.3", "images"}, "give a semantic one such as v1.2.3"},
		"a version that is not whole":         {[]string{"-version", "v1.2", "images"}, "give a semantic one such as v1.2.3"},
		"a version that no tag can be":        {[]string{"-version", "v1.2.3+meta", "images"}, "give a semantic one such as v1.2.3"},
		"no version":                          {[]string{"-version", "", "images"}, "give a semantic one such as v1.2.3"},
		"to make nothing":                     {nil, "nothing is asked for"},
		"to make what it does not know":       {[]string{"image"}, `"image" is no part of a release`},
		"a platform that it does not know":    {[]string{"-platform", "plan9/amd64", "images"}, "none of those that releases are built for"},
		"to push to nowhere":                  {[]string{"push"}, "push and -repository go together"},
		"a repository without pushing":        {[]string{"-repository", repository, "checksums"}, "push and -repository go together"},
		"to push to what is no repository":    {[]string{"-repository", "ghcr.io/Secretreview", "push"}, "repository can only contain"},
		"to push images of another release":   {[]string{"-version", "v1.2.4", "-repository", repository, "push"}, "is not of v1.2.4: make images first"},
		"to push images that are not there":   {[]string{"-out", t.TempDir(), "-repository", repository, "push"}, "make images first"},
		"to put another image over a release": {[]string{"-repository", taken, "push"}, "a release is never replaced"},
		"a chart without helm":                {[]string{"-helm", "/nowhere/helm", "chart"}, "/nowhere/helm"},
		"to release what is in no repository": {[]string{"-root", t.TempDir(), "images"}, "ask git which commit this is"},
	} {
		t.Run(sentence, func(t *testing.T) {
			if printed, err := release(t.Context(), built, c.args...); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %q, %v", printed, err)
			}
		})
	}
}

// TestTheChartIsOfTheReleaseAndTheCommit looks for the times of files, too, which make one archive differ from the next.
func TestTheChartIsOfTheReleaseAndTheCommit(t *testing.T) {
	bin, err := cluster.BinDir()
	if err != nil {
		t.Fatal(err)
	}
	helm := filepath.Join(bin, "helm")
	if _, err := os.Stat(helm); err != nil {
		t.Fatalf("helm is not built: run `make %s`", helm)
	}
	out := t.TempDir()
	if _, err := release(t.Context(), out, "-helm", helm, "chart"); err != nil {
		t.Fatal(err)
	}
	committed, err := strconv.ParseInt(git(t, "log", "-1", "--format=%ct"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	compressed, err := gzip.NewReader(strings.NewReader(read(t, out, "secretreview-1.2.3.tgz")))
	if err != nil {
		t.Fatal(err)
	}
	definition := ""
	for archive := tar.NewReader(compressed); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.ModTime.Unix() != committed {
			t.Errorf("%s tells when it was written: %s", header.Name, header.ModTime)
		}
		if header.Name == "secretreview/Chart.yaml" {
			content, err := io.ReadAll(archive)
			if err != nil {
				t.Fatal(err)
			}
			definition = string(content)
		}
	}
	for _, want := range []string{"version: 1.2.3\n", "appVersion: v1.2.3\n"} {
		if !strings.Contains(definition, want) {
			t.Errorf("there is no %q in\n%s", want, definition)
		}
	}
}
