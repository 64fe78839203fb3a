package document_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// fuzzKeys makes documents that are drawn apart share keys.
var fuzzKeys = append([]string{"A", "B", "C", "a.b-c", "", "a b", "\x1b"}, builtins...)

// draw makes a document of a fuzzer's bytes: a byte for the key, one for the
// value's length, the value.
func draw(data []byte) document.Document {
	d := document.Document{}
	for len(data) >= 2 {
		key, length := fuzzKeys[int(data[0])%len(fuzzKeys)], int(data[1])%16
		data = data[2:]
		length = min(length, len(data))
		d[key] = sensitive.New(strings.ToValidUTF8(string(data[:length]), "\ufffd"))
		data = data[length:]
	}
	return d
}

var drawSeeds = [][]byte{
	nil,
	[]byte("\x00\x01x"),
	[]byte("\x00\x01y\x01\x00\x02\x04\\\"\n\r"),
	[]byte("\x07\x03abc\x08\x01\x00\x09\x05<&>\xe2\x80"),
	[]byte("\x01\x02\xff\xfe\x05\x01q\x0a\x04\xf0\x9f\x98\x81\x04\x03\xe2\x80\xa8"),
}

func addPairs(f *testing.F) {
	for _, a := range drawSeeds {
		for _, b := range drawSeeds {
			f.Add(a, b)
		}
	}
}

func FuzzEncodedDocumentParsesToItself(f *testing.F) {
	for _, seed := range []string{"", "x", "\\\"\n\r\t\x00", "<&>\u2028\u2029\u0085", "😁\ufffd\ufeff", "\x7f\x1b[2J", "$A`b`'"} {
		f.Add("K", seed)
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		d := doc(strings.ToValidUTF8(key, "?"), strings.ToValidUTF8(value, "?"))
		stored, err := d.Encode()
		if tooLarge := (*document.TooLargeError)(nil); errors.As(err, &tooLarge) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		back, err := document.Parse(stored)
		if err != nil {
			t.Fatal(err)
		}
		requireEqual(t, "parsed", back, d)
		if again := mustEncode(t, back); !again.Equal(stored) {
			t.Fatal("a second encoding differs")
		}
	})
}

