package e2e

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/e2e/world"
)

// As short as they are frequent.
var (
	end  = world.End
	fail = world.Fail
)

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
