package main

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
)

// interrupts ends a command when it is asked to end. While they are held, Ctrl-C
// is for another program, which has the terminal.
type interrupts struct {
	mu   sync.Mutex
	held int
	// ended says that the next signal ends the process.
	ended bool
	// pressed gets Ctrl-C that is for the command, others what is not.
	pressed, others chan os.Signal
}

// hold returns what gives Ctrl-C back to the command. One that came before does
// not end it, however late it is told of: signal.Stop waits for those on the way.
func (i *interrupts) hold() (release func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.held++; i.held == 1 && !i.ended {
		signal.Notify(i.others, os.Interrupt)
		signal.Stop(i.pressed)
	}
	return func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.held--; i.held == 0 && !i.ended {
			signal.Stop(i.others)
			signal.Notify(i.pressed, os.Interrupt)
		}
	}
}

// context returns one that ends with the first signal, so that a command can clean
// up. A second signal ends the process.
func (i *interrupts) context() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	i.pressed, i.others = make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(i.pressed, os.Interrupt)
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, endings()...)
	// Between one channel and the other Ctrl-C must not end the process.
	between := make(chan os.Signal, 1)
	signal.Notify(between, os.Interrupt)
	go func() {
		defer cancel()
		select {
		case <-i.pressed:
		case <-asked:
		case <-ctx.Done():
		}
		i.mu.Lock()
		defer i.mu.Unlock()
		i.ended = true
		for _, channel := range []chan os.Signal{i.pressed, i.others, asked, between} {
			signal.Stop(channel)
		}
	}()
	return ctx, cancel
}

// endings are the signals, beside Ctrl-C, that ask a command to clean up and end.
// Behind nohup, a terminal that closes is none.
func endings() []os.Signal {
	return slices.DeleteFunc([]os.Signal{syscall.SIGTERM, syscall.SIGHUP}, func(s os.Signal) bool {
		return s == syscall.SIGHUP && signal.Ignored(s)
	})
}
