package dotenv_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/dotenv"
)

var valueSeeds = []string{
	"", "x", " x ", "#", "a # b", "a\nb\r\nc\r", "'", `"`, `'"`, `\`, `\\`, `\n`, `'\n`, "`id`", "$HOME ${A:-'b'} $(c)",
	"\x00", "\x01\x1b[2J\x7f", "\u2028\u2029\u0085\u00a0", "😁", "\ufeff", "export A=1\nB=2", `\u0000`, "'\\u0000\r", "\t", headerText,
}

func FuzzEveryValueSurvives(f *testing.F) {
	for i, a := range valueSeeds {
		f.Add(a, valueSeeds[(i+7)%len(valueSeeds)])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		values := doc("A", strings.ToValidUTF8(a, "\ufffd"), "a.b-c", strings.ToValidUTF8(b, "\ufffd"))
		text := format(t, values, header)
		if len(text) > dotenv.MaxBytes {
			return
		}
		if strings.ContainsAny(text, "\r\x00") {
			t.Fatalf("%q would not survive an editor", text)
		}
		for saved, text := range map[string]string{
			"as written":               text,
			"without the last newline": strings.TrimSuffix(text, "\n"),
			"by an editor with CRLF":   strings.ReplaceAll(text, "\n", "\r\n"),
			"with a byte order mark":   "\ufeff" + text,
			"to be exported":           strings.Replace(text, "\nA=", "\nexport A=", 1),
		} {
			file, err := dotenv.Parse(strings.NewReader(text))
			if err != nil {
				t.Fatalf("saved %s: %v", saved, err)
			}
			requireValues(t, text, file.Values, values)
			if file.Header != header {
				t.Fatalf("saved %s: the header is %+v", saved, file.Header)
			}
		}
	})
}

func FuzzWhatIsReadCanBeWritten(f *testing.F) {
	for _, value := range valueSeeds {
		f.Add("A=" + value)
		f.Add(headerText + "\nexport A='" + value + "' # c\r\nB = \"" + value + "\"\n")
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, err := dotenv.Parse(strings.NewReader(text))
		if err != nil {
			var e *dotenv.Error
			if !errors.As(err, &e) {
				t.Fatalf("an error of no kind: %v", err)
			}
			if e.Line < 0 || e.Line > 1+strings.Count(text, "\n") || e.FirstLine > e.Line {
				t.Fatalf("line %d is not in the file", e.Line)
			}
			return
		}
		if len(file.Keys) != len(file.Values) {
			t.Fatalf("%d keys, %d values", len(file.Keys), len(file.Values))
		}
		for _, key := range file.Keys {
			if document.ValidKey(key) != nil {
				t.Fatalf("key %q", key)
			}
		}
		again := format(t, file.Values, file.Header)
		if len(again) > dotenv.MaxBytes {
			return
		}
		back := parse(t, again)
		requireValues(t, again, back.Values, file.Values)
		if back.Header != file.Header {
			t.Fatalf("the header became %+v", back.Header)
		}
	})
}

func FuzzErrorsQuoteNothing(f *testing.F) {
	for _, before := range []string{"", "A=", "A='", `A="`, "A=1\nA='x' ", "A=`", `A="\`, "A=\r", "export ", "# sr "} {
		f.Add(before, "")
		f.Add(before, "\n")
		f.Add(before, "=1\n\xff")
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		// No key has an exclamation mark.
		const mark = "c4n4ry!v4lue"
		if _, err := dotenv.Parse(strings.NewReader(before + mark + after)); err != nil && strings.Contains(err.Error(), "v4lue") {
			t.Fatalf("an error quotes the file: %v", err)
		}
	})
}
