package document_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/document"
)

func TestDiffNamesEachChangedKey(t *testing.T) {
	old := doc("same", "1", "modified", "1", "removed", "1", "emptied", "1")
	wanted := doc("same", "1", "modified", "2", "added", "1", "emptied", "")
	want := []document.KeyChange{
		{Key: "added", Type: document.Added},
		{Key: "emptied", Type: document.Modified},
		{Key: "modified", Type: document.Modified},
		{Key: "removed", Type: document.Removed},
	}
	got := document.Diff(old, wanted)
	if !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	counts := document.Count(got)
	if want := (document.Counts{Added: 1, Modified: 2, Removed: 1}); counts != want || counts.Total() != 4 {
		t.Fatalf("got %+v, want %+v", counts, want)
	}
	if got := document.Diff(old, old); len(got) != 0 {
		t.Fatalf("a document differs from itself: %v", got)
	}
	if got := document.Diff(doc(), doc("A", "")); !slices.Equal(got, []document.KeyChange{{Key: "A", Type: document.Added}}) {
		t.Fatalf("an empty value is not seen: %v", got)
	}
}

func TestKeysNamedLikeBuiltInPropertiesAreSeen(t *testing.T) {
	for _, key := range builtins {
		t.Run(key, func(t *testing.T) {
			with, without := doc(key, "1", "other", "1"), doc("other", "1")
			removed := []document.KeyChange{{Key: key, Type: document.Removed}}
			if got := document.Diff(with, without); !slices.Equal(got, removed) {
				t.Fatalf("removal unseen: %v", got)
			}
			p := document.NewPatch(with, without)
			if err := p.Validate(); err != nil {
				t.Fatal(err)
			}
			requireEqual(t, "applied", p.Apply(with), without)
			if got := p.Clashes(without); !slices.Equal(got, []string{key}) {
				t.Fatalf("a removal that somebody was quicker with is unseen: %v", got)
			}
			merged, clashes := document.Merge(with, without, with)
			if len(clashes) != 0 {
				t.Fatalf("clashes %v", clashes)
			}
			requireEqual(t, "merged", merged, without)
			added := []document.KeyChange{{Key: key, Type: document.Added}}
			if got := document.NewPatch(without, with).Diff(); !slices.Equal(got, added) {
				t.Fatalf("addition unseen: %v", got)
			}
		})
	}
}

func TestPatchHoldsRealDifferencesOnly(t *testing.T) {
	base := doc("same", "1", "modified", "1", "removed", "1")
	wanted := doc("same", "1", "modified", "2", "added", "3")
	p := document.NewPatch(base, wanted)
	requireEqual(t, "set", p.Set, doc("modified", "2", "added", "3"))
	requireEqual(t, "expect", p.Expect, doc("modified", "1", "removed", "1"))
	if !slices.Equal(p.Unset, []string{"removed"}) {
		t.Fatalf("unset %v", p.Unset)
	}
	if !slices.Equal(p.Keys(), []string{"added", "modified", "removed"}) {
		t.Fatalf("keys %v", p.Keys())
	}
	if p.Empty() || !document.NewPatch(base, base).Empty() {
		t.Fatal("Empty is wrong")
	}
	live := doc("same", "9", "modified", "9", "other", "9")
	requireEqual(t, "applied to what others changed", p.Apply(live),
		doc("same", "9", "modified", "2", "added", "3", "other", "9"))
	requireEqual(t, "live, untouched by Apply", live, doc("same", "9", "modified", "9", "other", "9"))
}

