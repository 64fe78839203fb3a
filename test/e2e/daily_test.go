package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/test/e2e/world"
)

var _ = Describe("Daily work: other programs", func() {
	It("what is live comes through a shell's own reading, and through every format back", func() {
		live := map[string]string{"A": w.Secret("a"), "QUOTES": w.Secret(`it's "x" $HOME \n`), "LINES": w.Secret("x\ny\n"), "YES": "yes"}
		team := w.NewTeam(world.Options{Live: live})
		alice := team.As(world.Alice)
		begin := lastCall()
		Expect(alice.SR("export", "--format", "shell")).To(end(0, `export A='`+w.Secret("a")+"'\n"))
		Expect(spent(team, world.Alice, begin)).To(Equal(spending{"GetSecretValue": 1}))

		script := `eval "$(sr export --format shell)" && sr export --format json -f live.json && [ "$A" = "$1" ] && [ "$QUOTES" = "$2" ] && [ "$LINES" = "$3" ]`
		Expect(alice.Run("/bin/sh", "-ec", script, "sh", live["A"], live["QUOTES"], live["LINES"])).To(end(0))
		Expect(os.Stat(filepath.Join(alice.Dir, "live.json"))).To(HaveField("Mode()", fs.FileMode(0o600)))
		for _, format := range []string{"dotenv", "json", "yaml"} {
			Expect(alice.Run("/bin/sh", "-c", "sr export --format "+format+" | sr import --format "+format+" --prune -r because")).To(end(0, "No changes"))
		}
		Expect(alice.SR("export", "--format", "docker")).To(fail(3, "docker cannot hold LINES"))
		Expect(team.Changes()).To(BeEmpty())
	})

	It("a file of another program is proposed, reviewed and live", func() {
		team := w.NewTeam(world.Options{Live: map[string]string{"A": w.Secret("a"), "B": w.Secret("b")}})
		alice := team.As(world.Alice)
		alice.Write("values.yaml", "B: "+w.Secret("new")+"\nC: |\n  "+w.Secret("one")+"\n  two\nPORT: 5432\n")
		Expect(alice.SR("import", "--format", "yaml", "-f", "values.yaml", "-r", "because")).To(fail(1, `values.yaml, line 5, key "PORT"`, "put it in quotes"))
		alice.Write("values.yaml", replaced(alice.Read("values.yaml"), "5432", `"5432"`))
		name := proposedBy(alice.SR("import", "--format", "yaml", "-f", "values.yaml", "-r", "because"))
		team.Await(name, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).SR("approve", name, "-y")).To(end(0))
		Expect(team.LiveValues()).To(Equal(map[string]string{"A": w.Secret("a"), "B": w.Secret("new"), "C": w.Secret("one\ntwo\n"), "PORT": "5432"}))
	})

	It("a job of GitHub Actions gets values into its file, and hides them first", func() {
		team := w.NewTeam(world.Options{Live: map[string]string{"A": w.Secret("a"), "LINES": w.Secret("x") + "\ny"}})
		alice := team.As(world.Alice)
		alice.Write("env", "")
		job := alice.With("GITHUB_ENV=" + filepath.Join(alice.Dir, "env"))
		exported := job.SR("export", "--format", "github")
		Expect(exported).To(end(0))
		Expect(exported.Out).To(Equal("::add-mask::" + w.Secret("a") + "\n::add-mask::" + w.Secret("x") + "\n::add-mask::y\n"))
		Expect(job.Read("env")).To(MatchRegexp(`(?s)\AA<<(sr_\w+)\n` + w.Secret("a") + `\nsr_\w+\nLINES<<sr_\w+\n` + w.Secret("x") + `\ny\nsr_\w+\n\z`))
		for _, elsewhere := range []string{">>env", ">/dev/null", ">&-"} {
			Expect(job.Run("/bin/sh", "-c", "sr export --format github "+elsewhere)).To(end(3, "would not hide the values"), elsewhere)
		}
		Expect(strings.Count(job.Read("env"), "A<<")).To(Equal(1))
	})
})

