package main

import (
	"os"
	"os/signal"
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

func TestASecondSignalEndsTheProcessThatHeldCtrlC(t *testing.T) {
	var i interrupts
	ctx, stop := i.context()
	defer stop()
	release := i.hold()
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	// Now Ctrl-C would end this process, if nobody took it.
	guard := make(chan os.Signal, 1)
	signal.Notify(guard, os.Interrupt)
	defer signal.Stop(guard)
	release()
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	<-guard
	if len(i.pressed)+len(i.others) > 0 {
		t.Error("Ctrl-C is still taken, and by nobody who would act on it")
	}
}
