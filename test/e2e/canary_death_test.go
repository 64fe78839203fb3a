package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/e2e/world"
)

// A process that dies while it holds values tells of them in no way, and leaves no core.
var _ = Describe("Must not happen: values in what a dying process leaves", func() {
	live := func() map[string]string { return map[string]string{"A": w.Secret("a"), "B": w.Secret("b")} }
	// cores are files that a kernel has written where a process died.
	cores := func(dirs ...string) []string {
		GinkgoHelper()
		var found []string
		for _, dir := range dirs {
			files, err := filepath.Glob(filepath.Join(dir, "core*"))
			Expect(err).NotTo(HaveOccurred())
			found = append(found, files...)
		}
		return found
	}
	// mayDump lets what is started from now on leave cores, as far as its limit decides that.
	mayDump := func() {
		GinkgoHelper()
		var limit, before syscall.Rlimit
		Expect(syscall.Getrlimit(syscall.RLIMIT_CORE, &before)).To(Succeed())
		limit = before
		limit.Cur = limit.Max
		Expect(syscall.Setrlimit(syscall.RLIMIT_CORE, &limit)).To(Succeed())
		DeferCleanup(func() { Expect(syscall.Setrlimit(syscall.RLIMIT_CORE, &before)).To(Succeed()) })
	}
	leavesNothing := func() {
		GinkgoHelper()
		Expect(w.Where(w.Mark)).To(BeEmpty())
	}

	It("sr that is ended by a signal that has Go write all stacks, and the kernel a core", func() {
		mayDump()
		team := w.NewTeam(world.Options{Live: live()})
		for _, signal := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGABRT, syscall.SIGSEGV} {
			staging := w.AWS.HoldNext(emulator.Fault{Operations: []string{"CreateSecret"}, Secret: "*" + team.Project + "*"}, world.Forever)
			alice := team.As(world.Alice).With("GOTRACEBACK=crash")
			alice.Write("value", w.Secret("from-file"))
			proposing := alice.Begin("sr", "propose", "-r", "because", "--set", "A=@value")
			staging.Await()
			proposing.Signal(signal)
			said := proposing.Died()
			Expect(said.Err).To(ContainSubstring("goroutine "), "Go has written stacks")
			Expect(said.Err).NotTo(ContainSubstring(w.Mark))
			Expect(proposing.Status().CoreDump()).To(BeFalse(), "%s", signal)
			Expect(cores(alice.Dir)).To(BeEmpty())
		}
		leavesNothing()
	})

	It("the manager so", func() {
		mayDump()
		restore := w.Manager.Become("", "GOTRACEBACK=crash")
		team := w.NewTeam(world.Options{Live: live()})
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		writing := w.AWS.HoldNext(byManager(team, "PutSecretValue"), world.Forever)
		Expect(team.As(world.Bob).SR("approve", name, "-y", "--no-wait")).To(end(0))
		writing.Await()
		Expect(w.Manager.End(syscall.SIGQUIT).CoreDump()).To(BeFalse())
		Expect(w.Manager.Log()).To(ContainSubstring("SIGQUIT: quit"))
		restore()
		leavesNothing()
	})

	It("a program that sr runs may leave one, as without sr", func() {
		mayDump()
		team := w.NewTeam(world.Options{Live: live()})
		ran := team.As(world.Alice).SR("run", "--", "sh", "-c", "ulimit -c")
		Expect(ran).To(end(0))
		var limit syscall.Rlimit
		Expect(syscall.Getrlimit(syscall.RLIMIT_CORE, &limit)).To(Succeed())
		if limit.Cur != 0 {
			Expect(strings.TrimSpace(ran.Out)).NotTo(Equal("0"))
		}
	})

	It("sr that panics with any value that it gets hold of", func() {
		panicking := filepath.Join(w.BuildPanicking(), "sr")
		team := w.NewTeam(world.Options{Live: live()})
		pending := team.As(world.Alice).Propose("--set", "A="+w.Secret("pending"))
		team.Await(pending, v1alpha1.PhasePending)
		panics := 0
		for _, command := range [][]string{
			{"pull", "-o", "new.env"},
			{"propose", "-r", "because", "--set", "A=@value", "--dry-run"},
			{"review", pending, "-y"},
			{"export", "--format", "json", "-f", "new.json"},
			{"diff", "-f", "value.env"},
		} {
			// Each number of values is tried at the beginning, then ever fewer of them.
			for n := 1; ; n += 1 + n/2 {
				alice := team.As(world.Alice).With(fmt.Sprintf("PANIC_AT=%d", n))
				alice.Write("value", w.Secret("from-file"))
				alice.Write("value.env", "A="+w.Secret("from-env")+"\n")
				said := alice.Begin(panicking, command...).Died()
				Expect(said.Out + said.Err).NotTo(ContainSubstring(w.Mark))
				if !strings.Contains(said.Err, "panicking with value") {
					Expect(said.Code).To(BeElementOf(0, 1), said.Err)
					Expect(n).To(BeNumerically(">", 1), "%s holds no values", command)
					break
				}
				panics++
				Expect(said.Err).To(ContainSubstring("goroutine "))
				for _, file := range []string{"new.env", "new.json"} {
					_, err := os.Stat(filepath.Join(alice.Dir, file))
					Expect(err).To(MatchError(os.ErrNotExist), "%s after %s", file, command)
				}
			}
		}
		Expect(panics).To(BeNumerically(">", 10))
		fmt.Printf("\nREPORT: sr panicked %d times while it held values\n", panics)
		leavesNothing()
	})

	It("the manager that panics with many of the values that it gets hold of, and loses nothing by it", func() {
		dir := w.BuildPanicking()
		restore := w.Manager.Become(filepath.Join(dir, "manager"), "PANIC_RARER=1")
		team := w.NewTeam(world.Options{Live: live()})
		for _, value := range []string{"one", "two", "three"} {
			name := team.As(world.Alice).Propose("--set", "A="+w.Secret(value))
			await := func(phase v1alpha1.Phase) {
				GinkgoHelper()
				Eventually(func() v1alpha1.Phase {
					w.Manager.Revive()
					return team.Change(name).Status.Phase
				}).Should(Equal(phase))
			}
			await(v1alpha1.PhasePending)
			Expect(team.As(world.Bob).SR("approve", name, "-y", "--no-wait", "--without-values")).To(end(0))
			await(v1alpha1.PhaseApplied)
			Expect(team.LiveValues()).To(HaveKeyWithValue("A", w.Secret(value)))
			Eventually(func() string {
				w.Manager.Revive()
				return team.ProjectStatus().Environments[0].LiveVersionID
			}).Should(BeEquivalentTo(team.Change(name).Status.AppliedVersionID))
		}
		panics := strings.Count(w.Manager.Log(), "panicking with value")
		Expect(panics).To(BeNumerically(">", 5))
		fmt.Printf("\nREPORT: the manager panicked %d times while it held values\n", panics)
		restore()
		leavesNothing()
	})
})
