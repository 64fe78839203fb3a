package generate

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
)

func TestDrawsEveryCharacterOfItsSetAndNoOther(t *testing.T) {
	for name, characters := range charsets {
		seen := map[rune]bool{}
		value, err := draw(rand.Reader, characters, 4096)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range value.Reveal() {
			if !strings.ContainsRune(characters, r) {
				t.Errorf("%s: %q is not of it", name, r)
			}
			seen[r] = true
		}
		// That one of at most 93 is never drawn has a chance of less than 1e-16.
		if len(seen) != len(characters) {
			t.Errorf("%s: drew %d of %d characters", name, len(seen), len(characters))
		}
	}
}

func TestDrawsAnotherValueEachTime(t *testing.T) {
	a, _ := draw(rand.Reader, charsets[defaultCharset], defaultLength)
	b, _ := draw(rand.Reader, charsets[defaultCharset], defaultLength)
	if a.Equal(b) || a.Len() != defaultLength {
		t.Error("the same, or of another length")
	}
}

func TestDrawsNothingWithoutRandomness(t *testing.T) {
	broken := errors.New("broken")
	if _, err := draw(iotest.ErrReader(broken), charsets[defaultCharset], 8); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
