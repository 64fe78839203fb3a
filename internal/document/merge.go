package document

// Merge joins two edits of base, key by key: mine and theirs. A key that one
// side alone changed, or that both changed alike, takes the change. Keys that
// they changed differently are the clashes, sorted; merged has theirs there,
// and is not to be used as it is while there are any.
func Merge(base, mine, theirs Document) (merged Document, clashes []string) {
	merged = theirs.Clone()
	for _, key := range union(base, mine, theirs) {
		switch {
		case same(mine, base, key), same(mine, theirs, key):
		case !same(theirs, base, key):
			clashes = append(clashes, key)
		default:
			if value, has := mine[key]; has {
				merged[key] = value
			} else {
				delete(merged, key)
			}
		}
	}
	return merged, clashes
}
