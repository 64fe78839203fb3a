package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

const kustomization = "kustomization.yaml"

// Objects returns the objects in the files of one folder of Manifests, but not of the folders in it, in the order of
// the files' names and of the documents in each. The caller owns them.
func Objects(dir string) ([]*unstructured.Unstructured, error) {
	entries, err := Manifests.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot list the manifests in %s: %w", dir, err)
	}
	var objects []*unstructured.Unstructured
	for _, entry := range entries {
		if entry.IsDir() || entry.Name() == kustomization {
			continue
		}
		found, err := decode(path.Join(dir, entry.Name()))
		if err != nil {
			return nil, err
		}
		objects = append(objects, found...)
	}
	return objects, nil
}

func decode(file string) ([]*unstructured.Unstructured, error) {
	content, err := Manifests.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the manifest %s: %w", file, err)
	}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), len(content))
	var objects []*unstructured.Unstructured
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("the manifest %s is malformed: %w", file, err)
		}
		objects = append(objects, object)
	}
}
