package process_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/test/cluster/process"
)

// parentEnv makes this test's binary the parent of a child, in place of running tests. It holds the child's log.
const parentEnv = "PROCESS_TEST_PARENT"

func TestMain(m *testing.M) {
	if log := os.Getenv(parentEnv); log != "" {
		beParent(log)
		return
	}
	os.Exit(m.Run())
}

// beParent starts a child, prints its process id, and waits to be killed.
func beParent(log string) {
	child, err := process.Start(shell("exec sleep 600", log))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(child.PID())
	<-child.Done()
}

func TestAChildDiesWithAParentThatIsKilled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells a child that its parent died")
	}
	g := NewWithT(t)
	parent := exec.CommandContext(t.Context(), os.Args[0])
	parent.Env = append(os.Environ(), parentEnv+"="+filepath.Join(t.TempDir(), "log"))
	output, err := parent.StdoutPipe()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(parent.Start()).To(Succeed())
	line, err := bufio.NewReader(output).ReadString('\n')
	g.Expect(err).NotTo(HaveOccurred())
	child, err := strconv.Atoi(strings.TrimSpace(line))
	g.Expect(err).NotTo(HaveOccurred(), line)

	g.Expect(parent.Process.Kill()).To(Succeed())
	g.Expect(parent.Wait()).NotTo(Succeed())
	g.Eventually(func() bool { return isAlive(child) }).WithTimeout(time.Minute).Should(BeFalse())
}

func TestStopAsksFirst(t *testing.T) {
	g := NewWithT(t)
	log := filepath.Join(t.TempDir(), "logs", "log")
	child := start(g, `trap 'echo goodbye; exit 0' TERM; echo ready; while :; do sleep 0.01; done`, log)
	g.Eventually(func() string { return process.Tail(log) }).WithTimeout(time.Minute).Should(Equal("ready"))
	g.Expect(child.Running()).To(BeTrue())

	g.Expect(child.Stop(t.Context())).To(Succeed())
	g.Expect(child.Running()).To(BeFalse())
	g.Expect(child.Crashed()).To(Succeed(), "it was asked to end")
	g.Expect(process.Tail(log)).To(HaveSuffix("goodbye"))
	g.Expect(child.Stop(t.Context())).To(Succeed(), "stopping twice is fine")
}

func TestStopKillsAChildThatDoesNotListenAndSaysSo(t *testing.T) {
	g := NewWithT(t)
	log := filepath.Join(t.TempDir(), "log")
	child := start(g, `trap '' TERM; echo ready; while :; do sleep 0.01; done`, log)
	g.Eventually(func() string { return process.Tail(log) }).WithTimeout(time.Minute).Should(Equal("ready"))

	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	g.Expect(child.Stop(impatient)).To(MatchError(ContainSubstring("was killed")))
	g.Expect(child.Running()).To(BeFalse())
}

func TestExitedQuotesHowItEndedAndTheLog(t *testing.T) {
	g := NewWithT(t)
	child := start(g, `echo the reason; exit 7`, filepath.Join(t.TempDir(), "log"))
	g.Expect(child.Exited()).To(MatchError(And(ContainSubstring("exit status 7"), ContainSubstring("the reason"))))
	g.Expect(child.Crashed()).To(MatchError(ContainSubstring("exit status 7")))
}

func TestStartReportsAProgramThatIsNotThere(t *testing.T) {
	g := NewWithT(t)
	_, err := process.Start(process.Command{
		Name: "ghost", Path: filepath.Join(t.TempDir(), "ghost"), LogFile: filepath.Join(t.TempDir(), "log"),
	})
	g.Expect(err).To(MatchError(ContainSubstring("cannot start ghost")))
}

func start(g *WithT, script, log string) *process.Process {
	child, err := process.Start(shell(script, log))
	g.Expect(err).NotTo(HaveOccurred())
	return child
}

func shell(script, log string) process.Command {
	return process.Command{Name: "child", Path: "/bin/sh", Args: []string{"-c", script}, LogFile: log}
}

// isAlive tells a running process from one that is gone, or that is a zombie nobody has waited for yet.
func isAlive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return err == nil && !strings.Contains(string(status), "State:\tZ")
}
