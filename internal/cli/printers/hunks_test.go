package printers

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/cli/terminal"
)

func TestSpansMarkWhatDiffers(t *testing.T) {
	for name, tc := range map[string]struct{ before, after, want string }{
		"a password in a URL": {"postgres://app:old@db", "postgres://app:new@db", "postgres://app:[old]@db → postgres://app:[new]@db"},
		"two places":          {"host=a;port=1;user=x", "host=b;port=1;user=y", "host=[a];port=1;user=[x] → host=[b];port=1;user=[y]"},
		"something added":     {"a,b,c", "a,b,c,d", "a,b,c → a,b,c[,d]"},
		"something removed":   {"a,b,c,d", "a,b,d", "a,b,[c,]d → a,b,d"},
		"nothing in common":   {"correct horse", "1234567890", "correct horse → 1234567890"},
		"wide characters":     {"秘密の値です", "秘密な値です", "秘密[の]値です → 秘密[な]値です"},
		"the same":            {"x", "x", "x → x"},
		"from nothing":        {"", "x", " → x"},
	} {
		t.Run(name, func(t *testing.T) {
			inOld, inNew := spans(tc.before, tc.after)
			brackets := func(text string, spans []span) string {
				plain := func(s string) string { return s }
				return emphasize(text, spans, plain, func(s string) string { return "[" + s + "]" })
			}
			if got := brackets(tc.before, inOld) + " → " + brackets(tc.after, inNew); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// TestHunksLoseNothing holds that both texts can be read out of the hunks, that runs take turns, and that what is
// marked lies in the line.
func TestHunksLoseNothing(t *testing.T) {
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 1))
		text := func() []string {
			lines := make([]string, random.IntN(30))
			for i := range lines {
				lines[i] = strings.Repeat(string("ab界\u0301 "[random.IntN(4)]), random.IntN(3)) + fmt.Sprint(random.IntN(4))
			}
			return lines
		}
		before, after := text(), text()
		var gotBefore, gotAfter []string
		all := hunks(before, after)
		for i, h := range all {
			if (h.same != nil) == (h.old != nil || h.new != nil) || i > 0 && (h.same != nil) == (all[i-1].same != nil) {
				t.Fatalf("seed %d: hunk %d of %+v does not take turns", seed, i, all)
			}
			gotBefore = slices.Concat(gotBefore, h.same, h.old)
			gotAfter = slices.Concat(gotAfter, h.same, h.new)
			for j := range min(len(h.old), len(h.new)) {
				inOld, inNew := spans(h.old[j], h.new[j])
				for _, side := range []struct {
					text  string
					spans []span
				}{{h.old[j], inOld}, {h.new[j], inNew}} {
					if got := emphasize(side.text, side.spans, strings.Clone, strings.Clone); got != side.text {
						t.Fatalf("seed %d: %q became %q", seed, side.text, got)
					}
					if terminal.Width(carets(side.text, side.spans)) > terminal.Width(side.text) {
						t.Fatalf("seed %d: carets go beyond %q", seed, side.text)
					}
				}
			}
		}
		if !slices.Equal(gotBefore, before) || !slices.Equal(gotAfter, after) {
			t.Fatalf("seed %d: %q to %q became %q to %q", seed, before, after, gotBefore, gotAfter)
		}
	}
}

// TestHugeTextsAreComparedInTime would not end if every character were compared with every other.
func TestHugeTextsAreComparedInTime(t *testing.T) {
	inOld, inNew := spans(strings.Repeat("ab", 100_000)+"same", strings.Repeat("ba", 100_000)+"same")
	if len(inOld) > 1 || len(inNew) > 1 {
		t.Errorf("%d and %d spans, want at most one of each", len(inOld), len(inNew))
	}
	lines := func(odd string) []string {
		var all []string
		for i := range 60_000 {
			all = append(all, fmt.Sprint(odd, i))
		}
		return all
	}
	if got := hunks(lines("a"), lines("b")); len(got) != 1 || len(got[0].old) != 60_000 || len(got[0].new) != 60_000 {
		t.Errorf("got %d hunks, want one that replaces all", len(got))
	}
}
