// Package sheet is what a reviewer is shown of a change: who proposed it and
// why, where it stands, what to beware of, and what it does to which key. The
// values are read with the reviewer's own AWS credentials, and only believed
// where they are what the change pins.
package sheet

import (
	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/live"
	"github.com/secretreview/secretreview/internal/cli/printers"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// State says what is known of a change's values.
type State string

// States.
const (
	// Read: read from AWS, and they are what the change pins.
	Read State = "Read"
	// NoValues: the change has no staged values, and none that it goes back to, or
	// no longer.
	NoValues State = "NoValues"
	// Gone: the change has ended, and its staged values are deleted.
	Gone State = "Gone"
	// NotRead: the reviewer did not want to read them.
	NotRead State = "NotRead"
	// Unreadable: they could not be read; Problem says why.
	Unreadable State = "Unreadable"
	// Wrong: what is staged is not what the change pins; Problem says how.
	Wrong State = "Wrong"
)

// Sheet is what a reviewer is shown.
type Sheet struct {
	Change *v1alpha1.SecretChange
	// Target is nil where the project or the environment does not exist.
	Target *factory.Target
	State  State
	// Problem is set where State is Unreadable or Wrong.
	Problem error
	// Entries are the keys that change. They have values only where State is
	// Read; otherwise they are what the controller recorded.
	Entries []printers.Entry
	// Unchanged are the live keys that stay, where State is Read.
	Unchanged []printers.Entry
	// Successors are the changes that a conflicted one was made anew as.
	Successors []string
	// Warnings are sentences without their full stop.
	Warnings []string

	// live, and after, which the change makes of it, are known where State is
	// Read. clashes are the keys that others have changed since it was proposed.
	live    live.Version
	after   document.Document
	clashes []string
}

// LiveVersionID returns the version that the change is shown against, or "" where
// its values were not read.
func (s *Sheet) LiveVersionID() string { return s.live.ID }

// recorded returns the keys as the controller recorded them.
func recorded(change *v1alpha1.SecretChange) []printers.Entry {
	var entries []printers.Entry
	for _, c := range change.Status.Diff {
		entries = append(entries, printers.Entry{Key: c.Key, Type: document.ChangeType(c.Type)})
	}
	return entries
}

// compare fills in what the edit does to what is live.
func (s *Sheet) compare() {
	before := s.live.Values
	after := s.after
	s.Entries, s.Unchanged = nil, nil
	changed := map[string]bool{}
	for _, c := range document.Diff(before, after) {
		s.Entries = append(s.Entries, printers.Entry{Key: c.Key, Type: c.Type, Old: value(before, c.Key), New: value(after, c.Key)})
		changed[c.Key] = true
	}
	for _, key := range before.Keys() {
		if !changed[key] {
			s.Unchanged = append(s.Unchanged, printers.Entry{Key: key, Old: value(before, key), New: value(after, key)})
		}
	}
}

// value returns the value of a key, or nil if it is not there.
func value(d document.Document, key string) *sensitive.Value {
	if v, has := d[key]; has {
		return &v
	}
	return nil
}
