package e2e

import (
	"crypto/sha256"
	"encoding/hex"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/test/e2e/world"
)

var _ = Describe("A program with what is live in its environment", func() {
	var alice *world.Shell
	BeforeEach(func() {
		team := w.NewTeam(world.Options{Live: map[string]string{"A": w.Secret("a"), "HOME": w.Secret("home"), "LINES": "x\ny"}})
		alice = team.As(world.Alice)
	})

	It("sees it before its own, and nothing is left on the disk", func() {
		ran := alice.SR("run", "--", "sh", "-c", `printf '%s|%s|%s' "$A" "$HOME" "$LINES" | sha256sum`)
		Expect(ran.Code).To(BeZero(), ran.Err)
		want := sha256.Sum256([]byte(w.Secret("a") + "|" + w.Secret("home") + "|x\ny"))
		Expect(ran.Out).To(HavePrefix(hex.EncodeToString(want[:])))
		Expect(alice.SR("run", "--", "sh", "-c", "ls -A").Out).NotTo(ContainSubstring("env"))
	})

	It("keeps its exit code, its flags and its signals", func() {
		Expect(alice.SR("run", "--", "sh", "-c", "exit 42").Code).To(Equal(42))
		Expect(alice.SR("run", "sh", "-c", "exit 41").Code).To(Equal(41), "without --, what follows the name is the program's")
		Expect(alice.SR("run", "--", "sh", "-c", `trap 'exit 40' TERM; kill -TERM $$; sleep 10`).Code).To(Equal(40))
	})

	It("gets a shell's exit codes where it cannot start, before anything is read", func() {
		Expect(alice.SR("run", "--", "no-such-program")).To(fail(127, "there is no program"))
		alice.Write("plain", "text")
		Expect(alice.SR("run", "--", "./plain")).To(fail(126, "cannot be run"))
		Expect(alice.SR("run")).To(fail(2, "it takes the program to run"))
	})
})