func FuzzParseAgreesWithEncodingJSON(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"A":"1"}`, `{"A":"\ud83d\ude01"}`, `{"A":"\ud800"}`, `{"A":1}`, `[]`, `{"A":"1","A":"2"}`, `{} {}`, `{"\\\ud83d\ude01":"\\ud800"}`, wire,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := document.Parse(sensitive.New(text))
		if err != nil {
			return
		}
		var want map[string]string
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatalf("Parse accepts what encoding/json does not: %v", err)
		}
		if len(got) != len(want) {
			t.Fatalf("%d keys, want %d", len(got), len(want))
		}
		for key, value := range want {
			if v, has := got[key]; !has || v.Reveal() != value {
				t.Fatalf("key %q differs", key)
			}
		}
	})
}

func FuzzPatchLeadsFromBaseToWanted(f *testing.F) {
	addPairs(f)
	f.Fuzz(func(t *testing.T, a, b []byte) {
		base, wanted := draw(a), draw(b)
		p := document.NewPatch(base, wanted)
		requireEqual(t, "applied", p.Apply(base), wanted)
		if !slices.Equal(p.Diff(), document.Diff(base, wanted)) {
			t.Fatalf("the patch's diff is %v, the documents' %v", p.Diff(), document.Diff(base, wanted))
		}
		if clashes := p.Clashes(base); len(clashes) != 0 {
			t.Fatalf("clashes with its own base: %v", clashes)
		}
		if p.Empty() != base.Equal(wanted) {
			t.Fatal("Empty is wrong")
		}
		requireEqual(t, "undone", document.NewPatch(wanted, base).Apply(wanted), base)
		settable := !slices.ContainsFunc(p.Set.Keys(), func(key string) bool { return document.ValidKey(key) != nil })
		if err := p.Validate(); (err == nil) != (settable && !p.Empty()) {
			t.Fatalf("Validate: %v", err)
		}
	})
}

func FuzzMergeLaws(f *testing.F) {
	for i, base := range drawSeeds {
		for _, mine := range drawSeeds {
			f.Add(base, mine, drawSeeds[(i+1)%len(drawSeeds)])
		}
	}
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		base, mine, theirs := draw(a), draw(b), draw(c)

		if merged, clashes := document.Merge(base, base, theirs); len(clashes) != 0 || !merged.Equal(theirs) {
			t.Fatal("where I changed nothing, the result is not theirs")
		}
		if merged, clashes := document.Merge(base, mine, base); len(clashes) != 0 || !merged.Equal(mine) {
			t.Fatal("where they changed nothing, the result is not mine")
		}
		if merged, clashes := document.Merge(base, mine, mine); len(clashes) != 0 || !merged.Equal(mine) {
			t.Fatal("merged with itself, an edit is not itself")
		}
		merged, clashes := document.Merge(base, mine, theirs)
		swapped, swappedClashes := document.Merge(base, theirs, mine)
		if !slices.Equal(clashes, swappedClashes) {
			t.Fatalf("clashes depend on the side: %v and %v", clashes, swappedClashes)
		}
		for _, key := range clashes {
			delete(merged, key)
			delete(swapped, key)
		}
		requireEqual(t, "apart from clashes, merging commutes", merged, swapped)

		mineOnly, theirsOnly := document.NewPatch(base, mine), withoutKeys(document.NewPatch(base, theirs), base, mine)
		joined, clashes := document.Merge(base, mine, theirsOnly.Apply(base))
		if len(clashes) != 0 {
			t.Fatalf("disjoint edits clash: %v", clashes)
		}
		requireEqual(t, "disjoint edits, mine first", theirsOnly.Apply(mineOnly.Apply(base)), joined)
		requireEqual(t, "disjoint edits, theirs first", mineOnly.Apply(theirsOnly.Apply(base)), joined)
	})
}

// withoutKeys drops from p what the edit from base to other touches too.
func withoutKeys(p document.Patch, base, other document.Document) document.Patch {
	target := p.Apply(base)
	for _, key := range document.NewPatch(base, other).Keys() {
		delete(target, key)
		if value, has := base[key]; has {
			target[key] = value
		}
	}
	return document.NewPatch(base, target)
}

func FuzzStagedDocumentParsesToItself(f *testing.F) {
	addPairs(f)
	f.Fuzz(func(t *testing.T, a, b []byte) {
		s := staged(t)
		s.Patch = document.NewPatch(draw(a), draw(b))
		stored, err := s.Encode()
		if (err == nil) != (s.Patch.Validate() == nil) {
			t.Fatalf("Encode says %v, Validate %v", err, s.Patch.Validate())
		}
		if err != nil {
			return
		}
		back, err := document.ParseStaged(stored)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, s) {
			t.Fatalf("%s is not read as it was written", stored.Reveal())
		}
	})
}

func FuzzWhatParseStagedReadsCanBeWritten(f *testing.F) {
	f.Add(wire)
	f.Add(strings.ReplaceAll(wire, canary, "\\ud83d\\ude01"))
	f.Add(strings.Replace(wire, `"version":1`, `"version":2`, 1))
	f.Fuzz(func(t *testing.T, text string) {
		s, err := document.ParseStaged(sensitive.New(text))
		if err != nil {
			return
		}
		stored, err := s.Encode()
		if tooLarge := (*document.TooLargeError)(nil); errors.As(err, &tooLarge) {
			return // what was read was written shorter
		}
		if err != nil {
			t.Fatal(err)
		}
		back, err := document.ParseStaged(stored)
		if err != nil || !reflect.DeepEqual(back, s) {
			t.Fatalf("not the same again: %v", err)
		}
	})
}

func FuzzRebaseLaws(f *testing.F) {
	for i, base := range drawSeeds {
		for _, wanted := range drawSeeds {
			f.Add(base, wanted, drawSeeds[(i+2)%len(drawSeeds)])
		}
	}
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		base, wanted, live := draw(a), draw(b), draw(c)
		p := document.NewPatch(base, wanted)
		if same, clashes := p.Rebase(base, nil); len(clashes) != 0 || !reflect.DeepEqual(same, p) {
			t.Fatal("on its own base it becomes another edit")
		}
		rebased, clashes := p.Rebase(live, nil)
		if found := rebased.Clashes(live); len(found) != 0 {
			t.Fatalf("the new edit does not fit what it was made for: %v", found)
		}
		for _, key := range p.Keys() {
			want := wanted
			if slices.Contains(clashes, key) {
				want = live
			}
			if got := rebased.Apply(live); !alike(got, want, key) {
				t.Fatalf("key %q has become something else", key)
			}
		}
		if again, more := rebased.Rebase(live, nil); len(more) != 0 || !reflect.DeepEqual(again, rebased) {
			t.Fatal("a second time it becomes another edit")
		}
		forced, left := p.Rebase(live, clashes)
		if len(left) != 0 {
			t.Fatalf("what we insist on still clashes: %v", left)
		}
		requireEqual(t, "what we insist on", forced.Apply(live), p.Apply(live))
	})
}

// alike reports whether both have the same value of a key, or none.
func alike(a, b document.Document, key string) bool {
	x, hasX := a[key]
	y, hasY := b[key]
	return hasX == hasY && x.Equal(y)
}

func FuzzErrorsQuoteNoValue(f *testing.F) {
	const mark = "c4n4ry-v4lue"
	f.Add(`{"A":"`, `"`)
	f.Add(`{"A":"`, `"}x`)
	f.Add(`{"A":["`, `"]}`)
	f.Add(`{"A":"1","A":"`, `"}`)
	f.Add(`{"A":"\ud800`, `"}`)
	staged := strings.SplitN(wire, canary, 2)
	f.Add(staged[0], staged[1][:len(staged[1])/2])
	f.Add(strings.Replace(staged[0], `"version":1`, `"version":9`, 1), staged[1])
	f.Fuzz(func(t *testing.T, before, after string) {
		text := sensitive.New(before + mark + after)
		_, plain := document.Parse(text)
		_, staged := document.ParseStaged(text)
		for _, err := range []error{plain, staged} {
			var e *document.Error
			if err == nil || errors.As(err, &e) && strings.Contains(e.Key+e.Field, "c4n4ry") {
				continue // a name may be shown
			}
			if strings.Contains(err.Error(), "c4n4ry") {
				t.Fatalf("an error quotes a value: %v", err)
			}
		}
	})
}

func FuzzWhatIsTooLargeIsRefused(f *testing.F) {
	f.Add("A", "x", uint32(document.MaxBytes-len(`{"A":""}`)))
	f.Add("A", "x", uint32(document.MaxBytes-len(`{"A":""}`)+1))
	f.Add("A", "\n", uint32(document.MaxBytes/2))
	f.Add("A", "\u2028", uint32(10))
	f.Fuzz(func(t *testing.T, key, part string, times uint32) {
		key, part = strings.ToValidUTF8(key, "?"), strings.ToValidUTF8(part, "?")
		if len(part) == 0 || len(part) > 64 || times > 2*document.MaxBytes {
			return
		}
		value := strings.Repeat(part, int(times)/len(part))
		stored, err := doc(key, value).Encode()
		var tooLarge *document.TooLargeError
		switch {
		case errors.As(err, &tooLarge):
			if tooLarge.Bytes <= tooLarge.Limit || tooLarge.Limit != document.MaxBytes {
				t.Fatalf("%d bytes are too many for %d", tooLarge.Bytes, tooLarge.Limit)
			}
		case err != nil:
			t.Fatal(err)
		case stored.Len() > document.MaxBytes:
			t.Fatalf("%d bytes were taken", stored.Len())
		}
	})
}
