package document

import (
	"slices"
	"unicode/utf8"
)

// Patch is an edit of a document, key by key.
type Patch struct {
	// Set gives keys their new values.
	Set Document
	// Unset lists the keys to remove.
	Unset []string
	// Expect holds the value that the base had of each key in Set or Unset; a
	// key that is not in it was not in the base.
	Expect Document
}

// NewPatch returns the edit that makes wanted of base. It touches no key that
// is the same in both. Unset is sorted.
func NewPatch(base, wanted Document) Patch {
	p := Patch{Set: Document{}, Expect: Document{}}
	for _, change := range Diff(base, wanted) {
		if change.Type != Added {
			p.Expect[change.Key] = base[change.Key]
		}
		if change.Type == Removed {
			p.Unset = append(p.Unset, change.Key)
		} else {
			p.Set[change.Key] = wanted[change.Key]
		}
	}
	return p
}

// Apply returns live with the edit made, whatever live holds; see Clashes.
func (p Patch) Apply(live Document) Document {
	result := live.Clone()
	for key, value := range p.Set {
		result[key] = value
	}
	for _, key := range p.Unset {
		delete(result, key)
	}
	return result
}

// Keys returns the keys that the edit touches, sorted.
func (p Patch) Keys() []string {
	keys := append(p.Set.Keys(), p.Unset...)
	slices.Sort(keys)
	return slices.Compact(keys)
}

// Clashes returns the touched keys of which live holds something else than
// Expect says, sorted: also where live already holds what the edit would set.
func (p Patch) Clashes(live Document) []string {
	return slices.DeleteFunc(p.Keys(), func(key string) bool { return same(live, p.Expect, key) })
}

// Empty reports whether the edit touches no key.
func (p Patch) Empty() bool { return len(p.Set) == 0 && len(p.Unset) == 0 }

// Diff returns what the edit does to the base, as Expect tells of it, sorted
// by key. What it does to another document is Diff(live, p.Apply(live)).
func (p Patch) Diff() []KeyChange { return Diff(p.Expect, p.Apply(p.Expect)) }

// Validate reports whether the edit may be proposed, with an *Error that names
// the key: no key twice; each key set is a ValidKey with valid UTF-8, to
// another value than the base's; each key unset was in the base; nothing
// expected that is not touched; and not empty.
func (p Patch) Validate() error {
	if p.Empty() {
		return &Error{Kind: KindEmptyPatch}
	}
	if err := p.validateUnset(); err != nil {
		return err
	}
	if err := p.validateSet(); err != nil {
		return err
	}
	touched := p.Keys()
	for _, key := range p.Expect.Keys() {
		if _, found := slices.BinarySearch(touched, key); !found {
			return &Error{Kind: KindUntouched, Key: key}
		}
	}
	_, err := p.Expect.reveal()
	return err
}

func (p Patch) validateUnset() error {
	seen := make(map[string]bool, len(p.Unset))
	for _, key := range p.Unset {
		_, set := p.Set[key]
		_, expected := p.Expect[key]
		switch {
		case set:
			return &Error{Kind: KindSetAndUnset, Key: key}
		case seen[key]:
			return &Error{Kind: KindUnsetTwice, Key: key}
		case !expected:
			return &Error{Kind: KindUnsetUnknown, Key: key}
		}
		seen[key] = true
	}
	return nil
}

func (p Patch) validateSet() error {
	for _, key := range p.Set.Keys() {
		if err := ValidKey(key); err != nil {
			return err
		}
		if !utf8.ValidString(p.Set[key].Reveal()) {
			return &Error{Kind: KindInvalidUTF8, Key: key}
		}
		if same(p.Set, p.Expect, key) {
			return &Error{Kind: KindNoOp, Key: key}
		}
	}
	return nil
}
