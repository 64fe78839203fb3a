package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// An image has no base: a program and its licence are all that is in it. The programs bring the CA certificates that
// they trust where the system has none.
const (
	// user is the one that distroless images call nonroot, too.
	user   = "65532:65532"
	folder = "/usr/local/bin"
)

// images are the programs that are released as images, with what their annotations say of them.
var images = map[string]struct{ title, description string }{
	"manager": {"secretreview manager", "Makes reviewed changes live in AWS Secrets Manager"},
	"sr":      {"sr", "Proposes, reviews and reads the secrets of an environment"},
}

// writeImages writes each image's layout, and a line for each manifest into images.txt: name, platform or "index", and
// digest.
func (r *release) writeImages() error {
	list, err := os.Create(filepath.Join(r.out, "images.txt"))
	if err != nil {
		return err
	}
	defer func() { _ = list.Close() }()
	for _, name := range []string{"manager", "sr"} {
		if err := r.writeImage(name, list); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := list.Close(); err != nil {
		return err
	}
	return r.writeChecksums()
}

// writeImage writes an OCI layout that holds an index, with an image for each platform, and the SBOM of each image.
func (r *release) writeImage(name string, list io.Writer) error {
	path := filepath.Join(r.out, "images", name)
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	to, err := layout.Write(path, empty.Index)
	if err != nil {
		return err
	}
	index := mutate.Annotations(empty.Index, r.annotations(name)).(v1.ImageIndex)
	for _, p := range r.platforms {
		if p.OS != "linux" {
			continue
		}
		built, err := r.build(name, p)
		if err != nil {
			return err
		}
		image, err := r.image(built)
		if err != nil {
			return err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: p.OS, Architecture: p.Arch}},
		})
		if err := appendSBOM(to, image, built.SBOM); err != nil {
			return err
		}
		if err := note(list, name, p.String(), image); err != nil {
			return err
		}
	}
	if err := note(list, name, "index", index); err != nil {
		return err
	}
	return to.AppendIndex(index, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": r.version}))
}

func note(list io.Writer, name, what string, of interface{ Digest() (v1.Hash, error) }) error {
	digest, err := of.Digest()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(list, name, what, digest)
	return err
}

// image is the image of one program.
func (r *release) image(p program) (v1.Image, error) {
	content, err := r.files(p)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(
		func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
		tarball.WithMediaType(types.OCILayer), tarball.WithCompressionLevel(gzip.BestCompression), tarball.WithCompressedCaching)
	if err != nil {
		return nil, err
	}
	created := v1.Time{Time: r.source.committed}
	image, err := mutate.ConfigFile(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), &v1.ConfigFile{
		OS: p.OS, Architecture: p.Arch, Created: created, RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{
			User: user, Entrypoint: []string{path.Join(folder, p.Name)}, Env: []string{"PATH=" + folder}, WorkingDir: "/",
			Labels: r.annotations(p.Name),
		},
	})
	if err != nil {
		return nil, err
	}
	image, err = mutate.Append(image, mutate.Addendum{
		Layer: layer, MediaType: types.OCILayer, History: v1.History{Created: created, CreatedBy: "make image", Comment: p.Name + " and LICENSE"},
	})
	if err != nil {
		return nil, err
	}
	return mutate.Annotations(image, r.annotations(p.Name)).(v1.Image), nil
}

// files are a program and its licence, as a tar file.
func (r *release) files(p program) ([]byte, error) {
	files := []struct {
		name, from string
		mode       int64
	}{
		{name: path.Join("licenses", "LICENSE"), from: filepath.Join(r.root, "LICENSE"), mode: 0o644},
		{name: path.Join(folder, p.Name)[1:], from: p.Path, mode: 0o755},
	}
	var out bytes.Buffer
	archive := tar.NewWriter(&out)
	header := tar.Header{ModTime: r.source.committed, Format: tar.FormatPAX}
	for _, file := range files {
		for _, parent := range parents(file.name) {
			header.Typeflag, header.Name, header.Mode, header.Size = tar.TypeDir, parent+"/", 0o755, 0
			if err := archive.WriteHeader(&header); err != nil {
				return nil, err
			}
		}
		content, err := os.ReadFile(file.from)
		if err != nil {
			return nil, err
		}
		header.Typeflag, header.Name, header.Mode, header.Size = tar.TypeReg, file.name, file.mode, int64(len(content))
		if err := archive.WriteHeader(&header); err != nil {
			return nil, err
		}
		if _, err := archive.Write(content); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), archive.Close()
}

// parents are the folders above a file, the outermost first.
func parents(name string) []string {
	var all []string
	for folder := path.Dir(name); folder != "."; folder = path.Dir(folder) {
		all = append(all, folder)
	}
	slices.Reverse(all)
	return all
}

// appendSBOM puts an SBOM beside the image that it is of, as what the OCI specification calls a referrer.
func appendSBOM(to layout.Path, image v1.Image, sbom []byte) error {
	subject, err := partial.Descriptor(image)
	if err != nil {
		return err
	}
	artifact := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), sbomType)
	artifact, err = mutate.AppendLayers(artifact, static.NewLayer(sbom, sbomType))
	if err != nil {
		return err
	}
	return to.AppendImage(mutate.Subject(artifact, v1.Descriptor{
		MediaType: subject.MediaType, Digest: subject.Digest, Size: subject.Size,
	}).(v1.Image))
}

// annotations are https://github.com/opencontainers/image-spec/blob/main/annotations.md.
func (r *release) annotations(name string) map[string]string {
	const prefix = "org.opencontainers.image."
	return map[string]string{
		prefix + "created":     r.source.committed.Format(time.RFC3339),
		prefix + "description": images[name].description,
		prefix + "licenses":    "Apache-2.0",
		prefix + "revision":    r.source.revision,
		prefix + "source":      "https://github.com/secretreview/secretreview",
		prefix + "title":       images[name].title,
		prefix + "url":         "https://github.com/secretreview/secretreview",
		prefix + "vendor":      "The secretreview authors",
		prefix + "version":     r.version,
	}
}
