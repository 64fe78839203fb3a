// Package live reads versions of live secrets.
package live

import (
	"context"
	"fmt"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// Version is one version of a live secret.
type Version struct {
	// ID is the VersionId in AWS.
	ID     string
	Values document.Document
}

// Read reads a version of the secret with this name or ARN, or, if versionID
// is empty, what is live. It fails with the store's error, or with an
// exit.Error of Refused where the secret does not hold an object of strings.
func Read(ctx context.Context, store secretstore.Store, id, versionID string) (Version, error) {
	got, err := store.Get(ctx, secretstore.GetInput{ID: id, VersionID: versionID})
	if err != nil {
		return Version{}, err
	}
	if got.Binary {
		return Version{}, exit.Errorf(exit.Refused,
			"secret %q holds binary data instead of a JSON object of strings: ask whoever manages it in AWS", got.Name)
	}
	values, err := document.Parse(got.Value)
	if err != nil {
		return Version{}, exit.Errorf(exit.Refused,
			"secret %q does not hold a JSON object of strings, %w: ask whoever manages it in AWS", got.Name, err)
	}
	return Version{ID: got.VersionID, Values: values}, nil
}

// Writable returns the part of a document that a dotenv file can carry, and the
// keys that it cannot.
func Writable(values document.Document) (kept document.Document, leftOut []string) {
	kept = document.Document{}
	for _, key := range values.Keys() {
		if document.ValidKey(key) == nil {
			kept[key] = values[key]
		} else {
			leftOut = append(leftOut, key)
		}
	}
	return kept, leftOut
}

// ReadTarget reads what is live in an environment. A secret that has no version
// yet is empty.
func ReadTarget(ctx context.Context, store secretstore.Store, t *factory.Target) (Version, error) {
	read, err := Read(ctx, store, t.Status.SecretName, "")
	if secretstore.KindOf(err) == secretstore.KindNotFound && t.Status.SecretARN != "" && t.Status.LiveVersionID == "" {
		return Version{Values: document.Document{}}, nil
	}
	if err != nil {
		return Version{}, fmt.Errorf("read what is live: %w", err)
	}
	return read, nil
}
