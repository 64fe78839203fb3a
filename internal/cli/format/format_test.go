package format

import (
	"encoding/json"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/dotenv"
	"github.com/secretreview/secretreview/internal/sensitive"
)

func doc(pairs ...string) document.Document {
	d := document.Document{}
	for i := 0; i < len(pairs); i += 2 {
		d[pairs[i]] = sensitive.New(pairs[i+1])
	}
	return d
}

func plain(d document.Document) map[string]string {
	p := map[string]string{}
	for key, value := range d {
		p[key] = value.Reveal()
	}
	return p
}

// zeros is no source of randomness, so that results can be compared.
var zeros = strings.NewReader(strings.Repeat("\x00", 1<<20))

// awkward are values that one format or another gets wrong when it is careless.
var awkward = []string{
	"", " ", "  around  ", "plain", "two words", `C:\new\table\\`, "$HOME ${PATH} $(id) `id`", `it's "quoted"`, "'", `'\''`, `"both"`, `'both'`,
	"one\ntwo\n", "\n", "a\r\nb\rc", "ends in\r", "a #b", "#a", "a=b", "- a", "a: b", "{a}", "[a]", "&a", "*a", "!a", "|", ">", "%s", "@a", "~",
	"yes", "no", "on", "y", "null", "true", "1", "1.5", "0o14", "0x1f", "1_000", "12:30:45", "2001-01-01", "=", "<<", ".inf", "EOF", "sr_" + strings.Repeat("0", 32),
	"::add-mask::x", "export A=1", "\x1b[2J\a", "\u202e", "\u0085\u2028\u00a0", "grün 🔑 \U000e0001", "\ufeff", "\x7f", "a\tb", strings.Repeat("long ", 100),
}

func TestWhatIsWrittenCanBeRead(t *testing.T) {
	for _, f := range formats {
		if f.read == nil {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			for _, value := range append(awkward, "a\x00b") {
				fit, _ := f.Split(doc("KEY", value, "OTHER.key-1", "x", "yes", "y", "key of another kind \x1b\u202e", "z"))
				text, err := f.Write(fit, zeros)
				if err != nil {
					t.Fatal(err)
				}
				read, err := f.Read([]byte(text))
				if err != nil {
					t.Fatalf("%q: %v", value, err)
				}
				if !read.Values.Equal(fit) {
					t.Errorf("%q became %q", plain(fit), plain(read.Values))
				}
			}
		})
	}
}

func TestOtherReadersReadWhatIsWritten(t *testing.T) {
	values := document.Document{}
	for i, value := range append(awkward, "a\x00b") {
		values[strings.Repeat("K", i+1)] = sensitive.New(value)
	}
	for name, unmarshal := range map[string]func([]byte, any) error{"json": json.Unmarshal, "yaml": yaml.Unmarshal} {
		f, _ := Find(name, false)
		text, err := f.Write(values, zeros)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		for key, want := range plain(values) {
			if got[key] != want {
				t.Errorf("%s: %q became %q", name, want, got[key])
			}
		}
	}
}

func TestAShellReadsWhatIsWritten(t *testing.T) {
	f, _ := Find("shell", false)
	for _, shell := range []string{"sh", "bash", "dash"} {
		path, err := exec.LookPath(shell)
		if err != nil {
			continue
		}
		for _, value := range awkward {
			text, err := f.Write(doc("KEY", value), zeros)
			if err != nil {
				t.Fatal(err)
			}
			command := exec.CommandContext(t.Context(), path, "-c", text+`sh -c 'printf "%s." "$KEY"'`)
			command.Env = []string{"PATH=/usr/bin:/bin", "HOME=/changed"}
			out, err := command.Output()
			if err != nil || string(out) != value+"." {
				t.Errorf("%s: %q became %q, %v", shell, value, out, err)
			}
		}
	}
}

