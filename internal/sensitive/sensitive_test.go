package sensitive_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
	"github.com/go-logr/zapr"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

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

// TestAManagersLogIsRedacted logs as the manager does.
func TestAManagersLogIsRedacted(t *testing.T) {
	v := sensitive.New(marked)
	var log bytes.Buffer
	logger := zapr.NewLogger(zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(&log), zapcore.DebugLevel)))
	logger.Info("m", "v", v, "p", &v, "h", holder{Value: v, hidden: v, Map: map[string]sensitive.Value{"K": v}})
	logger.Error(fmt.Errorf("wrap %w", fmt.Errorf("%v", v)), "m", "list", []sensitive.Value{v})
	if log.Len() == 0 || strings.Contains(log.String(), marked) {
		t.Errorf("the log shows the value, or nothing: %s", log.String())
	}
}

// TestAPanicIsRedacted lets this program die of values in every wrapping, and
// reads what it leaves behind, its stack and arguments included.
func TestAPanicIsRedacted(t *testing.T) {
	v := sensitive.New(marked)
	causes := map[string]any{
		"value": v, "pointer": &v, "holder": holder{Value: v, hidden: v}, "map": map[string]sensitive.Value{"K": v},
		"error": fmt.Errorf("wrap %v", v), "text": fmt.Sprint(v),
	}
	const variable = "SECRETREVIEW_TEST_PANIC"
	if cause := os.Getenv(variable); cause != "" {
		panic(causes[cause])
	}
	for cause := range causes {
		program := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAPanicIsRedacted$")
		program.Env = append(os.Environ(), variable+"="+cause, "GOTRACEBACK=all")
		output, err := program.CombinedOutput()
		if err == nil || !strings.Contains(string(output), "panic") {
			t.Fatalf("%s: it did not panic: %s", cause, output)
		}
		if strings.Contains(string(output), marked) {
			t.Errorf("%s: the panic shows the value: %s", cause, output)
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
