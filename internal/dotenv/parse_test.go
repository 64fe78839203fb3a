package dotenv_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/dotenv"
)

func TestParseReadsWhatOthersWrite(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want document.Document
	}{
		"empty file":                    {"", doc()},
		"only a byte order mark":        {"\ufeff", doc()},
		"blank lines and comments":      {"\n \t\n# A=1\n  # B=2\n#", doc()},
		"bare value":                    {"A=1", doc("A", "1")},
		"empty values":                  {"A=\nB= \nC=''\nD=\"\"\n", doc("A", "", "B", "", "C", "", "D", "")},
		"export":                        {"export A=1\nexport\tB=2\n export  C=3", doc("A", "1", "B", "2", "C", "3")},
		"a key that is called export":   {"export=1", doc("export", "1")},
		"byte order mark":               {"\ufeffA=1\n", doc("A", "1")},
		"CRLF":                          {"A=1\r\n\r\n# c\r\nB='2'\r\nC=\"3\" # c\r\nD=\r\n", doc("A", "1", "B", "2", "C", "3", "D", "")},
		"CRLF inside quotes":            {"A='1\r\n2'\r\nB=\"1\r\n2\"\r\n", doc("A", "1\n2", "B", "1\n2")},
		"white space around":            {" \tA\t = \t1 2 \t\n", doc("A", "1 2")},
		"no newline at the end":         {"A='1'", doc("A", "1")},
		"comment behind a bare value":   {"A=1 # c\nB=1\t# c\nC= # c\n", doc("A", "1", "B", "1", "C", "")},
		"number sign inside a word":     {"A=p#ss\nB=#ss\nC=p#ss # c\nD=http://h/#/x", doc("A", "p#ss", "B", "#ss", "C", "p#ss", "D", "http://h/#/x")},
		"number sign in quotes":         {"A='1 # 2'\nB=\"1 # 2\" # c", doc("A", "1 # 2", "B", "1 # 2")},
		"quotes inside a bare value":    {"A=it's\nB=5\" x\nC={\"a\":\"b\"}", doc("A", "it's", "B", `5" x`, "C", `{"a":"b"}`)},
		"equals sign in a value":        {"A=b=c==\nB='b=c'", doc("A", "b=c==", "B", "b=c")},
		"backslashes in a bare value":   {`A=C:\new\table` + "\n" + `B=\\n\`, doc("A", `C:\new\table`, "B", `\\n\`)},
		"backslashes in single quotes":  {`A='\n\\t\"'`, doc("A", `\n\\t\"`)},
		"escapes in double quotes":      {`A="\n\r\\\"\$` + "\\`" + `\u0000"`, doc("A", "\n\r\\\"$`\x00")},
		"backslashes that escape none":  {`A="\d\w\.\u00e9\U\ "`, doc("A", `\d\w\.\u00e9\U\ `)},
		"escaped backslash before n":    {`A="\\n"`, doc("A", `\n`)},
		"no variable is expanded":       {"A=$HOME\nB=${HOME:-x}\nC='$HOME'\nD=\"$HOME $(id) `id` $$\"", doc("A", "$HOME", "B", "${HOME:-x}", "C", "$HOME", "D", "$HOME $(id) `id` $$")},
		"lines in double quotes":        {"A=\"-----BEGIN\nb=c\n# d\n-----END\"\nB=2", doc("A", "-----BEGIN\nb=c\n# d\n-----END", "B", "2")},
		"lines in single quotes":        {"A='1\n\n2'\nB=2", doc("A", "1\n\n2", "B", "2")},
		"other spaces are characters":   {"A=\u00a01\u00a0\nB=\v1\f", doc("A", "\u00a01\u00a0", "B", "\v1\f")},
		"dots and dashes in keys":       {"a.b-c_9=1\n_=2", doc("a.b-c_9", "1", "_", "2")},
		"built-in names of JavaScript":  {"__proto__=1\nconstructor=2\ntoString=3\nhasOwnProperty=4", doc("__proto__", "1", "constructor", "2", "toString", "3", "hasOwnProperty", "4")},
		"keys that differ in case":      {"a=1\nA=2", doc("a", "1", "A", "2")},
		"a line beyond 64 KiB":          {"A=" + strings.Repeat("x", 100_000), doc("A", strings.Repeat("x", 100_000))},
		"docker compose config":         {"A=it is\nB=$$x\n", doc("A", "it is", "B", "$$x")},
		"python-dotenv's set_key":       {"A='it is $5'\nexport B='b'\n", doc("A", "it is $5", "B", "b")},
		"replacement character is text": {"A=\ufffd", doc("A", "\ufffd")},
	} {
		t.Run(name, func(t *testing.T) { requireValues(t, c.text, parse(t, c.text).Values, c.want) })
	}
}

