package main

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// interrupts ends a command when it is asked to end. While they are held, Ctrl-C
// is for another program, which has the terminal.
type interrupts struct{ held atomic.Int32 }

func (i *interrupts) hold() (release func()) {
	i.held.Add(1)
	return func() { i.held.Add(-1) }
}

// context returns one that ends with the first signal, so that a command can clean
// up. A second signal ends the process.
func (i *interrupts) context() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, endings()...)
	go func() {
		defer cancel()
		defer signal.Stop(asked)
		for {
			select {
			case s := <-asked:
				if s != os.Interrupt || i.held.Load() == 0 {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, cancel
}

// endings are the signals that ask a command to clean up and end. Behind nohup, a
// terminal that closes is none.
func endings() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}
