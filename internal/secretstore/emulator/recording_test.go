package emulator_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// recordingsFile holds what real AWS answered to LocalStack's tests of Secrets
// Manager (github.com/localstack/localstack at 8b9a79f, Apache-2.0,
// tests/aws/services/secretsmanager/*.snapshot.json). It is not part of this
// repository; SECRETREVIEW_AWS_RECORDINGS names it, or it lies beside it.
func recordingsFile() string {
	if file := os.Getenv("SECRETREVIEW_AWS_RECORDINGS"); file != "" {
		return file
	}
	return filepath.Join("..", "..", "..", "..", "shared", "aws-recordings", "secretsmanager.snapshot.json")
}

// TestRecordedAnswers makes the calls behind each recording and compares every
// answer with what AWS said.
func TestRecordedAnswers(t *testing.T) {
	content, err := os.ReadFile(recordingsFile())
	if os.IsNotExist(err) {
		t.Skip("no recordings: name secretsmanager.snapshot.json in SECRETREVIEW_AWS_RECORDINGS")
	}
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]struct {
		Content map[string]any `json:"recorded-content"`
	}
	if err := json.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	replayed := 0
	for _, full := range slices.Sorted(maps.Keys(file)) {
		name := full[strings.LastIndex(full, "::")+2:]
		base, parameter, _ := strings.Cut(strings.TrimSuffix(name, "]"), "[")
		t.Run(name, func(t *testing.T) {
			if reason := notReplayed[base]; reason != "" {
				t.Skip(reason)
			}
			scenario := scenarios[base]
			if scenario == nil {
				t.Fatal("there are no calls for this recording")
			}
			replayed++
			p := newPlayer(t, file[full].Content)
			scenario(p, parameter)
			p.finish()
		})
	}
	fmt.Printf("recordings of AWS: %d replayed, %d not\n", replayed, len(file)-replayed)
}

// notReplayed are recordings of what the emulator does not have.
var notReplayed = map[string]string{
	"test_rotate_secret_with_lambda_success":                "there are no Lambda functions to rotate with",
	"test_rotate_secret_multiple_times_with_lambda_success": "there are no Lambda functions to rotate with",
}

// player makes calls and compares the answers with one recording.
type player struct {
	*testing.T
	*client
	recorded map[string]any
	compared map[string]bool
	// bound is what the recording's placeholders stand for here.
	bound map[string]string
}

func newPlayer(t *testing.T, recorded map[string]any) *player {
	return &player{
		T: t, client: newClient(t, recordedOptions), recorded: recorded, compared: map[string]bool{},
		bound: map[string]string{"<partition>": "aws", "<region>": recordedOptions.Region},
	}
}

// named tells that a placeholder stands for a secret's name.
func (p *player) named(placeholder, name string) string {
	p.bound[placeholder] = name
	return name
}

func (p *player) finish() {
	p.Helper()
	for key := range p.recorded {
		if !p.compared[key] {
			p.Errorf("%s was recorded, but no call was made for it", key)
		}
	}
}

// call makes one call, as an SDK would, and compares the answer where the
// recording has one under key.
func (p *player) call(key, operation string, body fields) map[string]any {
	p.Helper()
	status, answer := p.do(operation, p.withToken(operation, body))
	if key == "" {
		return answer
	}
	want, ok := p.recorded[key]
	if !ok {
		p.Fatalf("nothing was recorded under %s", key)
	}
	p.compared[key] = true
	switch want := want.(type) {
	case string: // the text that boto3 makes of an error
		p.compare(key, want, fmt.Sprintf("An error occurred (%s) when calling the %s operation: %s", answer["__type"], operation, message(answer)))
	case map[string]any:
		p.compare(key, want, asRecorded(status, answer, want))
	}
	return answer
}