func TestWriting(t *testing.T) {
	values := doc("B", "it's", "A", "x y")
	for name, want := range map[string]string{
		"dotenv": "A='x y'\nB=\"it's\"\n",
		"json":   "{\n  \"A\": \"x y\",\n  \"B\": \"it's\"\n}\n",
		"yaml":   "\"A\": \"x y\"\n\"B\": \"it's\"\n",
		"shell":  "export A='x y'\nexport B='it'\\''s'\n",
		"docker": "A=x y\nB=it's\n",
		"github": "A<<sr_" + strings.Repeat("0", 32) + "\nx y\nsr_" + strings.Repeat("0", 32) + "\nB<<sr_" + strings.Repeat("0", 32) + "\nit's\nsr_" + strings.Repeat("0", 32) + "\n",
	} {
		f, err := Find(name, false)
		if err != nil {
			t.Fatal(err)
		}
		fit, misfits := f.Split(values)
		got, err := f.Write(fit, strings.NewReader(strings.Repeat("\x00", 16)))
		if err != nil || got != want || len(misfits) != 0 {
			t.Errorf("%s: %q, %v, %v", name, got, misfits, err)
		}
	}
}

func TestWhatAFormatCannotHoldIsNamed(t *testing.T) {
	for name, tc := range map[string]struct {
		format, key, value string
		fits               bool
	}{
		"a key of another kind in dotenv":       {"dotenv", "a b", "x", false},
		"a key of another kind in json":         {"json", "a b", "x", true},
		"a key of another kind in yaml":         {"yaml", "a b", "x", true},
		"a dot in a shell's variable":           {"shell", "a.b", "x", false},
		"lines in a shell":                      {"shell", "A", "x\ny", true},
		"NUL in a shell":                        {"shell", "A", "x\x00", false},
		"a dot for docker":                      {"docker", "a.b", "x", true},
		"lines for docker":                      {"docker", "A", "x\ny", false},
		"a carriage return at the end":          {"docker", "A", "x\r", false},
		"a carriage return in the middle":       {"docker", "A", "x\ry", true},
		"double quotes around, for docker":      {"docker", "A", `"x"`, false},
		"single quotes around, for docker":      {"docker", "A", `''`, false},
		"one quote":                             {"docker", "A", `"`, true},
		"the longest line for docker":           {"docker", "A", strings.Repeat("x", 64<<10-3), true},
		"one byte more":                         {"docker", "A", strings.Repeat("x", 64<<10-2), false},
		"lines for GitHub":                      {"github", "A", "x\ny\n", true},
		"a variable of GitHub's own":            {"github", "GitHub_TOKEN", "x", false},
		"one of its runner's":                   {"github", "RUNNER_TEMP", "x", false},
		"NODE_OPTIONS":                          {"github", "NODE_OPTIONS", "x", false},
		"a carriage return at the end, GitHub":  {"github", "A", "x\r", false},
		"a key that would end the assignment":   {"github", "A=B<<C", "x", false},
		"a key that would be two for a docker":  {"docker", "A B", "x", false},
		"a key that would be another for shell": {"shell", "A;id", "x", false},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := Find(tc.format, false)
			if err != nil {
				t.Fatal(err)
			}
			fit, misfits := f.Split(doc(tc.key, tc.value, "FINE", "x"))
			if _, fits := fit[tc.key]; fits != tc.fits || (len(misfits) == 0) != tc.fits || !fit["FINE"].Equal(sensitive.New("x")) {
				t.Errorf("fits: %v, %v", fits, misfits)
			}
			if !tc.fits && !slices.Equal(misfits[0].Keys, []string{tc.key}) {
				t.Errorf("named %v", misfits)
			}
		})
	}
}

func TestMasks(t *testing.T) {
	got := Masks(doc("A", "one\ntwo\r\n\n  \n", "B", "100%\n::end", "C", ""))
	want := "::add-mask::one\n::add-mask::two\n::add-mask::100%25\n::add-mask::::end\n"
	if got != want {
		t.Errorf("got %q", got)
	}
}

