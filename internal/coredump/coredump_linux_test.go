package coredump_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/secretreview/secretreview/internal/coredump"
)

// roleEnv makes the test's own program a process that dies: "dumpable" or "disabled".
const roleEnv = "COREDUMP_ROLE"

func TestMain(m *testing.M) {
	role := os.Getenv(roleEnv)
	if role == "" {
		os.Exit(m.Run())
	}
	if role == "disabled" {
		if err := coredump.Disable(); err != nil {
			fmt.Println(err)
			os.Exit(3)
		}
	}
	// What programs need of their own: Go's runtime, metrics of the process, whatever opens /dev/stdin.
	for _, path := range []string{"/proc/self/stat", "/proc/self/limits", "/proc/self/mountinfo", "/proc/self/cgroup"} {
		if _, err := os.ReadFile(path); err != nil {
			fmt.Println(err)
		}
	}
	if _, err := os.ReadDir("/proc/self/fd"); err != nil {
		fmt.Println(err)
	}
	if _, err := os.Readlink("/proc/self/exe"); err != nil {
		fmt.Println(err)
	}
	child := exec.Command("/bin/sh", "-c", "kill -ABRT $$")
	_ = child.Run()
	if status, ok := child.ProcessState.Sys().(syscall.WaitStatus); ok {
		fmt.Printf("child %t\n", status.CoreDump())
	}
	panic("the end")
}

func TestAProcessLeavesNoCoreWhenItDies(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &limit); err != nil {
		t.Fatal(err)
	}
	before := limit
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &limit); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Setrlimit(syscall.RLIMIT_CORE, &before) }()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dumps := func(role string) (out string, core bool) {
		command := exec.Command(self)
		command.Dir = t.TempDir()
		command.Env = append(os.Environ(), roleEnv+"="+role, "GOTRACEBACK=crash")
		text, _ := command.Output()
		status, ok := command.ProcessState.Sys().(syscall.WaitStatus)
		if !ok || !status.Signaled() || status.Signal() != syscall.SIGABRT {
			t.Fatalf("%s ended by %v: %s", role, command.ProcessState, text)
		}
		return string(text), status.CoreDump()
	}
	ordinary, possible := dumps("dumpable")
	said, core := dumps("disabled")
	if core {
		t.Error("it left a core")
	}
	if said != ordinary || !strings.Contains(said, "child ") {
		t.Errorf("itself or its child can do something else than without: %q, without %q", said, ordinary)
	}
	if !possible {
		t.Skip("no process leaves a core here, whatever it does")
	}
}
