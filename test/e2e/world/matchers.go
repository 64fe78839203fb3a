package world

import (
	"strings"

	"github.com/onsi/gomega/gcustom"
	"github.com/onsi/gomega/types"
)

// End matches a command that ended with an exit code, having said all of these.
func End(code int, parts ...string) types.GomegaMatcher {
	return gcustom.MakeMatcher(func(r Result) (bool, error) {
		for _, part := range parts {
			if !strings.Contains(r.Out+r.Err, part) {
				return false, nil
			}
		}
		return r.Code == code, nil
	}).WithTemplate("Expected:\n{{.FormattedActual}}\n{{.To}} end with code {{index .Data 0}}, saying {{index .Data 1}}", []any{code, parts})
}

// Fail matches a command that ended with an exit code and one sentence that has all of these parts.
func Fail(code int, parts ...string) types.GomegaMatcher {
	return gcustom.MakeMatcher(func(r Result) (bool, error) {
		said := sentences(r)
		if len(said) != 1 || !strings.HasPrefix(said[0], "sr: ") {
			return false, nil
		}
		for _, part := range parts {
			if !strings.Contains(said[0], part) {
				return false, nil
			}
		}
		return r.Code == code, nil
	}).WithTemplate("Expected:\n{{.FormattedActual}}\n{{.To}} fail with code {{index .Data 0}}, in one sentence with {{index .Data 1}}", []any{code, parts})
}

// sentences are the lines on standard error that are not notes on the way.
func sentences(r Result) []string {
	var lines []string
	for line := range strings.Lines(r.Err) {
		if !strings.HasPrefix(line, "Note: ") && !strings.HasPrefix(line, "Warning: ") {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}