func TestReadingRefusesWhatWouldBeGuessed(t *testing.T) {
	const canary = "canary"
	for name, tc := range map[string]struct{ format, text, want string }{
		"a number in JSON":              {"json", `{"PORT": 5432, "A": "canary"}`, `key "PORT": its value is not a string`},
		"null in JSON":                  {"json", `{"A": null}`, `key "A"`},
		"an object in JSON":             {"json", `{"A": {"B": "canary"}}`, `key "A"`},
		"a list":                        {"json", `["canary"]`, "not a JSON object"},
		"a key twice in JSON":           {"json", `{"A": "canary", "A": "canary"}`, `key "A": it is there twice`},
		"broken JSON":                   {"json", `{"A": canary`, "not JSON"},
		"more than JSON":                {"json", `{"A": "x"} canary`, "text follows"},
		"a number in YAML":              {"yaml", "A: canary\nPORT: 5432\n", `line 2, key "PORT": its value is not a string`},
		"a truth in YAML":               {"yaml", "A: true\n", `line 1, key "A"`},
		"a truth of YAML 1.1":           {"yaml", "A: yes\n", `line 1, key "A"`},
		"a number to the base of 60":    {"yaml", "A: 22:22\n", `line 1, key "A"`},
		"nothing in YAML":               {"yaml", "A:\n", `line 1, key "A"`},
		"a time in YAML":                {"yaml", "A: 2001-01-01\n", `line 1, key "A"`},
		"a mapping in YAML":             {"yaml", "A:\n  B: canary\n", `line 2, key "A"`},
		"a list in YAML":                {"yaml", "A: [canary]\n", `line 1, key "A"`},
		"an alias":                      {"yaml", "A: &x canary\nB: *x\n", `line 2, key "B"`},
		"a merge":                       {"yaml", "A: x\n<<: {B: canary}\n", "line 2: a key is not a string"},
		"a tag of somebody's own":       {"yaml", "A: !vault canary\n", `line 1, key "A"`},
		"binary":                        {"yaml", "A: !!binary Y2FuYXJ5\n", `line 1, key "A"`},
		"a key that is a number":        {"yaml", "1: canary\n", "line 1: a key is not a string"},
		"a key that is a list":          {"yaml", "? [canary]\n: x\n", "line 1: a key is not a string"},
		"a key twice in YAML":           {"yaml", "A: canary\nA: canary\n", `line 2: key "A" is set again, first on line 1`},
		"two documents":                 {"yaml", "A: canary\n---\nA: canary\n", "more than one document"},
		"a list of all":                 {"yaml", "- canary\n", "not a mapping"},
		"a text":                        {"yaml", "canary\n", "not a mapping"},
		"broken YAML":                   {"yaml", "A: x\nB: 'canary\n", "not YAML"},
		"an unknown anchor":             {"yaml", "A: *canary\n", "not YAML"},
		"a tab in YAML":                 {"yaml", "A:\n\tcanary: x\n", "not YAML"},
		"YAML that is not UTF-8":        {"yaml", "A: canary\xff\n", "UTF-8"},
		"a key from docker's own":       {"docker", "A=x\nCANARY\n", "line 2: a key without '='"},
		"a space in a key of docker":    {"docker", "A B=canary\n", "line 1: no valid key"},
		"no key for docker":             {"docker", "=canary\n", "line 1: no valid key"},
		"export for docker":             {"docker", "export A=canary\n", "line 1: no valid key"},
		"quotes for docker":             {"docker", "A=x\nB=\"canary\"\n", `line 2, key "B": some releases`},
		"a key twice for docker":        {"docker", "A=canary\nA=canary\n", `line 2: key "A" is set again`},
		"a long line for docker":        {"docker", "A=" + strings.Repeat("x", 64<<10) + "\n", "line 1: docker reads"},
		"docker's file not in UTF-8":    {"docker", "A=canary\xff\n", "line 1: not valid UTF-8"},
		"no assignment in dotenv":       {"dotenv", "canary\n", "line 1"},
		"more than any file needs":      {"json", strings.Repeat(" ", dotenv.MaxBytes+1), "larger than"},
		"half of a surrogate in JSON":   {"json", `{"A": "\ud800"}`, `key "A"`},
		"a key of docker's not in ours": {"docker", "A$B=canary\n", "line 1: no valid key"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := Find(tc.format, true)
			if err != nil {
				t.Fatal(err)
			}
			_, err = f.Read([]byte(tc.text))
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), canary) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestReadingTakesWhatIsPlain(t *testing.T) {
	for name, tc := range map[string]struct {
		format, text string
		want         document.Document
	}{
		"an empty text of YAML":      {"yaml", "# nothing\n", doc()},
		"an empty mapping":           {"yaml", "{}\n", doc()},
		"plain and quoted":           {"yaml", "A: two words\nB: 'yes'\nC: \"\\u00e9\"\n", doc("A", "two words", "B", "yes", "C", "é")},
		"a block":                    {"yaml", "A: |\n  one\n  two\nB: >-\n  one\n  two\n", doc("A", "one\ntwo\n", "B", "one two")},
		"a tag that says string":     {"yaml", "A: !!str 5432\n", doc("A", "5432")},
		"JSON as YAML":               {"yaml", `{"A": "x"}`, doc("A", "x")},
		"a byte order mark, YAML":    {"yaml", "\ufeffA: x\n", doc("A", "x")},
		"a byte order mark, JSON":    {"json", "\ufeff{\"A\": \"x\"}", doc("A", "x")},
		"docker's spaces":            {"docker", "\ufeff  A= x \n\n# B=1\n  # C=2\n", doc("A", " x ")},
		"docker's carriage returns":  {"docker", "A=x\r\nB=y\r\n", doc("A", "x", "B", "y")},
		"docker's last line":         {"docker", "A=x=y#z", doc("A", "x=y#z")},
		"docker's quotes in between": {"docker", `A=say "x"`, doc("A", `say "x"`)},
		"an empty value of docker's": {"docker", "A=\n", doc("A", "")},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := Find(tc.format, true)
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.Read([]byte(tc.text))
			if err != nil || !got.Values.Equal(tc.want) {
				t.Errorf("got %q, %v", plain(got.Values), err)
			}
		})
	}
}