func TestClashesAreTouchedKeysThatMoved(t *testing.T) {
	p := document.NewPatch(doc("mod", "1", "gone", "1"), doc("mod", "2", "new", "3"))
	for name, c := range map[string]struct {
		live document.Document
		want []string
	}{
		"as the base was":              {doc("mod", "1", "gone", "1"), nil},
		"another key moved":            {doc("mod", "1", "gone", "1", "other", "x"), nil},
		"a modified key moved":         {doc("mod", "x", "gone", "1"), []string{"mod"}},
		"a modified key vanished":      {doc("gone", "1"), []string{"mod"}},
		"a removed key moved":          {doc("mod", "1", "gone", "x"), []string{"gone"}},
		"a removed key vanished":       {doc("mod", "1"), []string{"gone"}},
		"an added key is there":        {doc("mod", "1", "gone", "1", "new", "x"), []string{"new"}},
		"an added key is there, empty": {doc("mod", "1", "gone", "1", "new", ""), []string{"new"}},
		"already as wanted":            {doc("mod", "2", "new", "3"), []string{"gone", "mod", "new"}},
		"nothing is left":              {nil, []string{"gone", "mod"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := p.Clashes(c.live); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestValidateRefusesPatchesThatContradictThemselves(t *testing.T) {
	long := strings.Repeat("k", document.MaxKeyBytes+1)
	for name, c := range map[string]struct {
		patch document.Patch
		want  document.Error
	}{
		"empty": {document.Patch{}, document.Error{Kind: document.KindEmptyPatch}},
		"only expects": {
			document.Patch{Expect: doc("A", canary)}, document.Error{Kind: document.KindEmptyPatch},
		},
		"set and unset": {
			document.Patch{Set: doc("A", canary), Unset: []string{"A"}, Expect: doc("A", canary)},
			document.Error{Kind: document.KindSetAndUnset, Key: "A"},
		},
		"unset twice": {
			document.Patch{Unset: []string{"A", "B", "A"}, Expect: doc("A", canary, "B", canary)},
			document.Error{Kind: document.KindUnsetTwice, Key: "A"},
		},
		"unset what was not there": {
			document.Patch{Unset: []string{"toString"}, Expect: doc()},
			document.Error{Kind: document.KindUnsetUnknown, Key: "toString"},
		},
		"set to the same": {
			document.Patch{Set: doc("A", canary), Expect: doc("A", canary)},
			document.Error{Kind: document.KindNoOp, Key: "A"},
		},
		"expect an untouched key": {
			document.Patch{Set: doc("A", canary), Expect: doc("B", canary)},
			document.Error{Kind: document.KindUntouched, Key: "B"},
		},
		"set a key that dotenv cannot carry": {
			document.Patch{Set: doc("a b", canary)}, document.Error{Kind: document.KindInvalidKey, Key: "a b"},
		},
		"set a key that is too long": {
			document.Patch{Set: doc(long, canary)}, document.Error{Kind: document.KindInvalidKey, Key: long},
		},
		"set a value that is not UTF-8": {
			document.Patch{Set: doc("A", canary+"\xff")}, document.Error{Kind: document.KindInvalidUTF8, Key: "A"},
		},
		"expect a value that is not UTF-8": {
			document.Patch{Set: doc("A", "1"), Expect: doc("A", canary+"\xff")},
			document.Error{Kind: document.KindInvalidUTF8, Key: "A"},
		},
	} {
		t.Run(name, func(t *testing.T) { requireError(t, c.patch.Validate(), c.want) })
	}
}

func TestValidateAllowsUnsettingAnyKey(t *testing.T) {
	for _, key := range []string{"", "a b", "\x1b[2J", strings.Repeat("k", 300)} {
		if err := document.NewPatch(doc(key, "1"), doc()).Validate(); err != nil {
			t.Errorf("%q: %v", key, err)
		}
	}
	if err := document.NewPatch(doc("a b", "1", "A", "1"), doc("a b", "1", "A", "")).Validate(); err != nil {
		t.Errorf("a key left alone: %v", err)
	}
}

func TestMergeJoinsWhatEachSideChanged(t *testing.T) {
	base := doc("a", "1", "b", "1", "c", "1")
	for name, c := range map[string]struct {
		mine, theirs, want document.Document
		clashes            []string
	}{
		"nobody changed anything":     {base, base, base, nil},
		"I alone":                     {doc("a", "2", "c", "1", "d", "1"), base, doc("a", "2", "c", "1", "d", "1"), nil},
		"they alone":                  {base, doc("a", "2", "d", "1"), doc("a", "2", "d", "1"), nil},
		"apart":                       {doc("a", "2", "b", "1", "c", "1"), doc("a", "1", "b", "1"), doc("a", "2", "b", "1"), nil},
		"both alike":                  {doc("a", "2", "b", "1", "d", "x"), doc("a", "2", "b", "1", "d", "x"), doc("a", "2", "b", "1", "d", "x"), nil},
		"both modify, differently":    {doc("a", "2", "b", "1", "c", "1"), doc("a", "3", "b", "1", "c", "1"), doc("a", "3", "b", "1", "c", "1"), []string{"a"}},
		"both add, differently":       {doc("a", "1", "b", "1", "c", "1", "d", "1"), doc("a", "1", "b", "1", "c", "1", "d", ""), doc("a", "1", "b", "1", "c", "1", "d", ""), []string{"d"}},
		"I modify what they removed":  {doc("a", "2", "b", "1", "c", "1"), doc("b", "1", "c", "1"), doc("b", "1", "c", "1"), []string{"a"}},
		"I remove what they modified": {doc("b", "1", "c", "1"), doc("a", "2", "b", "1", "c", "1"), doc("a", "2", "b", "1", "c", "1"), []string{"a"}},
		"some clash, others do not":   {doc("a", "2", "b", "2", "c", "2"), doc("a", "3", "b", "1"), doc("a", "3", "b", "2"), []string{"a", "c"}},
	} {
		t.Run(name, func(t *testing.T) {
			merged, clashes := document.Merge(base, c.mine, c.theirs)
			requireEqual(t, "merged", merged, c.want)
			if !slices.Equal(clashes, c.clashes) {
				t.Errorf("clashes %v, want %v", clashes, c.clashes)
			}
		})
	}
}
