package dotenv_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/dotenv"
	"github.com/secretreview/secretreview/internal/sensitive"
)

func TestFormatPicksTheFirstFormThatHoldsTheValue(t *testing.T) {
	for name, c := range map[string]struct{ value, want string }{
		"empty":                      {"", ``},
		"word":                       {"abc_9", `abc_9`},
		"URL":                        {"postgres://u@h:5432/d,x=%20+1.2-3", `postgres://u@h:5432/d,x=%20+1.2-3`},
		"space":                      {"a b", `'a b'`},
		"spaces around":              {" a ", `' a '`},
		"number sign":                {"p#ss", `'p#ss'`},
		"dollar":                     {"$HOME", `'$HOME'`},
		"backtick":                   {"`id`", "'`id`'"},
		"tilde":                      {"~/x", `'~/x'`},
		"double quote":               {`{"a":1}`, `'{"a":1}'`},
		"backslashes":                {`C:\new\\t`, `'C:\new\\t'`},
		"newlines":                   {"a\nb\n", "'a\nb\n'"},
		"control characters":         {"\x1b[2J\x7f", "'\x1b[2J\x7f'"},
		"beyond ASCII":               {"é😁\u2028", "'é😁\u2028'"},
		"byte order mark":            {"\ufeff", "'\ufeff'"},
		"single quote":               {"it's", `"it's"`},
		"single quote and newline":   {"it's\n", "\"it's\n\""},
		"both quotes":                {`'"`, `"'\""`},
		"single quote and dollar":    {"'$A`", "\"'\\$A\\`\""},
		"single quote and backslash": {`'\n`, `"'\\n"`},
		"backslash at the end":       {`C:\`, `"C:\\"`},
		"carriage return":            {"a\r\nb", "\"a\\r\nb\""},
		"NUL":                        {"a\x00b", `"a\u0000b"`},
		"text that looks like NUL":   {`\u0000` + "\r", `"\\u0000\r"`},
	} {
		t.Run(name, func(t *testing.T) {
			text := format(t, doc("K", c.value), dotenv.Header{})
			if want := "K=" + c.want + "\n"; text != want {
				t.Fatalf("got %q, want %q", text, want)
			}
			requireValues(t, text, parse(t, text).Values, doc("K", c.value))
		})
	}
}

func TestFormatHeadsTheFileAndSortsKeys(t *testing.T) {
	got := format(t, doc("b", "2", "A", "1", "a", "3"), header)
	if want := headerText + "\nA=1\na=3\nb=2\n"; got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
	if got := format(t, nil, dotenv.Header{}); got != "" {
		t.Fatalf("got %q for nothing", got)
	}
}

func TestFormatNamesTheKeyItCannotCarry(t *testing.T) {
	for name, c := range map[string]struct {
		values document.Document
		want   dotenv.UnwritableError
		text   string
	}{
		"key of two words":     {doc("A", "1", "a b", canary), dotenv.UnwritableError{Kind: dotenv.KindInvalidKey, Key: "a b"}, `"a b"`},
		"empty key":            {doc("", canary), dotenv.UnwritableError{Kind: dotenv.KindInvalidKey}, `""`},
		"key that clears":      {doc("\x1b[2J", canary), dotenv.UnwritableError{Kind: dotenv.KindInvalidKey, Key: "\x1b[2J"}, `"\x1b[2J"`},
		"key with a line":      {doc("A=1\nB", canary), dotenv.UnwritableError{Kind: dotenv.KindInvalidKey, Key: "A=1\nB"}, `"A=1\nB"`},
		"value that is binary": {doc("A", canary+"\xff"), dotenv.UnwritableError{Kind: dotenv.KindInvalidUTF8, Key: "A"}, `"A"`},
	} {
		t.Run(name, func(t *testing.T) {
			var text strings.Builder
			err := dotenv.Format(&text, c.values, header)
			var got *dotenv.UnwritableError
			if !errors.As(err, &got) || *got != c.want {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), canary) || strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Fatalf("got %q", err)
			}
			if text.Len() != 0 {
				t.Fatal("half a file is written")
			}
		})
	}
}

func TestBackslashesSurviveManyRoundTrips(t *testing.T) {
	values := doc("A", `C:\new\table\`, "B", `\\\\`, "C", `'\n"\r`, "D", `\`, "E", "\\\n\\", "F", `\u0000\'`, "G", `^\d+\.\s$`)
	text := format(t, values, header)
	for range 10 {
		again := format(t, parse(t, text).Values, header)
		if again != text {
			t.Fatalf("%q became %q", text, again)
		}
	}
	requireValues(t, text, parse(t, text).Values, values)
}

// shellAlphabet has every character that means something to a shell, but for
// carriage return and NUL, which no shell reads as they are written.
const shellAlphabet = "aZ0 \t\n'\"\\$`#=!&|;<>(){}[]*?~%@+:,./-^\u2028\u0085é😁\x01\x1b\v\f\x7f\u00a0\ufeff"

func TestAShellReadsWhatIsWritten(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh here")
	}
	random := rand.New(rand.NewPCG(7, 9))
	alphabet := []rune(shellAlphabet)
	values := document.Document{}
	add := func(value string) { values[fmt.Sprintf("K%04d", len(values))] = sensitive.New(value) }
	for _, a := range alphabet {
		add(string(a))
		add("x" + string(a))
		add(string(a) + "x")
		for _, b := range "'\"\\$` \n" {
			add(string([]rune{a, b}))
			add(string([]rune{b, a, '\''}))
		}
	}
	for range 500 {
		value := make([]rune, 1+random.IntN(12))
		for i := range value {
			value[i] = alphabet[random.IntN(len(alphabet))]
		}
		add(string(value))
	}
	file := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(file, []byte(format(t, values, header)), 0o600); err != nil {
		t.Fatal(err)
	}

	script := "set -a; . \"$1\"\n"
	for _, key := range values.Keys() {
		script += `printf '%s\0' "$` + key + "\"\n"
	}
	command := exec.CommandContext(t.Context(), shell, "-s", "-", file)
	command.Stdin = strings.NewReader(script)
	command.Env = []string{"HOME=/expanded"}
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(string(output), "\x00")
	if len(got) != len(values)+1 {
		t.Fatalf("%d values, want %d", len(got)-1, len(values))
	}
	for i, key := range values.Keys() {
		if want := values[key].Reveal(); got[i] != want {
			t.Errorf("sh reads %q, want %q", got[i], want)
		}
	}
}