func TestFind(t *testing.T) {
	for _, name := range []string{"", "xml"} {
		if _, err := Find(name, false); exit.CodeOf(err) != exit.Usage || !strings.Contains(err.Error(), "dotenv, json, yaml, shell, docker, github") {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"shell", "github"} {
		if _, err := Find(name, true); exit.CodeOf(err) != exit.Usage || strings.Contains(err.Error(), "choose shell") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// FuzzTextIsReadOrRefused reads anything in each format that can be read: what is taken can be written and read again, and
// what is refused is not quoted.
func FuzzTextIsReadOrRefused(f *testing.F) {
	const mark = "c4n4ry!v4lue"
	names := Names(true)
	for i := range names {
		for _, value := range awkward {
			f.Add(uint8(i), "A: "+value)
			f.Add(uint8(i), "A="+value)
			f.Add(uint8(i), `{"A":"`+value+`"}`)
		}
		f.Add(uint8(i), "A="+mark+"\nA="+mark)
		f.Add(uint8(i), "A: ["+mark+"]")
		f.Add(uint8(i), `{"A":{"B":"`+mark+`"}}`)
	}
	f.Fuzz(func(t *testing.T, which uint8, text string) {
		name := names[int(which)%len(names)]
		format, _ := Find(name, true)
		file, err := format.Read([]byte(text))
		if err != nil {
			if strings.Contains(err.Error(), mark) && !quotesKey(err, mark) {
				t.Fatalf("%s: an error quotes a value: %v", name, err)
			}
			return
		}
		written, err := format.Write(file.Values, zeros)
		var own *Error
		if errors.As(err, &own) || errors.As(err, new(*dotenv.UnwritableError)) {
			return // what can be read in one way and not be written is named
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		again, err := format.Read([]byte(written))
		if err != nil || !again.Values.Equal(file.Values) {
			t.Fatalf("%s: %q became %q, %v", name, plain(file.Values), plain(again.Values), err)
		}
	})
}

// quotesKey reports whether an error names a key that holds the text.
func quotesKey(err error, text string) bool {
	var own *Error
	var shared *document.Error
	return errors.As(err, &own) && own.HasKey && strings.Contains(own.Key, text) || errors.As(err, &shared) && strings.Contains(shared.Key, text)
}
