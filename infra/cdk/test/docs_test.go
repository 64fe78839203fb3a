package test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/infra/cdk/app"
)

func document(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(module, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDocumentsTellOfEveryField(t *testing.T) {
	text := document(t, "../../docs/aws.md")
	seen := map[reflect.Type]bool{}
	var look func(reflect.Type)
	look = func(of reflect.Type) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || seen[of] {
			return
		}
		seen[of] = true
		for i := range of.NumField() {
			field := of.Field(i)
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name == "-" {
				continue
			}
			if name != "" && !regexp.MustCompile("`[^`\n]*\\b"+name+"\\b[^`\n]*`").MatchString(text) {
				t.Errorf("docs/aws.md says nothing of the field %s of %s", name, of.Name())
			}
			look(field.Type)
		}
	}
	look(reflect.TypeFor[app.Config]())
	if len(seen) < 10 {
		t.Errorf("only %d types were looked at", len(seen))
	}
}

func TestTheConsumersPolicyInTheDocumentsIsTheOneThatIsTried(t *testing.T) {
	_, rest, _ := strings.Cut(document(t, "../../docs/aws-second-account.md"), "```json\n")
	shown, _, found := strings.Cut(rest, "```")
	var told, tried any
	if err := json.Unmarshal([]byte(shown), &told); err != nil || !found {
		t.Fatalf("the document's policy: %v", err)
	}
	if err := json.Unmarshal([]byte(document(t, "examples/consumer-policy.json")), &tried); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(told, tried) {
		t.Error("docs/aws-second-account.md shows another policy than examples/consumer-policy.json")
	}
}
