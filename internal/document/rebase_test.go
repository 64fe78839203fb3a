package document_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/sensitive"
)

func TestRebase(t *testing.T) {
	base := doc("A", "1", "B", "2")
	edit := document.NewPatch(base, doc("A", "mine", "C", "mine")) // changes A, removes B, adds C
	for name, tc := range map[string]struct {
		live    document.Document
		ours    []string
		want    document.Document
		clashes []string
	}{
		"on what it was made on it is the same":        {live: base, want: doc("A", "mine", "C", "mine")},
		"other keys stay as they are live":             {live: doc("A", "1", "B", "2", "D", "new"), want: doc("A", "mine", "C", "mine", "D", "new")},
		"what is live already is no part of it":        {live: doc("A", "mine"), want: doc("A", "mine", "C", "mine")},
		"a key that both changed clashes":              {live: doc("A", "theirs", "B", "2"), want: doc("A", "theirs", "C", "mine"), clashes: []string{"A"}},
		"a key that both added clashes":                {live: doc("A", "1", "B", "2", "C", "theirs"), want: doc("A", "mine", "C", "theirs"), clashes: []string{"C"}},
		"a removed key that others changed clashes":    {live: doc("A", "1", "B", "theirs"), want: doc("A", "mine", "B", "theirs", "C", "mine"), clashes: []string{"B"}},
		"a changed key that others removed clashes":    {live: doc("B", "2"), want: doc("C", "mine"), clashes: []string{"A"}},
		"ours wins where it is told so":                {live: doc("A", "theirs", "B", "theirs"), ours: []string{"A", "B"}, want: doc("A", "mine", "C", "mine")},
		"ours of a key that does not clash is nothing": {live: base, ours: []string{"A", "Z"}, want: doc("A", "mine", "C", "mine")},
	} {
		t.Run(name, func(t *testing.T) {
			rebased, clashes := edit.Rebase(tc.live, tc.ours)
			if got := rebased.Apply(tc.live); !got.Equal(tc.want) {
				t.Errorf("leads to the keys %v, want %v, or to other values", got.Keys(), tc.want.Keys())
			}
			if !slices.Equal(clashes, tc.clashes) {
				t.Errorf("clashes %v, want %v", clashes, tc.clashes)
			}
			if again := rebased.Clashes(tc.live); len(again) > 0 {
				t.Errorf("does not tell the truth about what is live at %v", again)
			}
		})
	}
}

// TestRebaseLaws holds what must be true of any edit and any live document.
func TestRebaseLaws(t *testing.T) {
	for seed := range uint64(5000) {
		random := rand.New(rand.NewPCG(seed, 7))
		some := func() document.Document {
			d := document.Document{}
			for _, key := range []string{"A", "B", "C", "D"} {
				if n := random.IntN(4); n > 0 {
					d[key] = sensitive.New(string(rune('0' + n)))
				}
			}
			return d
		}
		base, wanted, live := some(), some(), some()
		edit := document.NewPatch(base, wanted)
		rebased, clashes := edit.Rebase(live, nil)
		after := rebased.Apply(live)
		for _, key := range []string{"A", "B", "C", "D"} {
			_, sets := edit.Set[key]
			touched := sets || slices.Contains(edit.Unset, key)
			from := live
			if touched && !slices.Contains(clashes, key) {
				from = wanted
			}
			want, has := from[key]
			if got, found := after[key]; found != has || got.Reveal() != want.Reveal() {
				t.Fatalf("seed %d: %s is not what it should be", seed, key)
			}
		}
		if all, left := edit.Rebase(live, []string{"A", "B", "C", "D"}); len(left) > 0 || !all.Apply(live).Equal(edit.Apply(live)) {
			t.Fatalf("seed %d: ours of all keys is not the edit itself", seed)
		}
	}
}
