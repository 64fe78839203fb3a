package change

import (
	"fmt"
	"strings"

	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/policy"
)

// shownKeys is how many keys a message or summary names at most.
const shownKeys = 5

// quote makes a name that somebody chose safe to print.
func quote(s string) string { return fmt.Sprintf("%q", s) }

const (
	// maxMessage is how long a status message may be; the CRD says 2,048
	// characters.
	maxMessage = 2048
	// maxNote is how long an event's note may be (events.k8s.io/v1, note: "at
	// most 1kB").
	maxNote = 1023
)

// truncate cuts a message that long names have made longer than limit bytes.
func truncate(message string, limit int) string {
	const ellipsis = "…"
	if len(message) <= limit {
		return message
	}
	return strings.ToValidUTF8(message[:limit-len(ellipsis)], "") + ellipsis
}

// keyList names a few keys, quoted, and counts the rest.
func keyList(keys []string) string {
	var shown []string
	for _, k := range keys[:min(len(keys), shownKeys)] {
		shown = append(shown, document.Quote(k))
	}
	list := strings.Join(shown, ", ")
	if more := len(keys) - shownKeys; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return list
}

// marks are the signs of a diff's lines.
var marks = map[document.ChangeType]string{document.Added: "+", document.Modified: "~", document.Removed: "-"}

// summary shows a diff on one short line, such as "+A ~B -C, 2 more". A key
// that is no valid one is shown quoted.
func summary(diff []document.KeyChange) string {
	if len(diff) == 0 {
		return "none"
	}
	var shown []string
	for _, c := range diff[:min(len(diff), shownKeys)] {
		key := c.Key
		if document.ValidKey(key) != nil {
			key = document.Quote(key)
		}
		shown = append(shown, marks[c.Type]+key)
	}
	line := strings.Join(shown, " ")
	if more := len(diff) - shownKeys; more > 0 {
		line += fmt.Sprintf(", %d more", more)
	}
	return line
}

func (d *decider) movedMessage(current string) string {
	next := "rebase it onto what is live now"
	if d.spec.Staged == nil {
		next = "go back anew from what is live now"
	}
	return fmt.Sprintf("The live version is no longer %s but %s: %s", d.status.BaseVersionID, orNone(current), next)
}

func orNone(version string) string {
	if version == "" {
		return "none"
	}
	return version
}

func (d *decider) notReady() string {
	if d.blocked.message != "" {
		return d.blocked.message
	}
	return fmt.Sprintf("Waiting: SecretProject %q has not been checked against AWS yet", d.spec.Project)
}

func (d *decider) grounds() string {
	switch {
	case d.decision.BornApproved:
		return "Approved by its proposer, who may roll back"
	case d.decision.Required == 0:
		return "Approved: this environment requires no approvals"
	default:
		return "Approved by " + keyList(d.decision.Approvers)
	}
}

// missingReviews says how many approvals are missing, and why given ones do
// not count.
func (d *decider) missingReviews() string {
	missing := d.decision.Required - len(d.decision.Approvers)
	text := fmt.Sprintf("Waiting for %d more approval", missing)
	if missing != 1 {
		text += "s"
	}
	for _, review := range d.spec.Reviews {
		if why, ok := d.decision.NotCounted[review.Reviewer]; ok {
			text += fmt.Sprintf("; the approval of %s does not count: %s", quote(review.Reviewer), notCountedText[why])
			break
		}
	}
	return text
}

// notCountedText words why one approval was passed over.
var notCountedText = map[string]string{
	policy.NotCountedSelf:           "the proposer cannot approve",
	policy.NotCountedServiceAccount: "a name that begins with system: cannot approve unless it is listed",
	policy.NotCountedSamePerson:     "one person counts once",
	policy.NotCountedDiscounted:     "identities were not guarded for a while, so another person must review in place",
}