var _ = Describe("Daily work: an editor", func() {
	var team *world.Team
	var alice *world.Shell
	var memory string

	BeforeEach(func() {
		team = w.NewTeam(world.Options{Live: map[string]string{"A": w.Secret("a"), "B": w.Secret("b")}})
		alice = team.As(world.Alice)
		memory = filepath.Join(alice.Dir, "memory")
		Expect(os.Mkdir(memory, 0o700)).To(Succeed())
	})
	// with returns a shell whose editor is a script that gets the file as its argument.
	with := func(script string) *world.Shell {
		alice.Write("editor", "#!/bin/sh -e\n"+script)
		path := filepath.Join(alice.Dir, "editor")
		Expect(os.Chmod(path, 0o700)).To(Succeed()) //nolint:gosec // It is to be run.
		return alice.With("EDITOR="+path+" --wait", "XDG_RUNTIME_DIR="+memory)
	}
	left := func() []os.DirEntry {
		GinkgoHelper()
		entries, err := os.ReadDir(memory)
		Expect(err).NotTo(HaveOccurred())
		return entries
	}
	// patient goes on until its file is gone.
	const patient = `cp "$2" "$2~"; echo A=mine >>"$2.swp"; : >opened; while [ -e "$2" ]; do sleep 0.05; done`
	opened := func() {
		GinkgoHelper()
		Eventually(func() string { return filepath.Join(alice.Dir, "opened") }).WithTimeout(world.Patience).Should(BeAnExistingFile())
		Expect(left()).NotTo(BeEmpty())
	}

	It("opens what is live, and what it changes is proposed and live once approved", func() {
		name := proposedBy(with(`[ "$1" = --wait ]; stat -c %a "$2" "$(dirname "$2")" >modes; sed -i s/`+w.Mark+`-a/`+w.Secret("edited")+`/ "$2"`).
			SR("edit", "-r", "because"))
		Expect(alice.Read("modes")).To(Equal("600\n700\n"))
		Expect(left()).To(BeEmpty())
		team.Await(name, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).SR("approve", name, "-y")).To(end(0))
		Expect(team.LiveValues()).To(Equal(map[string]string{"A": w.Secret("edited"), "B": w.Secret("b")}))
		Expect(with(":").SR("edit", "-r", "because")).To(end(0, "No changes"))
	})

	DescribeTable("leaves nothing, and nothing is proposed, where it is ended in the middle", func(signal syscall.Signal) {
		editing := with(patient).Begin("sr", "edit", "-r", "because")
		opened()
		editing.Signal(signal)
		Expect(editing.Wait()).To(end(130, "sr: cancelled"))
		Expect(left()).To(BeEmpty())
		Expect(team.Changes()).To(BeEmpty())
	},
		Entry("by Ctrl-C", syscall.SIGINT),
		Entry("by SIGTERM", syscall.SIGTERM),
		Entry("by SIGHUP", syscall.SIGHUP),
	)

	It("leaves nothing where it is killed", func() {
		editing := with(patient).Begin("sr", "edit", "-r", "because")
		opened()
		editing.Kill()
		Eventually(left).WithTimeout(world.Patience).Should(BeEmpty())
		Expect(team.Changes()).To(BeEmpty())
	})

	It("leaves nothing where the terminal is closed", func() {
		editing := with(patient).Terminal("sr", "edit", "-r", "because")
		opened()
		Expect(editing.Close()).To(Equal(130), "it cleaned up itself")
		Expect(left()).To(BeEmpty())
		Expect(team.Changes()).To(BeEmpty())
	})

	It("leaves Ctrl-C at the terminal to the editor", func() {
		editing := with(`trap : INT; echo opened >&2; read -r answer; echo C=`+w.Secret("c")+` >>"$2"`).Terminal("sr", "edit", "-r", "because")
		editing.Type("opened", "\x03")
		editing.Type("", "")
		screen, code := editing.Wait()
		Expect(code).To(BeZero(), screen)
		Expect(screen).To(ContainSubstring("+ C"))
		Expect(left()).To(BeEmpty())
	})

	It("proposes nothing where the editor fails or leaves garbage, which a person may mend", func() {
		Expect(with(`echo A=x >"$2"; exit 3`).SR("edit", "-r", "because")).To(fail(1, "failed (exit status 3): nothing is proposed"))
		garbage := `if [ -e again ]; then sed -i /garbage/d "$2"; else : >again; echo garbage >>"$2"; echo C=` + w.Secret("c") + ` >>"$2"; fi`
		Expect(with(garbage).SR("edit", "-r", "because")).To(fail(1, "line 6", "nothing of the edit is kept"))
		Expect(team.Changes()).To(BeEmpty())

		Expect(os.Remove(filepath.Join(alice.Dir, "again"))).To(Succeed())
		editing := with(garbage).Terminal("sr", "edit", "-r", "because")
		editing.Type("line 6(.|\n)*Edit again", "y")
		screen, code := editing.Wait()
		Expect(code).To(BeZero(), screen)
		Expect(screen).To(And(ContainSubstring("+ C"), Not(ContainSubstring(w.Mark))))
		Expect(left()).To(BeEmpty())
	})
})

var _ = Describe("Daily work: watching", func() {
	It("tells of a change from its beginning to its end, through a restart of the API server", func() {
		team := w.NewTeam(world.Options{Live: map[string]string{"A": w.Secret("a")}})
		watching := team.As(world.Bob).Terminal("sr", "watch")
		Eventually(watching.Screen).WithTimeout(world.Patience).Should(gbytes.Say("Watching project"))
		first := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		Eventually(watching.Screen).WithTimeout(world.Patience).Should(gbytes.Say("waiting"))

		Expect(w.Cluster.KillAPIServer()).To(Succeed())
		Eventually(watching.Screen).WithTimeout(world.Patience).Should(gbytes.Say("trying again"))
		Expect(w.Cluster.StartAPIServer(GinkgoT().Context())).To(Succeed())
		w.Manager.Revive()
		Expect(team.As(world.Bob).SR("approve", first, "-y")).To(end(0))
		Eventually(watching.Screen).WithTimeout(world.Patience).Should(gbytes.Say("approved"))
		Eventually(watching.Screen).WithTimeout(world.Patience).Should(gbytes.Say("live"))
		watching.Type("", "\x03")
		screen, code := watching.Wait()
		Expect(code).To(Equal(130), screen)
		Expect(screen).To(And(ContainSubstring("proposed"), ContainSubstring("by alice"), Not(ContainSubstring(w.Mark)), Not(ContainSubstring("sr: "))))
	})
})
