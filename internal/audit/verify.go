package audit

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/trim"
)

// History is what Verify looks at.
type History struct {
	// Changes are all changes of one environment, in any order.
	Changes []v1alpha1.SecretChange
	// Exported are finished changes of the environment as an earlier export has
	// them. They must still be the same, or stand for what is trimmed.
	Exported []v1alpha1.SecretChange
	// Secret are the labels of each version of the live secret in AWS, by
	// VersionId. It is nil where AWS was not asked; then the records are compared
	// with each other alone.
	Secret map[string][]string
}

// BreakKind says what is wrong.
type BreakKind string

// Kinds of breaks.
const (
	// Altered: a record is not what its digest says.
	Altered BreakKind = "Altered"
	// Missing: a record is gone from between others, or AWS still knows of it.
	Missing BreakKind = "Missing"
	// Unlinked: a record does not follow the one before it.
	Unlinked BreakKind = "Unlinked"
	// Unsealed: a record has no place in a chain, although the chain had begun.
	Unsealed BreakKind = "Unsealed"
	// Uncommitted: a version's id in AWS is not the one that the record gives.
	Uncommitted BreakKind = "Uncommitted"
)

// Break is a place where the history does not hold.
type Break struct {
	Kind     BreakKind `json:"kind"`
	Chain    Chain     `json:"chain"`
	Sequence int64     `json:"sequence,omitempty"`
	Change   string    `json:"change,omitempty"`
	Message  string    `json:"message"`
}

// Span is what of a chain is there.
type Span struct {
	// First and Last are sequence numbers, 0 if there is no record. What came
	// before First has been trimmed.
	First int64 `json:"first"`
	Last  int64 `json:"last"`
	// Records are those from First on; Islands the older ones, which have outlived
	// what joined them to the chain, because Git owns them.
	Records int `json:"records"`
	Islands int `json:"islands"`
	// Forks are records that follow the same one as another.
	Forks int `json:"forks"`
}

// Report is what Verify found.
type Report struct {
	Live  Span `json:"live"`
	Other Span `json:"other"`
	// Unchained counts changes that ended before chains were kept.
	Unchained int `json:"unchained"`
	// Restored counts records that a backup has brought back under another UID.
	Restored int `json:"restored"`
	// Witnessed counts the records to which a version in AWS bears witness.
	Witnessed int `json:"witnessed"`
	// Breaks are in the order of the chain of what became live, then of the other.
	Breaks []Break `json:"breaks"`
}

// Verify walks both chains and names every break.
func Verify(h History) Report {
	v := &verifier{History: h, chains: map[Chain][]*v1alpha1.SecretChange{}, report: Report{Breaks: []Break{}}}
	v.join()
	v.collect()
	v.report.Live = v.walk(Live)
	v.report.Other = v.walk(Other)
	for _, c := range v.chains[Live] {
		v.commitment(c)
	}
	v.witnesses()
	slices.SortStableFunc(v.report.Breaks, func(a, b Break) int {
		return cmp.Or(cmp.Compare(a.Chain, b.Chain), cmp.Compare(a.Sequence, b.Sequence))
	})
	return v.report
}

type verifier struct {
	History
	// chains are the sealed changes, the oldest first.
	chains map[Chain][]*v1alpha1.SecretChange
	report Report
}

func (v *verifier) brokenf(kind BreakKind, chain Chain, c *v1alpha1.SecretChange, format string, args ...any) {
	b := Break{Kind: kind, Chain: chain, Message: fmt.Sprintf(format, args...)}
	if c != nil {
		b.Change, b.Sequence = c.Name, sequence(c)
	}
	v.report.Breaks = append(v.report.Breaks, b)
}

func sequence(c *v1alpha1.SecretChange) int64 {
	if c.Status.Audit == nil {
		return 0
	}
	return c.Status.Audit.Sequence
}