// asRecorded gives an answer the form that the recorder, boto3, gave to AWS's.
func asRecorded(status int, answer, want map[string]any) map[string]any {
	out := maps.Clone(answer)
	if code, failed := out["__type"]; failed {
		out["Error"] = map[string]any{"Code": code, "Message": message(answer)}
		delete(out, "__type")
		delete(out, "message")
	}
	if binary, ok := out["SecretBinary"].(string); ok && strings.HasPrefix(fmt.Sprint(want["SecretBinary"]), "b'") {
		out["SecretBinary"] = pythonBytes(binary)
	}
	if policy, ok := out["ResourcePolicy"].(string); ok {
		var parsed any
		if json.Unmarshal([]byte(policy), &parsed) == nil {
			out["ResourcePolicy"] = parsed
		}
	}
	if _, ok := want["ResponseMetadata"]; ok {
		out["ResponseMetadata"] = map[string]any{"HTTPHeaders": map[string]any{}, "HTTPStatusCode": float64(status)}
	}
	return out
}

// pythonBytes is how Python prints bytes, here given in base64.
func pythonBytes(b64 string) string {
	raw, _ := base64.StdEncoding.DecodeString(b64)
	var text strings.Builder
	for _, c := range raw {
		if c < ' ' || c > '~' {
			fmt.Fprintf(&text, `\x%02x`, c)
		} else {
			text.WriteByte(c)
		}
	}
	return "b'" + text.String() + "'"
}

func message(answer map[string]any) any {
	if text, ok := answer["Message"]; ok {
		return text
	}
	return answer["message"]
}

// compare walks what was recorded and what is here side by side.
func (p *player) compare(path string, want, got any) {
	p.Helper()
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			p.Errorf("%s is %v, want an object", path, got)
			return
		}
		p.compareObjects(path, want, object)
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			p.Errorf("%s is %v, want %v", path, got, want)
			return
		}
		for i := range want {
			p.compare(fmt.Sprintf("%s[%d]", path, i), want[i], list[i])
		}
	case string:
		if !p.matches(want, got) {
			p.Errorf("%s is %v, want %s", path, got, want)
		}
	default:
		if want != got {
			p.Errorf("%s is %v, want %v", path, got, want)
		}
	}
}

func (p *player) compareObjects(path string, want, got map[string]any) {
	p.Helper()
	left := maps.Clone(got)
	for _, key := range slices.Sorted(maps.Keys(want)) {
		here := ""
		for _, candidate := range slices.Sorted(maps.Keys(left)) {
			if p.matches(key, candidate) {
				here = candidate
				break
			}
		}
		if here == "" {
			p.Errorf("%s has no %s", path, key)
			continue
		}
		p.compare(path+"."+key, want[key], left[here])
		delete(left, here)
	}
	for key := range left {
		p.Errorf("%s has %s, which was not recorded", path, key)
	}
}

var placeholder = regexp.MustCompile(`<[A-Za-z_-]+(?::\d+|-\d+idx)?>|<version-id>`)

// matches reports whether got is what was recorded, and binds placeholders that
// are met for the first time. No two stand for the same.
func (p *player) matches(want string, got any) bool {
	if want == "datetime" {
		seconds, ok := got.(float64)
		return ok && seconds > 0
	}
	text, ok := got.(string)
	if !ok {
		return false
	}
	var (
		pattern strings.Builder
		unbound []string
		end     int
	)
	for _, at := range placeholder.FindAllStringIndex(want, -1) {
		pattern.WriteString(regexp.QuoteMeta(want[end:at[0]]))
		name := want[at[0]:at[1]]
		end = at[1]
		if value, ok := p.bound[name]; ok {
			pattern.WriteString(regexp.QuoteMeta(value))
			continue
		}
		pattern.WriteString("(.+)")
		unbound = append(unbound, name)
	}
	pattern.WriteString(regexp.QuoteMeta(want[end:]))
	found := regexp.MustCompile("^" + pattern.String() + "$").FindStringSubmatch(text)
	if found == nil {
		return false
	}
	for i, name := range unbound {
		for other, value := range p.bound {
			if value == found[i+1] {
				p.Errorf("%s and %s are both %s", name, other, value)
			}
		}
		p.bound[name] = found[i+1]
	}
	return true
}
