package main

import (
	"os"
	"syscall"
	"testing"
	"time"
)

func TestCtrlCWhileHeldIsNotTheCommands(t *testing.T) {
	var i interrupts
	ctx, stop := i.context()
	defer stop()
	for range 500 {
		release := i.hold()
		if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		<-i.others // the kernel has told of it
		release()
	}
	select {
	case <-ctx.Done():
		t.Fatal("it ended the command")
	case <-time.After(50 * time.Millisecond):
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
}
