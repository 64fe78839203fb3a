package terminal_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/secretreview/secretreview/internal/cli/terminal"
)

func TestEscapeShowsWhatIsThere(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"plain text stays":                           {"postgres://db:5432/x?a=b&c=d", "postgres://db:5432/x?a=b&c=d"},
		"a backslash stays where nothing is escaped": {`C:\new\table`, `C:\new\table`},
		"a backslash is doubled where something is":  {"C:\\new\n", `"C:\\new\n"`},
		"letters of all scripts stay":                {"Größe 日本語 한국어 قيمة", "Größe 日本語 한국어 قيمة"},
		"an emoji stays":                             {"ok 🚀", "ok 🚀"},
		"marks after a letter stay":                  {"de\u0301ja\u0300 \u0e17\u0e35\u0e48", "de\u0301ja\u0300 \u0e17\u0e35\u0e48"},
		"a mark without a letter is seen":            {"\u0301a", `"\u0301a"`},
		"marks cannot pile up":                       {"a\u0301\u0301\u0301\u0301", "\"a\u0301\u0301\u0301\\u0301\""},
		"a mark does not sit on an escape":           {"\u202e\u0301", `"\u202e\u0301"`},
		"nothing is seen":                            {"", `""`},
		"a space before is seen":                     {" a", `" a"`},
		"a space behind is seen":                     {"a ", `"a "`},
		"a quote at the beginning is told apart":     {`"a"`, `"\"a\""`},
		"a quote elsewhere stays":                    {`a="b"`, `a="b"`},
		"newline, tab, return, backspace":            {"a\nb\tc\rd\b", `"a\nb\tc\rd\b"`},
		"an escape sequence":                         {"\x1b[2J\x1b]0;title\x07", `"\x1b[2J\x1b]0;title\a"`},
		"the other half of the control characters":   {"\u009b31m\u0085\x7f\x00", `"\u009b31m\u0085\x7f\x00"`},
		"direction overrides and isolates":           {"\u202a\u202e\u2066\u2069\u200f", `"\u202a\u202e\u2066\u2069\u200f"`},
		"characters of no width":                     {"a\u200bb\u200d\ufeff\u2060\u00ad", `"a\u200bb\u200d\ufeff\u2060\u00ad"`},
		"separators of lines and paragraphs":         {"a\u2028b\u2029", `"a\u2028b\u2029"`},
		"spaces that look like one":                  {"a\u00a0b\u3000", `"a\u00a0b\u3000"`},
		"fillers that look like nothing":             {"\u3164\u115f\u2800\uffa0", `"\u3164\u115f\u2800\uffa0"`},
		"variation selectors and tags":               {"a\ufe0f\U000e0041", `"a\ufe0f\U000e0041"`},
		"invalid UTF-8":                              {"a\xff\xc3", `"a\xff\xc3"`},
		"the replacement character itself":           {"a\ufffd", "a\ufffd"},
		"the mark that Lines sets":                   {"a⏎", `"a\u23ce"`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := terminal.Escape(c.text); got != c.want {
				t.Errorf("Escape(%q) = %s, want %s", c.text, got, c.want)
			}
		})
	}
}

func TestLinesShowABlock(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"a newline is marked":                         {"a\nb", []string{"a⏎", "b"}},
		"a newline at the end as well":                {"a\n", []string{"a⏎"}},
		"indentation stays":                           {"{\n  \"a\": 1\n}\n", []string{"{⏎", "  \"a\": 1⏎", "}⏎"}},
		"an empty line":                               {"a\n\nb", []string{"a⏎", "⏎", "b"}},
		"a tab and a return are seen":                 {"a\r\n\tb\n", []string{`"a\r"⏎`, `"\tb"⏎`}},
		"only the line that needs it is quoted":       {"a\x1b[1A\nb", []string{`"a\x1b[1A"⏎`, "b"}},
		"a space at the end is seen":                  {"a \nb ", []string{"a ⏎", `"b "`}},
		"a mark that is not ours":                     {"a⏎\nb", []string{`"a\u23ce"⏎`, "b"}},
		"a line that is quoted already is told apart": {"\"a\"\nb", []string{`"\"a\""⏎`, "b"}},
		"nothing":     {"", []string{`""`}},
		"one newline": {"\n", []string{"⏎"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := terminal.Lines(c.text); !slices.Equal(got, c.want) {
				t.Errorf("Lines(%q) = %q, want %q", c.text, got, c.want)
			}
		})
	}
}

// unlines reads Lines back.
func unlines(t *testing.T, lines []string) string {
	var text strings.Builder
	for _, line := range lines {
		line, ended := strings.CutSuffix(line, terminal.NewlineMark)
		plain, err := terminal.Unescape(line)
		if err != nil {
			t.Fatalf("%q cannot be read back: %v", line, err)
		}
		text.WriteString(plain)
		if ended {
			text.WriteByte('\n')
		}
	}
	return text.String()
}

func checkSafe(t *testing.T, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Fatalf("%q is not UTF-8", text)
	}
	for _, r := range text {
		if r != ' ' && !unicode.IsPrint(r) {
			t.Fatalf("%q holds %U", text, r)
		}
	}
}

func FuzzEscape(f *testing.F) {
	for _, seed := range []string{"", "a", "\x1b[2J", "a\r\nb", "\u202e\u2066", "\xff\xfe", `"\x1b"`, "e\u0301\u0301\u0301\u0301\u0301", "a⏎\n", "  \"a\"\n ", "\ufffd", "\U000e0041"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		escaped := terminal.Escape(text)
		checkSafe(t, escaped)
		if back, err := terminal.Unescape(escaped); err != nil || back != text {
			t.Fatalf("Escape(%q) = %s, which reads as %q, %v", text, escaped, back, err)
		}
		lines := terminal.Lines(text)
		for _, line := range lines {
			checkSafe(t, line)
		}
		if back := unlines(t, lines); back != text {
			t.Fatalf("Lines(%q) = %q, which reads as %q", text, lines, back)
		}
		if utf8.ValidString(text) {
			checkWriter(t, text)
		}
	})
}

// checkWriter writes a JSON string byte by byte and expects it back.
func checkWriter(t *testing.T, text string) {
	encoded, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	writer := &terminal.Writer{Out: &out}
	for i := range encoded {
		if n, err := writer.Write(encoded[i : i+1]); n != 1 || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	checkSafe(t, out.String())
	var back string
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back != text {
		t.Fatalf("%q was written as %s, which reads as %q, %v", text, out.Bytes(), back, err)
	}
}

func TestWriterKeepsNewlinesAndWhatShows(t *testing.T) {
	var out bytes.Buffer
	if _, err := (&terminal.Writer{Out: &out}).Write([]byte("{\n  \"a\": \"Größe\u202e\U000e0041\"\n}\n")); err != nil {
		t.Fatal(err)
	}
	if want := "{\n  \"a\": \"Größe\\u202e\\udb40\\udc41\"\n}\n"; out.String() != want {
		t.Errorf("got %s, want %s", out.String(), want)
	}
}
