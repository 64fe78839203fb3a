package e2e

import (
	"strings"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/e2e/world"
)

// ended matches a command that ended with an exit code.
func ended(code int) types.GomegaMatcher { return HaveField("Code", code) }

// refused matches a command that ended with an exit code and one sentence that has a part.
func refused(code int, part string) types.GomegaMatcher {
	return And(ended(code), WithTransform(sentences, And(HaveLen(1), ContainElement(And(HavePrefix("sr: "), ContainSubstring(part))))))
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
