package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/test/e2e/world"
)

var _ = Describe("Must not happen: files and reviews hide or change something", func() {
	It("removal of keys named like built-in properties going unseen", func() {
		builtIn := []string{"__proto__", "constructor", "hasOwnProperty", "toString", "__class__"}
		live := map[string]string{"A": w.Secret("a")}
		for _, key := range builtIn {
			live[key] = w.Secret(key)
		}
		team := w.NewTeam(world.Options{Live: live})
		alice := team.As(world.Alice)
		alice.Write(".env", "A="+w.Secret("a")+"\n")
		Expect(alice.SR("propose", "-r", "because")).To(fail(3, "lacks 5 live keys", "__proto__", "constructor", "toString"))
		Expect(team.Staged()).To(BeEmpty())
		name := alice.Propose("--prune")
		change := team.Await(name, v1alpha1.PhasePending)
		for _, key := range builtIn {
			Expect(change.Status.Diff).To(ContainElement(v1alpha1.KeyChange{Key: key, Type: v1alpha1.KeyRemoved}))
			Expect(team.As(world.Bob).SR("review", name)).To(end(0, "- "+key))
		}
		Expect(team.As(world.Bob).SR("approve", name, "-y")).To(end(0))
		Expect(team.LiveValues()).To(Equal(map[string]string{"A": w.Secret("a")}))
	})

	It("a .env readable by others", func() {
		team := w.NewTeam(world.Options{Live: map[string]string{"A": w.Secret("a")}})
		alice := team.As(world.Alice)
		for name, before := range map[string]os.FileMode{"new.env": 0, "loose.env": 0o666} {
			path := filepath.Join(alice.Dir, name)
			if before != 0 {
				alice.Write(name, "")
				Expect(os.Chmod(path, before)).To(Succeed())
			}
			Expect(alice.SR("pull", "-o", name)).To(end(0))
			Expect(os.Stat(path)).To(HaveField("Mode()", os.FileMode(0o600)), name)
			Expect(alice.Read(name)).To(And(HavePrefix("# secretreview: "), ContainSubstring(w.Secret("a"))))
		}
		Expect(os.ReadDir(alice.Dir)).To(HaveLen(3), "nothing is left beside them and .sr.json")
	})

	It("backslashes changed by pull and propose", func() {
		live := map[string]string{
			"BACKSLASHES": w.Secret(`\ \\ \n \t \" \' \$ C:\new\table`),
			"QUOTES":      w.Secret(`"double" 'single' ` + "`back`"),
			"LINES":       w.Secret("one\ntwo\r\nthree\n"),
			"DOLLARS":     w.Secret("$HOME ${HOME} $(id) %s"),
			"HASH":        w.Secret("a #b=c"),
			"SPACES":      w.Secret("  around  "),
			"UNICODE":     w.Secret("grüße 日本 🔑 \u202e\x7f\x01"),
			"EMPTY":       "",
			"BACKSLASH":   `\`,
		}
		team := w.NewTeam(world.Options{Live: live})
		alice := team.As(world.Alice)
		Expect(alice.SR("pull")).To(end(0))
		Expect(alice.SR("propose", "-r", "because")).To(end(0, "No changes"))

		name := alice.Propose("-f", ".env", "--set", `ADDED=\\n`)
		team.Await(name, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).SR("approve", name, "-y")).To(end(0))
		live["ADDED"] = `\\n`
		Expect(team.LiveValues()).To(Equal(live))
	})

	It("a value repainting the reviewer's screen", func() {
		team := w.NewTeam(world.Options{Live: map[string]string{"A": w.Secret("a")}})
		name := team.As(world.Alice).ProposeFrom(w.Secret("\x1b[2J\x1b[Hharmless\r\u202e\u009b31m"), "--set", "A=-", "--set", "B="+w.Secret("\x1b]0;title\a"))
		team.Await(name, v1alpha1.PhasePending)
		terminal := team.As(world.Bob).Terminal("sr", "review", name)
		terminal.Type(`Enter leaves it as it is: *`, "")
		screen, code := terminal.Wait()
		Expect(code).To(BeZero())
		Expect(screen).To(And(ContainSubstring(w.Mark), ContainSubstring(`\x1b[2J`), ContainSubstring(`\u202e`)))
		Expect(screen).NotTo(Or(ContainSubstring("\x1b[2J"), ContainSubstring("\x1b[H"), ContainSubstring("\x1b]0;"), ContainSubstring("\u202e")))
		for _, argument := range []string{"--reveal", "--json"} {
			Expect(team.As(world.Bob).SR("review", name, argument).Out).NotTo(ContainSubstring("\x1b"), argument)
		}
	})
})

var _ = Describe("On a terminal", func() {
	var team *world.Team

	BeforeEach(func() {
		team = w.NewTeam(world.Options{Live: map[string]string{"A": w.Secret("a"), "B": w.Secret("b")}})
	})

	It("a value is asked for without showing it, and a review shows values, asks and approves", func() {
		proposing := team.As(world.Alice).Terminal("sr", "propose", "-r", "because", "--set", "A")
		proposing.Type("Value of A: ", w.Secret("typed"))
		screen, code := proposing.Wait()
		Expect(code).To(BeZero(), screen)
		Expect(screen).To(And(ContainSubstring("~ A"), Not(ContainSubstring(w.Mark))))
		name := team.Changes()[0].Name
		team.Await(name, v1alpha1.PhasePending)

		review := team.As(world.Bob).Terminal("sr", "review", "--latest")
		review.Type("To approve it, type a", "a")
		review.Type("Comment", "fine")
		screen, code = review.Wait()
		Expect(code).To(BeZero(), screen)
		Expect(screen).To(And(ContainSubstring("is applied"), ContainSubstring("\x1b[")))
		// What differs within a line is marked by colour.
		plain := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(screen, "")
		Expect(plain).To(And(ContainSubstring(w.Secret("typed")), ContainSubstring(w.Secret("a"))))
		Expect(team.LiveValues()).To(HaveKeyWithValue("A", w.Secret("typed")))
		Expect(team.Change(name).Spec.Reviews).To(ConsistOf(v1alpha1.Review{Reviewer: world.Bob, Verdict: v1alpha1.VerdictApproved, Comment: "fine"}))
	})

	It("keys that a file lacks are removed only when a person says so, and nothing has colour where NO_COLOR is set", func() {
		alice := team.As(world.Alice).With("NO_COLOR=1")
		alice.Write(".env", "A="+w.Secret("a")+"\n")
		for answer, expected := range map[string]int{"n": 130, "y": 0} {
			proposing := alice.Terminal("sr", "propose", "-r", "because")
			proposing.Type("lacks 1 live key: B. Remove", answer)
			screen, code := proposing.Wait()
			Expect(code).To(Equal(expected), screen)
			Expect(screen).NotTo(ContainSubstring("\x1b["))
		}
		Expect(team.Changes()).To(HaveLen(1))
	})

	It("Ctrl-C at a question leaves nothing behind, and gives the shell its echo back", func() {
		proposing := team.As(world.Alice).Terminal("sr", "propose", "-r", "because", "--set", "A")
		proposing.Type("Value of A: ", "half\x03")
		screen, code := proposing.Wait()
		Expect(code).To(Equal(130), screen)
		Expect(strings.Count(screen, "half")).To(BeZero())
		Expect(team.Staged()).To(BeEmpty())
		Expect(team.Changes()).To(BeEmpty())
	})
})
