// Package finding is what is wrong with a file, and where. No finding holds
// what it is about.
package finding

import (
	"cmp"
	"slices"
)

// Severity says whether a finding fails a check.
type Severity string

// Severities.
const (
	// Error is refused by the cluster, or must not be in Git.
	Error Severity = "error"
	// Warning may be meant.
	Warning Severity = "warning"
)

// Kind says what sort of a finding it is. Programs may rely on the words.
type Kind string

// Kinds.
const (
	// Malformed: it cannot be read as YAML or JSON.
	Malformed Kind = "malformed"
	// TooLarge: it is not looked at.
	TooLarge Kind = "too-large"
	// Link: a symbolic link that is not followed.
	Link Kind = "link"
	// Schema: the API server would refuse it.
	Schema Kind = "schema"
	// UnknownField: there is no such field; it may well be a value that was pasted.
	UnknownField Kind = "unknown-field"
	// Admission: the admission policy would refuse it.
	Admission Kind = "admission"
	// Value: it looks like a credential.
	Value Kind = "value"
	// Dotenv: a file of values that "pull" wrote.
	Dotenv Kind = "dotenv"
	// KubernetesSecret: a Secret that holds data.
	KubernetesSecret Kind = "kubernetes-secret"
	// Duplicate: it is there twice.
	Duplicate Kind = "duplicate"
	// Staged: what a change pins cannot be its own, or is not.
	Staged Kind = "staged"
	// Project: a change and a project, or two projects, do not go together.
	Project Kind = "project"
	// Review: a review that would not count, or ends the change.
	Review Kind = "review"
	// Conflict: others have changed what is live.
	Conflict Kind = "conflict"
)

// Finding is one thing that is wrong.
type Finding struct {
	// File is the path as it was given, with slashes; "-" is standard input.
	File string `json:"file"`
	// Line counts from 1; 0 is the whole file.
	Line     int      `json:"line,omitempty"`
	Severity Severity `json:"severity"`
	Kind     Kind     `json:"kind"`
	// Field is where in the object, if it is about one.
	Field string `json:"field,omitempty"`
	// Message is a sentence without its full stop, about the field.
	Message string `json:"message"`
}

// Sort puts findings in the order of file, line and field, and leaves out what
// is said twice.
func Sort(findings []Finding) []Finding {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Field, b.Field),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(findings)
}

// Count counts the findings of a severity.
func Count(findings []Finding, severity Severity) int {
	n := 0
	for _, f := range findings {
		if f.Severity == severity {
			n++
		}
	}
	return n
}