// join adds what was exported and is not there any more.
func (v *verifier) join() {
	there := map[types.UID]*v1alpha1.SecretChange{}
	for i := range v.Changes {
		there[uidOf(&v.Changes[i])] = &v.Changes[i]
	}
	var gone []v1alpha1.SecretChange
	for i := range v.Exported {
		was := &v.Exported[i]
		switch is := there[uidOf(was)]; {
		case is == nil:
			gone = append(gone, *was)
		case was.Status.Audit != nil && (is.Status.Audit == nil || is.Status.Audit.ChainLink != was.Status.Audit.ChainLink):
			v.brokenf(Altered, ChainOf(was), was, "the record of change %q is not the one that was exported", was.Name)
		}
	}
	v.Changes = append(slices.Clone(v.Changes), gone...)
}

// collect sorts the sealed changes into chains, and looks at those without a
// seal.
func (v *verifier) collect() {
	var unsealed []*v1alpha1.SecretChange
	for i := range v.Changes {
		switch c := &v.Changes[i]; {
		case !c.Status.Phase.Finished():
		case c.Status.Audit == nil:
			unsealed = append(unsealed, c)
		default:
			v.chains[ChainOf(c)] = append(v.chains[ChainOf(c)], c)
		}
	}
	for _, chain := range v.chains {
		slices.SortFunc(chain, func(a, b *v1alpha1.SecretChange) int {
			return cmp.Or(cmp.Compare(sequence(a), sequence(b)), cmp.Compare(a.UID, b.UID))
		})
	}
	for _, c := range unsealed {
		if v.begun(c) {
			v.brokenf(Unsealed, ChainOf(c), c, "change %q has no place in the chain, although it ended when the chain had begun", c.Name)
		} else {
			v.report.Unchained++
		}
	}
}

// begun reports whether a change without a seal ended, or was written, when
// seals were given already.
func (v *verifier) begun(c *v1alpha1.SecretChange) bool {
	if Committed(c.Status.AppliedVersionID) && ChainOf(c) == Live {
		return true
	}
	for _, chain := range v.chains {
		for _, sealed := range chain {
			if c.Status.FinishedAt != nil && sealed.Status.FinishedAt != nil && c.Status.FinishedAt.After(sealed.Status.FinishedAt.Time) {
				return true
			}
		}
	}
	return false
}

// walk follows one chain.
func (v *verifier) walk(chain Chain) Span {
	records := v.chains[chain]
	if len(records) == 0 {
		return Span{}
	}
	for _, c := range records {
		if c.Status.Audit.UID != c.UID {
			v.report.Restored++
		}
		if c.Status.Audit.Digest != RecordOf(c).Digest() {
			v.brokenf(Altered, chain, c, "the record of change %q is not the one that its digest was made of: it was altered after the change had ended", c.Name)
		}
	}
	first := v.first(records)
	span := Span{First: sequence(records[first]), Last: sequence(records[len(records)-1]), Records: len(records) - first, Islands: first}
	for i := first; i < len(records); i++ {
		c := records[i]
		before := sequence(c) - 1
		if i > first && sequence(records[i-1]) == sequence(c) {
			span.Forks++
		}
		switch earlier := digests(records[first:i], before); {
		case before == 0 && c.Status.Audit.Previous != "":
			v.brokenf(Unlinked, chain, c, "change %q is the first of its chain, but follows another record", c.Name)
		case before == 0 || before < span.First:
		case len(earlier) == 0:
			v.brokenf(Missing, chain, c, "record %d, before that of change %q, is not there: it was purged, or taken away", before, c.Name)
		case !slices.Contains(earlier, c.Status.Audit.Previous):
			v.brokenf(Unlinked, chain, c, "the record of change %q does not follow record %d as that is now", c.Name, before)
		}
	}
	return span
}

// first is where the chain begins without a gap: what is older, and kept for Git
// alone, stands for itself.
func (v *verifier) first(records []*v1alpha1.SecretChange) int {
	first := 0
	for i := 1; i < len(records); i++ {
		gap := sequence(records[i]) > sequence(records[i-1])+1
		if gap && !slices.ContainsFunc(records[:i], func(c *v1alpha1.SecretChange) bool { return !trim.GitOwned(c) }) {
			first = i
		}
	}
	return first
}

