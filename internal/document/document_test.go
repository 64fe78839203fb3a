package document_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
)

func TestParseReadsOneObjectOfStrings(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want document.Document
	}{
		"empty object":               {`{}`, doc()},
		"white space around":         {" \r\n\t{ \"A\" : \"1\" } \n", doc("A", "1")},
		"every escape":               {`{"A":"\"\\\/\b\f\n\r\t\u0041\u0000"}`, doc("A", "\"\\/\b\f\n\r\tA\x00")},
		"surrogate pair":             {`{"A":"\ud83d\ude01"}`, doc("A", "😁")},
		"escaped backslash before u": {`{"A":"\\ud800"}`, doc("A", `\ud800`)},
		"pair after a backslash":     {`{"A":"\\\ud83d\ude01"}`, doc("A", `\😁`)},
		"replacement character":      {`{"A":"\ufffd"}`, doc("A", "\ufffd")},
		"keys that no change may set": {
			`{"":"1","a b":"2","1":"3","\u001b[2J":"4"}`, doc("", "1", "a b", "2", "1", "3", "\x1b[2J", "4"),
		},
		"keys that differ in case": {`{"a":"1","A":"2"}`, doc("a", "1", "A", "2")},
		"built-in names": {
			`{"__proto__":"1","constructor":"2","toString":"3","hasOwnProperty":"4"}`,
			doc("__proto__", "1", "constructor", "2", "toString", "3", "hasOwnProperty", "4"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := document.Parse(sensitive.New(c.text))
			if err != nil {
				t.Fatal(err)
			}
			requireEqual(t, "parsed", got, c.want)
		})
	}
}

func TestParseNamesWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want document.Error
	}{
		"nothing":                 {``, document.Error{Kind: document.KindNotJSON}},
		"plain text":              {canary, document.Error{Kind: document.KindNotJSON}},
		"cut off":                 {`{"A":"` + canary, document.Error{Kind: document.KindNotJSON}},
		"comma at the end":        {`{"A":"` + canary + `",}`, document.Error{Kind: document.KindNotJSON}},
		"control character":       {"{\"A\":\"" + canary + "\n\"}", document.Error{Kind: document.KindNotJSON}},
		"bad escape":              {`{"A":"\x` + canary + `"}`, document.Error{Kind: document.KindNotJSON}},
		"byte order mark":         {"\ufeff{}", document.Error{Kind: document.KindNotJSON}},
		"nested too deep":         {strings.Repeat(`{"a":`, 20000) + `"` + canary + `"`, document.Error{Kind: document.KindNotJSON}},
		"second object":           {`{} {"A":"` + canary + `"}`, document.Error{Kind: document.KindTrailingData}},
		"text after the object":   {`{}` + canary, document.Error{Kind: document.KindTrailingData}},
		"invalid bytes":           {"{\"A\":\"" + canary + "\xff\"}", document.Error{Kind: document.KindInvalidUTF8}},
		"encoded surrogate":       {"{\"A\":\"" + canary + "\xed\xa0\x80\"}", document.Error{Kind: document.KindInvalidUTF8}},
		"lone high surrogate":     {`{"A":"` + canary + `\ud800"}`, document.Error{Kind: document.KindInvalidUTF8, Key: "A"}},
		"lone low surrogate":      {`{"A":"\udc00` + canary + `"}`, document.Error{Kind: document.KindInvalidUTF8, Key: "A"}},
		"high before no low":      {`{"A":"\ud800\u0041` + canary + `"}`, document.Error{Kind: document.KindInvalidUTF8, Key: "A"}},
		"high before newline":     {`{"A":"\ud800\n` + canary + `"}`, document.Error{Kind: document.KindInvalidUTF8, Key: "A"}},
		"lone surrogate in a key": {`{"A\ud800":"` + canary + `"}`, document.Error{Kind: document.KindInvalidUTF8, Key: "A\ufffd"}},
		"string":                  {`"` + canary + `"`, document.Error{Kind: document.KindNotObject}},
		"list":                    {`["` + canary + `"]`, document.Error{Kind: document.KindNotObject}},
		"null":                    {`null`, document.Error{Kind: document.KindNotObject}},
		"value null":              {`{"A":null}`, document.Error{Kind: document.KindNotString, Key: "A"}},
		"value number":            {`{"A":"1","B":1}`, document.Error{Kind: document.KindNotString, Key: "B"}},
		"value boolean":           {`{"A":true}`, document.Error{Kind: document.KindNotString, Key: "A"}},
		"value list":              {`{"A":["` + canary + `"]}`, document.Error{Kind: document.KindNotString, Key: "A"}},
		"value object":            {`{"A":{"B":"` + canary + `"}}`, document.Error{Kind: document.KindNotString, Key: "A"}},
		"empty key's value":       {`{"":1}`, document.Error{Kind: document.KindNotString}},
		"key twice":               {`{"A":"` + canary + `","B":"","A":"` + canary + `"}`, document.Error{Kind: document.KindDuplicateKey, Key: "A"}},
		"key twice, once escaped": {`{"A":"` + canary + `","\u0041":"x"}`, document.Error{Kind: document.KindDuplicateKey, Key: "A"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := document.Parse(sensitive.New(c.text))
			requireError(t, err, c.want)
		})
	}
}

