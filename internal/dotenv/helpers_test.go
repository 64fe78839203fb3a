package dotenv_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/dotenv"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// canary marks what may not stand in an error.
const canary = "canary-7d1f"

const versionID = "0f5c2c6e-95f7-4b19-8c11-3f3b5a1d9e77"

var header = dotenv.Header{Project: "backend-api", Environment: "production", VersionID: versionID}

func doc(pairs ...string) document.Document {
	d := document.Document{}
	for i := 0; i < len(pairs); i += 2 {
		d[pairs[i]] = sensitive.New(pairs[i+1])
	}
	return d
}

func parse(t *testing.T, text string) dotenv.File {
	t.Helper()
	file, err := dotenv.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return file
}

func format(t *testing.T, values document.Document, h dotenv.Header) string {
	t.Helper()
	var text strings.Builder
	if err := dotenv.Format(&text, values, h); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// requireValues shows values: these are a test's own.
func requireValues(t *testing.T, text string, got, want document.Document) {
	t.Helper()
	for _, change := range document.Diff(want, got) {
		t.Errorf("%s: %s is %q, want %q", change.Type, change.Key, got[change.Key].Reveal(), want[change.Key].Reveal())
	}
	if t.Failed() {
		t.Fatalf("in %q", text)
	}
}

func requireError(t *testing.T, err error, want dotenv.Error) {
	t.Helper()
	var got *dotenv.Error
	if !errors.As(err, &got) {
		t.Fatalf("got %v, want %v", err, &want)
	}
	if *got != want {
		t.Fatalf("got %+v, want %+v", *got, want)
	}
	if strings.Contains(err.Error(), canary) {
		t.Fatalf("error shows what stands in the file: %v", err)
	}
}
