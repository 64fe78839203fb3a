package printers

import (
	"time"

	"k8s.io/apimachinery/pkg/util/duration"
)

// Age says how long ago t was, as kubectl does: "3m". A time that lies ahead,
// as clocks that differ make it, counts as now.
func Age(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return duration.HumanDuration(max(now.Sub(t), 0))
}

// Until says how long it takes until t: "6d23h", or "past".
func Until(t, now time.Time) string {
	if !t.After(now) {
		return "past"
	}
	return duration.HumanDuration(t.Sub(now))
}

// Moment tells a time both ways: "3m ago (2026-01-02T15:04:05Z)".
func Moment(t, now time.Time) string {
	at := " (" + t.UTC().Format(time.RFC3339) + ")"
	if t.After(now) {
		return "in " + Until(t, now) + at
	}
	return Age(t, now) + " ago" + at
}
