package image_test

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

const sbomType = "application/vnd.cyclonedx+json"

// bom is as much of https://cyclonedx.org/docs/1.6/json/ as is looked at.
type bom struct {
	Format   string `json:"bomFormat"`
	Metadata struct {
		Component component `json:"component"`
	} `json:"metadata"`
	Components []component `json:"components"`
}

type component struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Hashes  []struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	} `json:"hashes"`
}

// attached is the SBOM that a registry lists as referring to an image.
func attached(t *testing.T, repository, image string, pulled v1.Image) []byte {
	t.Helper()
	digest, err := pulled.Digest()
	if err != nil {
		t.Fatal(err)
	}
	subject, err := name.NewDigest(repository + "/" + image + "@" + digest.String())
	if err != nil {
		t.Fatal(err)
	}
	referrers, err := remote.Referrers(subject, remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	list, err := referrers.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Manifests) != 1 || list.Manifests[0].ArtifactType != sbomType {
		t.Fatalf("refer to %s: %+v", subject, list.Manifests)
	}
	artifact, err := remote.Image(subject.Context().Digest(list.Manifests[0].Digest.String()), remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	layers, err := artifact.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("got %d layers, %v", len(layers), err)
	}
	reader, err := layers[0].Compressed()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	content, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestImagesHaveAnSBOMOfWhatIsInTheirProgram(t *testing.T) {
	forEach(t, func(t *testing.T, image, architecture string, pulled v1.Image) {
		content := attached(t, repository, image, pulled)
		var sbom bom
		if err := json.Unmarshal(content, &sbom); err != nil {
			t.Fatal(err)
		}
		program := files(t, pulled)["usr/local/bin/"+image].content
		info, err := buildinfo.Read(bytes.NewReader(program))
		if err != nil {
			t.Fatal(err)
		}
		it := sbom.Metadata.Component
		if sbom.Format != "CycloneDX" || it.Name != "github.com/secretreview/secretreview" || it.Version != version {
			t.Errorf("it is %s of %s %s", sbom.Format, it.Name, it.Version)
		}
		sum := sha256.Sum256(program)
		if len(it.Hashes) != 1 || it.Hashes[0].Algorithm != "SHA-256" || it.Hashes[0].Content != hex.EncodeToString(sum[:]) {
			t.Errorf("it is of another program: %v", it.Hashes)
		}
		want := []string{"std@" + info.GoVersion}
		for _, module := range info.Deps {
			want = append(want, module.Path+"@"+module.Version)
		}
		var got []string
		for _, c := range sbom.Components {
			got = append(got, c.Name+"@"+c.Version)
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("it lists %q, and the program has %q", got, want)
		}
		released, err := os.ReadFile(filepath.Join(built, image+"_linux_"+architecture+".cdx.json"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(released, content) {
			t.Error("the release has another")
		}
	})
}

// TestSBOMsAreFoundInOlderRegistries is for registries that know no referrers: a tag lists them there.
func TestSBOMsAreFoundInOlderRegistries(t *testing.T) {
	server := newRegistry(registry.WithReferrersSupport(false))
	defer server.Close()
	old := strings.TrimPrefix(server.URL, "http://") + "/team"
	if _, err := release(t.Context(), built, "-repository", old, "push"); err != nil {
		t.Fatal(err)
	}
	forEach(t, func(t *testing.T, image, _ string, pulled v1.Image) {
		if !bytes.Equal(attached(t, old, image, pulled), attached(t, repository, image, pulled)) {
			t.Error("got another")
		}
	})
}
