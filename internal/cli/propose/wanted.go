package propose

import (
	"fmt"
	"slices"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/live"
	"github.com/secretreview/secretreview/internal/cli/wording"
	"github.com/secretreview/secretreview/internal/document"
)

// inputs is what the wanted state is made of.
type inputs struct {
	// Live is what is live now, Base what the file was a copy of.
	Live, Base document.Document
	// File is the whole wanted state, nil without a file.
	File document.Document
	// Keep adds to File what only Base has.
	Keep bool
	// Set and Unset come on top of the file.
	Set   document.Document
	Unset []string
}

// result is the wanted state, and what a person should know about it.
type result struct {
	Wanted document.Document
	// Lacking are live keys that are removed only because the file lacks them.
	Lacking []string
	// Newer are keys that others changed since Base and that stay as they are.
	Newer []string
	// Kept are live keys that no file can carry, and that stay as they are.
	Kept []string
}

// wantedState works out the wanted state. It fails with an exit.Error: Conflict
// where file and live both changed a key since Base, and Refused where Unset
// names a key that is not there.
func wantedState(in inputs) (result, error) {
	r := result{Wanted: in.Live.Clone()}
	if in.File != nil {
		if err := r.merge(in); err != nil {
			return result{}, err
		}
	}
	for _, key := range in.Unset {
		_, wanted := r.Wanted[key]
		_, isLive := in.Live[key]
		if !wanted && !isLive {
			return result{}, exit.Errorf(exit.Refused, "key %s is not live, so it cannot be unset: leave it out, or look at its spelling", document.Quote(key))
		}
		delete(r.Wanted, key)
	}
	for key, value := range in.Set {
		r.Wanted[key] = value
	}
	r.describe(in)
	return r, nil
}

// describe fills in what a person should know.
func (r *result) describe(in inputs) {
	edited := map[string]bool{}
	for _, change := range document.Diff(in.Live, r.Wanted) {
		edited[change.Key] = true
		if change.Type == document.Removed && !slices.Contains(in.Unset, change.Key) {
			r.Lacking = append(r.Lacking, change.Key)
		}
	}
	if in.File == nil {
		return
	}
	for _, change := range document.Diff(in.Base, in.Live) {
		if !edited[change.Key] {
			r.Newer = append(r.Newer, change.Key)
		}
	}
	for _, key := range in.Live.Keys() {
		if document.ValidKey(key) != nil && !edited[key] {
			r.Kept = append(r.Kept, key)
		}
	}
}

func (r *result) merge(in inputs) error {
	mine := in.File.Clone()
	for key, value := range in.Base {
		if _, has := mine[key]; !has && (in.Keep || document.ValidKey(key) != nil) {
			mine[key] = value
		}
	}
	merged, clashes := document.Merge(in.Base, mine, in.Live)
	clashes = slices.DeleteFunc(clashes, func(key string) bool {
		_, set := in.Set[key]
		return set || slices.Contains(in.Unset, key)
	})
	if len(clashes) > 0 {
		return exit.Errorf(exit.Conflict, "%w", &ClashError{Keys: clashes})
	}
	r.Wanted = merged
	return nil
}

// ClashError says that both a file and somebody else have changed keys since the
// version that the file was an edit of.
type ClashError struct {
	Keys []string
	// Live is what somebody else has made live.
	Live live.Version
}

func (e *ClashError) Error() string {
	return fmt.Sprintf(
		"both the file and somebody else have changed %s since the file was pulled: pull into another file, bring your edit over, and propose that, or decide each with --set or --unset",
		wording.Keys(e.Keys))
}
