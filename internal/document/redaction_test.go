package document_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"

	"github.com/secretreview/secretreview/internal/document"
)

func TestNothingPrintsAValue(t *testing.T) {
	s := staged(t)
	text, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	type hiding struct {
		d document.Document
		s document.Staged
	}
	things := map[string]any{
		"document": s.Patch.Set, "patch": s.Patch, "staged": s, "pointer": &s, "encoded": text,
		"hidden": hiding{s.Patch.Set, s}, "diff": s.Patch.Diff(), "nonce": s.Nonce,
	}
	for name, thing := range things {
		printed := map[string]string{}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			printed[verb] = fmt.Sprintf(verb, thing)
		}
		encoded, err := json.Marshal(thing)
		if err != nil {
			t.Fatal(err)
		}
		printed["json"] = string(encoded)
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "thing", thing)
		printed["slog"] = log.String()
		funcr.New(func(_, args string) { printed["logr"] = args }, funcr.Options{}).Info("m", "thing", thing)
		for form, shown := range printed {
			for _, secret := range []string{canary, fmt.Sprintf("%x", canary), "<new>", nonceHex} {
				if strings.Contains(shown, secret) {
					t.Errorf("%s as %s shows %s: %s", name, form, secret, shown)
				}
			}
		}
	}
}
