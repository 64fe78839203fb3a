package e2e

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gcustom"
	"github.com/onsi/gomega/types"

	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/e2e/world"
)

// end matches a command that ended with an exit code, having said all of these.
func end(code int, parts ...string) types.GomegaMatcher {
	return gcustom.MakeMatcher(func(r world.Result) (bool, error) {
		for _, part := range parts {
			if !strings.Contains(r.Out+r.Err, part) {
				return false, nil
			}
		}
		return r.Code == code, nil
	}).WithTemplate("Expected:\n{{.FormattedActual}}\n{{.To}} end with code {{index .Data 0}}, saying {{index .Data 1}}", []any{code, parts})
}

// fail matches a command that ended with an exit code and one sentence that has all of these parts.
func fail(code int, parts ...string) types.GomegaMatcher {
	return gcustom.MakeMatcher(func(r world.Result) (bool, error) {
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
func sentences(r world.Result) []string {
	var lines []string
	for line := range strings.Lines(r.Err) {
		if !strings.HasPrefix(line, "Note: ") && !strings.HasPrefix(line, "Warning: ") {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}

// denied has AWS deny operations on a team's secrets.
func denied(team *world.Team, operations ...string) emulator.Fault {
	return emulator.Fault{Kind: emulator.FaultDeny, Operations: operations, Secret: "*" + team.Project + "*"}
}

// replaced replaces a part of a text that must be there.
func replaced(text, part, by string) string {
	GinkgoHelper()
	Expect(text).To(ContainSubstring(part))
	return strings.ReplaceAll(text, part, by)
}
