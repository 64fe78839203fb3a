package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// access is by what docker login and its helpers have stored.
var access = remote.WithAuthFromKeychain(authn.DefaultKeychain)

// push pushes the images of the folder, each with its SBOMs, and prints what they can be pulled by.
func (r *release) push() error {
	for name := range images {
		if err := r.pushImage(name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (r *release) pushImage(image string) error {
	tag, err := name.NewTag(fmt.Sprintf("%s/%s:%s", r.repository, image, r.version))
	if err != nil {
		return err
	}
	from, err := layout.ImageIndexFromPath(filepath.Join(r.out, "images", image))
	if errors.Is(err, os.ErrNotExist) {
		return errors.New("there is no such image in the folder: make images first")
	}
	if err != nil {
		return err
	}
	content, err := from.IndexManifest()
	if err != nil {
		return err
	}
	at := slices.IndexFunc(content.Manifests, func(d v1.Descriptor) bool { return d.MediaType.IsIndex() })
	if at < 0 || content.Manifests[at].Annotations["org.opencontainers.image.ref.name"] != r.version {
		return fmt.Errorf("the image in the folder is not of %s: make images first", r.version)
	}
	digest := content.Manifests[at].Digest
	if err := unused(tag, digest); err != nil {
		return err
	}
	index, err := from.ImageIndex(digest)
	if err != nil {
		return err
	}
	// By its digest first, and by its tag when everything is there.
	if err := remote.WriteIndex(tag.Digest(digest.String()), index, access); err != nil {
		return err
	}
	for _, d := range content.Manifests {
		if !d.MediaType.IsImage() {
			continue
		}
		sbom, err := from.Image(d.Digest)
		if err != nil {
			return err
		}
		if err := remote.Write(tag.Digest(d.Digest.String()), sbom, access); err != nil {
			return err
		}
	}
	if err := remote.Tag(tag, index, access); err != nil {
		return err
	}
	fmt.Printf("%s@%s\n", tag, digest)
	return nil
}

// unused refuses a tag that names another image: what a release is never changes.
func unused(tag name.Tag, digest v1.Hash) error {
	there, err := remote.Head(tag, access)
	if refusal := new(transport.Error); errors.As(err, &refusal) && refusal.StatusCode == http.StatusNotFound {
		return nil
	}
	if err != nil {
		return fmt.Errorf("ask the registry what %s is: %w", tag, err)
	}
	if there.Digest != digest {
		return fmt.Errorf("%s is there already, as %s, and this would be %s: a release is never replaced, make a new one", tag, there.Digest, digest)
	}
	return nil
}
