package e2e

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/e2e/world"
)

// Arguments can be read by everybody of a machine, the environment and open files by everybody of the user.
var _ = Describe("Must not happen: values in a process's arguments, environment or open files", func() {
	var team *world.Team
	var alice *world.Shell
	BeforeEach(func() {
		if runtime.GOOS != "linux" {
			Skip("there is no /proc")
		}
		team = w.NewTeam(world.Options{Live: map[string]string{"A": w.Secret("a")}})
		alice = team.As(world.Alice)
		alice.Write("value", w.Secret("from-file"))
	})
	opened := func() {
		GinkgoHelper()
		Eventually(func() string { return filepath.Join(alice.Dir, "opened") }).WithTimeout(world.Patience).Should(BeAnExistingFile())
	}
	// clean holds that none of these processes shows a value, though they have some.
	clean := func(images []world.Image, count int) {
		GinkgoHelper()
		Expect(len(images)).To(BeNumerically(">=", count))
		for _, image := range images {
			Expect(image.Args).NotTo(BeEmpty())
			Expect(image.Text()).NotTo(ContainSubstring(w.Mark), image.String())
		}
	}

	It("of sr while it proposes", func() {
		staging := w.AWS.HoldNext(emulator.Fault{Operations: []string{"CreateSecret"}, Secret: "*" + team.Project + "*"}, world.Forever)
		proposing := alice.Begin("sr", "propose", "-r", "because", "--set", "A=@value")
		staging.Await()
		clean(proposing.Images(), 1)
		proposing.Kill()
	})

	It("of sr while it shows a review", func() {
		name := alice.Propose("--set", "A=@value")
		team.Await(name, v1alpha1.PhasePending)
		reading := team.As(world.Bob).Terminal("sr", "review", name)
		Eventually(reading.Screen).Should(gbytes.Say("To approve it, type a"))
		Expect(string(reading.Screen.Contents())).To(ContainSubstring(w.Mark))
		clean(reading.Images(), 1)
		reading.Type("", "q")
		_, _ = reading.Wait()
	})

	It("of sr, its guard and the editor while somebody edits, but for the file that is edited", func() {
		script := filepath.Join(alice.Dir, "editor")
		alice.Write("editor", "#!/bin/sh -e\n: >opened; while [ ! -e close ]; do sleep 0.05; done\n")
		Expect(os.Chmod(script, 0o700)).To(Succeed()) //nolint:gosec // It is to be run.
		editing := alice.With("EDITOR="+script).Begin("sr", "edit", "-r", "because")
		opened()
		clean(editing.Images(), 3)
		alice.Write("close", "")
		Expect(editing.Wait()).To(end(0, "No changes"))
	})

	It("of a program that sr runs, but for its environment, which is what was asked for", func() {
		alice.Write("wait", "while [ ! -e close ]; do : >opened; sleep 0.05; done\n")
		running := alice.Begin("sr", "run", "--", "sh", "wait")
		opened()
		program := running.Images()[0]
		Expect(program.Args).To(Equal([]string{"sh", "wait"}), "sr itself is gone, with all that it had in memory")
		Expect(strings.Join(program.Env, " ")).To(ContainSubstring(w.Mark), "and the search finds what is there")
		program.Env = nil
		clean([]world.Image{program}, 1)
		alice.Write("close", "")
		Expect(running.Wait()).To(end(0))
	})
})
