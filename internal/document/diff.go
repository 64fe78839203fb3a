package document

import (
	"maps"
	"slices"
)

// ChangeType says what happens to a key.
type ChangeType string

// What can happen to a key.
const (
	Added    ChangeType = "Added"
	Modified ChangeType = "Modified"
	Removed  ChangeType = "Removed"
)

// KeyChange is what happens to one key. It has no value, so it can be shown.
type KeyChange struct {
	Key  string
	Type ChangeType
}

// Counts counts changed keys by type.
type Counts struct{ Added, Modified, Removed int }

// Total counts all changed keys.
func (c Counts) Total() int { return c.Added + c.Modified + c.Removed }

// Diff returns what must happen to old's keys to make new of it, sorted by key.
func Diff(old, new Document) []KeyChange {
	var changes []KeyChange
	for _, key := range union(old, new) {
		_, had := old[key]
		_, has := new[key]
		switch {
		case same(old, new, key):
		case !had:
			changes = append(changes, KeyChange{key, Added})
		case !has:
			changes = append(changes, KeyChange{key, Removed})
		default:
			changes = append(changes, KeyChange{key, Modified})
		}
	}
	return changes
}

// Count counts changes by type.
func Count(changes []KeyChange) Counts {
	var c Counts
	for _, change := range changes {
		switch change.Type {
		case Added:
			c.Added++
		case Modified:
			c.Modified++
		case Removed:
			c.Removed++
		}
	}
	return c
}

// union returns the keys that any of the documents has, sorted.
func union(documents ...Document) []string {
	all := Document{}
	for _, d := range documents {
		maps.Copy(all, d)
	}
	return slices.Sorted(maps.Keys(all))
}