func TestErrorsEscapeKeys(t *testing.T) {
	for name, c := range map[string]struct{ key, want string }{
		"clears the screen":  {"\x1b[2J", `key "\x1b[2J": its value is not a string`},
		"reverses text":      {"a\u202eb", `key "a\u202eb": its value is not a string`},
		"breaks the line":    {"a\nb", `key "a\nb": its value is not a string`},
		"empty":              {"", `key "": its value is not a string`},
		"longer than can be": {strings.Repeat("k", 300), `key "` + strings.Repeat("k", 255) + `" and 45 bytes more: its value is not a string`},
	} {
		t.Run(name, func(t *testing.T) {
			err := &document.Error{Kind: document.KindNotString, Key: c.key}
			if err.Error() != c.want {
				t.Errorf("got %s, want %s", err, c.want)
			}
		})
	}
}

func TestEncodeHasOneForm(t *testing.T) {
	for name, c := range map[string]struct {
		d    document.Document
		want string
	}{
		"nil":                  {nil, `{}`},
		"sorted keys":          {doc("b", "2", "a", "1", "B", "3"), `{"B":"3","a":"1","b":"2"}`},
		"no escapes for HTML":  {doc("A", "<a href=\"x\">&</a>"), `{"A":"<a href=\"x\">&</a>"}`},
		"backslashes":          {doc("A", `C:\new\table\\`), `{"A":"C:\\new\\table\\\\"}`},
		"no newline at end":    {doc("A", "line\n"), `{"A":"line\n"}`},
		"beyond the BMP":       {doc("A", "😁"), `{"A":"😁"}`},
		"U+2028 stays in JSON": {doc("A", "\u2028"), `{"A":"\u2028"}`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := mustEncode(t, c.d).Reveal(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestEncodeRefusesWhatJSONCannotCarry(t *testing.T) {
	for name, d := range map[string]document.Document{
		"in a value": doc("K", canary+"\xff"),
		"in a key":   doc("K\xff", canary),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := d.Encode()
			requireError(t, err, document.Error{Kind: document.KindInvalidUTF8, Key: d.Keys()[0]})
		})
	}
}

func TestEncodeStopsAtTheServicesLimit(t *testing.T) {
	if document.MaxBytes != secretstore.MaxValueBytes {
		t.Fatal("the two limits differ")
	}
	const frame = len(`{"A":""}`)
	fits := doc("A", strings.Repeat("x", document.MaxBytes-frame))
	if got := mustEncode(t, fits).Len(); got != document.MaxBytes {
		t.Fatalf("a document of %d bytes became %d", document.MaxBytes, got)
	}
	_, err := doc("A", fits["A"].Reveal()+"x").Encode()
	var tooLarge *document.TooLargeError
	if !errors.As(err, &tooLarge) {
		t.Fatalf("got %v", err)
	}
	want := document.TooLargeError{Subject: document.SubjectLive, Bytes: document.MaxBytes + 1, Limit: document.MaxBytes}
	if *tooLarge != want {
		t.Fatalf("got %+v, want %+v", *tooLarge, want)
	}
}

func TestValidKeyIsWhatDotenvCanCarry(t *testing.T) {
	valid := append([]string{"A", "_", "a.b-c_9", strings.Repeat("k", 255)}, builtins...)
	for _, key := range valid {
		if err := document.ValidKey(key); err != nil {
			t.Errorf("%q: %v", key, err)
		}
	}
	for _, key := range []string{"", "1A", "-A", ".A", "A B", "A=", "A\n", "É", "A\x00", "$A", strings.Repeat("k", 256)} {
		requireError(t, document.ValidKey(key), document.Error{Kind: document.KindInvalidKey, Key: key})
	}
}

func TestCloneIsApart(t *testing.T) {
	original := doc("A", "1")
	clone := original.Clone()
	clone["A"], clone["B"] = sensitive.New("2"), sensitive.New("3")
	requireEqual(t, "original", original, doc("A", "1"))
	document.Document(nil).Clone()["A"] = sensitive.New("1")
}