func TestParseKeepsTheOrderOfKeys(t *testing.T) {
	got := parse(t, "C=1\nA='2\n3'\n# x\nB=4").Keys
	if want := []string{"C", "A", "B"}; !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func TestParseNamesLineAndKindAndNoContent(t *testing.T) {
	at := func(kind dotenv.Kind, line int) dotenv.Error { return dotenv.Error{Kind: kind, Line: line} }
	for name, c := range map[string]struct {
		text string
		want dotenv.Error
	}{
		"no equals sign":                {"A=1\n" + canary, at(dotenv.KindMissingEquals, 2)},
		"export without a value":        {"export canary", at(dotenv.KindMissingEquals, 1)},
		"value goes on without quotes":  {"A=-----BEGIN\n" + canary + "\nB=1", at(dotenv.KindMissingEquals, 2)},
		"no key":                        {"\n\n=" + canary, at(dotenv.KindInvalidKey, 3)},
		"key begins with a digit":       {"1A=" + canary, at(dotenv.KindInvalidKey, 1)},
		"key of two words":              {canary + " B=1", at(dotenv.KindInvalidKey, 1)},
		"key after two exports":         {"export export A=1", at(dotenv.KindInvalidKey, 1)},
		"key in quotes":                 {"'A'=" + canary, at(dotenv.KindInvalidKey, 1)},
		"key beyond ASCII":              {"É=" + canary, at(dotenv.KindInvalidKey, 1)},
		"key too long":                  {strings.Repeat("k", document.MaxKeyBytes+1) + "=", at(dotenv.KindInvalidKey, 1)},
		"second byte order mark":        {"\ufeff\ufeffA=1", at(dotenv.KindInvalidKey, 1)},
		"key twice":                     {"A=1\nB='2\n3'\n# c\nA=" + canary, dotenv.Error{Kind: dotenv.KindDuplicateKey, Line: 5, FirstLine: 1, Key: "A"}},
		"key twice, once exported":      {"A=" + canary + "\nexport A=1", dotenv.Error{Kind: dotenv.KindDuplicateKey, Line: 2, FirstLine: 1, Key: "A"}},
		"single quote never closed":     {"A=1\nB='" + canary + "\n\n", at(dotenv.KindUnterminated, 2)},
		"double quote never closed":     {"A=\"" + canary + "\\\"\n", at(dotenv.KindUnterminated, 1)},
		"only a double quote":           {"A=\"", at(dotenv.KindUnterminated, 1)},
		"backslash at the very end":     {"A=\"" + canary + "\\", at(dotenv.KindUnterminated, 1)},
		"text after a single quote":     {"A='" + canary + "'x", at(dotenv.KindTextAfterQuote, 1)},
		"quotes joined as a shell does": {`A='` + canary + `'\''x'`, at(dotenv.KindTextAfterQuote, 1)},
		"text after a double quote":     {"A=\"\n\n\" " + canary, at(dotenv.KindTextAfterQuote, 3)},
		"comment without a space":       {"A='x'#" + canary, at(dotenv.KindTextAfterQuote, 1)},
		"tab as an escape":              {`A="C:\temp` + canary + `"`, at(dotenv.KindEscape, 1)},
		"octal escape":                  {`A="\033` + canary + `"`, at(dotenv.KindEscape, 1)},
		"escaped single quote":          {`A="it\'s ` + canary + `"`, at(dotenv.KindEscape, 1)},
		"escape on a later line":        {"A=\"1\n2\n\\f" + canary + "\"", at(dotenv.KindEscape, 3)},
		"backslash before a newline":    {"A=\"1\\\n" + canary + "\"", at(dotenv.KindEscape, 1)},
		"single quote after backslash":  {`A='it\'s ` + canary + `'`, at(dotenv.KindEscape, 1)},
		"single quotes end in one":      {`A='C:\'` + "\nB='" + canary + "'", at(dotenv.KindEscape, 1)},
		"backtick":                      {"A=`" + canary + "`", at(dotenv.KindBacktick, 1)},
		"carriage returns for newlines": {"A=1\rB=" + canary, at(dotenv.KindCarriageReturn, 1)},
		"carriage return in quotes":     {"B=1\nA='1\r" + canary + "'", at(dotenv.KindCarriageReturn, 2)},
		"two carriage returns":          {"A=1\r\r\n", at(dotenv.KindCarriageReturn, 1)},
		"invalid UTF-8":                 {"A=1\nB=\ufffd" + canary + "\xff", at(dotenv.KindInvalidUTF8, 2)},
		"UTF-16":                        {"\xff\xfeA\x00=\x001\x00", at(dotenv.KindInvalidUTF8, 1)},
		"UTF-16 without a mark":         {"A\x00=\x001\x00", at(dotenv.KindInvalidKey, 1)},
		"larger than any can be":        {strings.Repeat("#", dotenv.MaxBytes+1), dotenv.Error{Kind: dotenv.KindTooLarge}},
	} {
		t.Run(name, func(t *testing.T) {
			file, err := dotenv.Parse(strings.NewReader(c.text))
			requireError(t, err, c.want)
			if len(file.Values) != 0 {
				t.Fatal("half a file is returned")
			}
			if c.want.Line > 0 && !strings.HasPrefix(err.Error(), fmt.Sprintf("line %d: ", c.want.Line)) {
				t.Fatalf("no line: %v", err)
			}
		})
	}
}

func TestParseReturnsTheReadersError(t *testing.T) {
	broken := errors.New("disk on fire")
	if _, err := dotenv.Parse(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
}

func TestFilesAreRedactedWhenPrinted(t *testing.T) {
	file := parse(t, "A="+canary)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, file); strings.Contains(text, canary) {
			t.Errorf("%s shows a value: %s", verb, text)
		}
	}
}
