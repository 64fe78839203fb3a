package sensitive_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"

	"github.com/secretreview/secretreview/internal/sensitive"
)

const marked = "canary-7d1f"

type holder struct {
	Value   sensitive.Value
	Pointer *sensitive.Value
	Map     map[string]sensitive.Value
	hidden  sensitive.Value
	list    []sensitive.Value
}

func TestEveryPrintedFormIsRedacted(t *testing.T) {
	v := sensitive.New(marked)
	h := holder{Value: v, Pointer: &v, Map: map[string]sensitive.Value{"K": v}, hidden: v, list: []sensitive.Value{v}}
	printed := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
		printed["value "+verb] = fmt.Sprintf(verb, v)
		printed["pointer "+verb] = fmt.Sprintf(verb, &v)
		printed["holder "+verb] = fmt.Sprintf(verb, h)
	}
	encoded, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	printed["json"] = string(encoded)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "v", v, "h", h)
	printed["slog"] = log.String()
	funcr.New(func(_, args string) { printed["logr"] = args }, funcr.Options{}).Info("m", "v", v, "h", h)
	printed["error"] = fmt.Errorf("wrap %v", v).Error()

	for form, text := range printed {
		if strings.Contains(text, marked) || strings.Contains(text, fmt.Sprintf("%x", marked)) {
			t.Errorf("%s shows the value: %s", form, text)
		}
	}
}

func TestEqualComparesContent(t *testing.T) {
	if !sensitive.New("a").Equal(sensitive.New("a")) || sensitive.New("a").Equal(sensitive.New("b")) {
		t.Error("Equal does not compare content")
	}
	if sensitive.New("").Equal(sensitive.New("a")) || sensitive.New("ab").Len() != 2 {
		t.Error("length is wrong")
	}
}
