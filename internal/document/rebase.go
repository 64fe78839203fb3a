package document

import "slices"

// Rebase makes an edit anew on what is live, by a three-way merge of keys: what
// the edit expected, what it wants, and what is live. Keys that others have
// changed otherwise since are the clashes, sorted; they stay as they are live,
// but for those in ours, which are no clashes and get what the edit wants.
func (p Patch) Rebase(live Document, ours []string) (rebased Patch, clashes []string) {
	wanted := p.Apply(p.Expect)
	merged, differing := Merge(p.Expect, wanted, live)
	for _, key := range differing {
		if !slices.Contains(ours, key) {
			clashes = append(clashes, key)
			continue
		}
		if value, set := wanted[key]; set {
			merged[key] = value
		} else {
			delete(merged, key)
		}
	}
	return NewPatch(live, merged), clashes
}
