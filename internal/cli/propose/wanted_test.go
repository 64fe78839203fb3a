package propose

import (
	"slices"
	"testing"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// doc makes a document of "KEY=value" words.
func doc(pairs ...string) document.Document {
	d := document.Document{}
	for i := 0; i < len(pairs); i += 2 {
		d[pairs[i]] = sensitive.New(pairs[i+1])
	}
	return d
}

func TestWantedState(t *testing.T) {
	for name, tc := range map[string]struct {
		in                   inputs
		want                 document.Document
		lacking, newer, kept []string
		code                 exit.Code
	}{
		"single keys change, and the rest stays": {
			in:   inputs{Live: doc("A", "1", "B", "2", "C", "3"), Set: doc("A", "9", "D", "4"), Unset: []string{"B"}},
			want: doc("A", "9", "C", "3", "D", "4"),
		},
		"a file is the whole wanted state": {
			in:      inputs{Live: doc("A", "1", "B", "2"), Base: doc("A", "1", "B", "2"), File: doc("A", "9")},
			want:    doc("A", "9"),
			lacking: []string{"B"},
		},
		"a key that --unset names is not only the file's silence": {
			in:   inputs{Live: doc("A", "1", "B", "2"), Base: doc("A", "1", "B", "2"), File: doc("A", "9"), Unset: []string{"B"}},
			want: doc("A", "9"),
		},
		"keys named like built-in properties are seen to go": {
			in: inputs{
				Live: doc("__proto__", "1", "constructor", "2", "toString", "3"),
				Base: doc("__proto__", "1", "constructor", "2", "toString", "3"), File: doc(),
			},
			want:    doc(),
			lacking: []string{"__proto__", "constructor", "toString"},
		},
		"what others changed since the base stays": {
			in: inputs{
				Base: doc("A", "1", "B", "2", "GONE", "g"),
				File: doc("A", "9", "B", "2", "GONE", "g"),
				Live: doc("A", "1", "B", "7", "NEW", "n"),
			},
			want:  doc("A", "9", "B", "7", "NEW", "n"),
			newer: []string{"B", "GONE", "NEW"},
		},
		"the same change on both sides is no clash": {
			in:    inputs{Base: doc("A", "1"), File: doc("A", "9"), Live: doc("A", "9")},
			want:  doc("A", "9"),
			newer: []string{"A"},
		},
		"different changes of one key clash": {
			in:   inputs{Base: doc("A", "1"), File: doc("A", "8"), Live: doc("A", "9")},
			code: exit.Conflict,
		},
		"a key that the file dropped and somebody changed clashes": {
			in:   inputs{Base: doc("A", "1"), File: doc(), Live: doc("A", "9")},
			code: exit.Conflict,
		},
		"a clash is decided by --set": {
			in:   inputs{Base: doc("A", "1"), File: doc("A", "8"), Live: doc("A", "9"), Set: doc("A", "7")},
			want: doc("A", "7"),
		},
		"a clash is decided by --unset": {
			in:   inputs{Base: doc("A", "1", "B", "2"), File: doc("A", "8", "B", "2"), Live: doc("A", "9", "B", "2"), Unset: []string{"A"}},
			want: doc("B", "2"),
		},
		"keys that no file can carry stay": {
			in:   inputs{Live: doc("A", "1", "not a key", "2"), Base: doc("A", "1", "not a key", "2"), File: doc("A", "9")},
			want: doc("A", "9", "not a key", "2"),
			kept: []string{"not a key"},
		},
		"a file to keep what it lacks adds and changes": {
			in:   inputs{Live: doc("A", "1", "B", "2"), Base: doc("A", "1", "B", "2"), File: doc("A", "9", "C", "3"), Keep: true},
			want: doc("A", "9", "B", "2", "C", "3"),
		},
		"a file to keep what it lacks meets what others changed since": {
			in:    inputs{Base: doc("A", "1", "B", "2"), Live: doc("A", "1", "B", "7"), File: doc("A", "9"), Keep: true},
			want:  doc("A", "9", "B", "7"),
			newer: []string{"B"},
		},
		"a file of another kind may carry any key": {
			in:   inputs{Live: doc("not a key", "1"), Base: doc("not a key", "1"), File: doc("not a key", "2", "no key", "3"), Keep: true},
			want: doc("not a key", "2", "no key", "3"),
		},
		"keys that no file can carry go when they are named": {
			in:   inputs{Live: doc("A", "1", "not a key", "2"), Base: doc("A", "1", "not a key", "2"), File: doc("A", "1"), Unset: []string{"not a key"}},
			want: doc("A", "1"),
		},
		"a key that is not there cannot be unset": {
			in:   inputs{Live: doc("A", "1"), Unset: []string{"B"}},
			code: exit.Refused,
		},
		"a key of the file that is not live can be unset": {
			in:   inputs{Live: doc("A", "1"), Base: doc("A", "1"), File: doc("A", "1", "B", "2"), Unset: []string{"B"}},
			want: doc("A", "1"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := wantedState(tc.in)
			if exit.CodeOf(err) != tc.code {
				t.Fatalf("code %d instead of %d: %v", exit.CodeOf(err), tc.code, err)
			}
			if err != nil {
				return
			}
			if !got.Wanted.Equal(tc.want) {
				t.Errorf("wanted has %v instead of %v", got.Wanted.Keys(), tc.want.Keys())
			}
			for what, keys := range map[string][2][]string{
				"lacking": {got.Lacking, tc.lacking}, "newer": {got.Newer, tc.newer}, "kept": {got.Kept, tc.kept},
			} {
				if !slices.Equal(keys[0], keys[1]) {
					t.Errorf("%s is %v instead of %v", what, keys[0], keys[1])
				}
			}
		})
	}
}

func TestTheInputsAreLeftAlone(t *testing.T) {
	in := inputs{Live: doc("A", "1"), Base: doc("A", "1"), File: doc("A", "2"), Set: doc("B", "3"), Unset: []string{"A"}}
	if _, err := wantedState(in); err != nil {
		t.Fatal(err)
	}
	if !in.Live.Equal(doc("A", "1")) || !in.File.Equal(doc("A", "2")) || !in.Set.Equal(doc("B", "3")) {
		t.Error("an input was changed")
	}
}
