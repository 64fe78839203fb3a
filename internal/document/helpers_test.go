package document_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// canary marks values, so that a test can look for them where none may be.
const canary = "canary-7d1f"

// builtins are names that objects of JavaScript have from birth. Here they are
// keys like any other.
var builtins = []string{"__proto__", "constructor", "toString", "hasOwnProperty"}

// doc makes a document of keys and values in turn.
func doc(pairs ...string) document.Document {
	d := document.Document{}
	for i := 0; i < len(pairs); i += 2 {
		d[pairs[i]] = sensitive.New(pairs[i+1])
	}
	return d
}

// requireEqual shows keys and values: these are a test's own.
func requireEqual(t *testing.T, what string, got, want document.Document) {
	t.Helper()
	if !got.Equal(want) {
		t.Fatalf("%s: got %s, want %s", what, revealed(t, got), revealed(t, want))
	}
}

func revealed(t *testing.T, d document.Document) string {
	t.Helper()
	text, err := d.Encode()
	if err != nil {
		return err.Error()
	}
	return text.Reveal()
}

func mustEncode(t *testing.T, d document.Document) sensitive.Value {
	t.Helper()
	text, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// requireError requires an *Error with just these parts, which shows no value.
func requireError(t *testing.T, err error, want document.Error) {
	t.Helper()
	var got *document.Error
	if !errors.As(err, &got) {
		t.Fatalf("got error %v, want %v", err, &want)
	}
	if *got != want {
		t.Fatalf("got %#v, want %#v", *got, want)
	}
	if strings.Contains(err.Error(), canary) {
		t.Fatalf("error shows a value: %v", err)
	}
}