// digests are those of the records with a sequence number.
func digests(records []*v1alpha1.SecretChange, number int64) []string {
	var out []string
	for i := len(records) - 1; i >= 0 && sequence(records[i]) >= number; i-- {
		if sequence(records[i]) == number {
			out = append(out, records[i].Status.Audit.Digest)
		}
	}
	return out
}

// commitment holds that a version which became live is the one that the record
// gives, and that the other chain is still what the version commits to.
func (v *verifier) commitment(c *v1alpha1.SecretChange) {
	place := committed(c)
	if place == nil || VersionID(c.Status.Audit.UID, c, c.Status.Attempt, c.Status.Revert) != c.Status.AppliedVersionID {
		if sequence(c) > 1 || Committed(c.Status.AppliedVersionID) {
			v.brokenf(Uncommitted, Live, c, "version %s is not the one that the record of change %q gives: the record was altered, or comes from a backup that is older than the version",
				c.Status.AppliedVersionID, c.Name)
		}
		return
	}
	if place.Sequence != sequence(c) || place.Previous != c.Status.Audit.Previous {
		v.brokenf(Unlinked, Live, c, "the record of change %q is not in the place that its version commits to", c.Name)
	}
	other := v.chains[Other]
	if place.Ended == nil || len(other) == 0 || place.Ended.Sequence < v.report.Other.First {
		return
	}
	switch found := digests(other, place.Ended.Sequence); {
	case len(found) == 0:
		v.brokenf(Missing, Live, c, "record %d of what did not become live, to which the version of change %q commits, is not there: it was purged, or taken away",
			place.Ended.Sequence, c.Name)
	case !slices.Contains(found, place.Ended.Digest):
		v.brokenf(Altered, Live, c, "record %d of what did not become live is not the one to which the version of change %q commits", place.Ended.Sequence, c.Name)
	}
}

// witnesses compares the records with what AWS has.
func (v *verifier) witnesses() {
	if v.Secret == nil {
		return
	}
	byUID := map[string]*v1alpha1.SecretChange{}
	for i := range v.Changes {
		c := &v.Changes[i]
		byUID[string(uidOf(c))] = c
	}
	for _, version := range sorted(v.Secret) {
		for _, label := range v.Secret[version] {
			if uid, ours := naming.ChangeUID(label); ours {
				v.witness(version, uid, byUID[uid])
			}
		}
	}
	// A version bears witness by its id. Its label may have been trimmed, where adoptions gave it others.
	live := v.chains[Live]
	for _, c := range live {
		if _, there := v.Secret[c.Status.AppliedVersionID]; there && Committed(c.Status.AppliedVersionID) {
			v.report.Witnessed++
		}
	}
	if len(live) == 0 {
		return
	}
	newest := live[len(live)-1]
	if _, there := v.Secret[newest.Status.AppliedVersionID]; !there && Committed(newest.Status.AppliedVersionID) {
		v.brokenf(Missing, Live, newest, "AWS no longer has version %s of change %q, the newest that became live", newest.Status.AppliedVersionID, newest.Name)
	}
}

// witness compares one version in AWS with the record of the change whose label
// it bears, nil if there is none.
func (v *verifier) witness(version, uid string, c *v1alpha1.SecretChange) {
	switch {
	case c == nil && Committed(version):
		v.brokenf(Missing, Live, nil, "version %s in AWS was written for change %s, of which there is no record: it was purged, taken away, or lost with a restore", version, uid)
	case c == nil || !c.Status.Phase.Finished() || c.Status.AppliedVersionID == version:
	case c.Spec.Restore != nil && c.Status.Revert == nil: // it may have labelled what it adopts, and wrote nothing
	case Committed(version) || Committed(c.Status.AppliedVersionID):
		v.brokenf(Uncommitted, ChainOf(c), c, "AWS has version %s of change %q, whose record gives %s", version, c.Name, orNone(c.Status.AppliedVersionID))
	}
}

// uidOf is what a change was called in AWS.
func uidOf(c *v1alpha1.SecretChange) types.UID {
	if c.Status.Audit != nil {
		return c.Status.Audit.UID
	}
	return c.UID
}

func sorted(versions map[string][]string) []string {
	var ids []string
	for id := range versions {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func orNone(version string) string {
	if version == "" {
		return "none"
	}
	return version
}
