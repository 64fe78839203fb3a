// Command measure runs the built manager on a real API server and the Secrets Manager emulator, gives it changes to work
// on, and prints what memory and processor time that took: what docs/operations.md says of resources was measured by it.
//
// Linux only: the figures come from /proc.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

// options say how much there is to do, and how long to look on.
type options struct {
	environments, finished, pending int
	settle, idle                    time.Duration
}

func main() {
	var o options
	flag.IntVar(&o.environments, "environments", 10, "environments, each with a live secret")
	flag.IntVar(&o.finished, "finished", 1000, "changes that end, half of them Applied and half Rejected")
	flag.IntVar(&o.pending, "pending", 200, "changes that are proposed at once, and stay pending")
	flag.DurationVar(&o.settle, "settle", 3*time.Minute, "how long to wait before an idle manager is looked at: the collector and the kernel take their time")
	flag.DurationVar(&o.idle, "idle", 5*time.Minute, "how long to look at an idle manager")
	flag.Parse()
	if err := interruptible(o); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

func interruptible(o options) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return run(ctx, o)
}

func run(ctx context.Context, o options) (err error) {
	dir, err := os.MkdirTemp("", "secretreview-measure-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := start(ctx, dir, o.environments)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()

	fmt.Printf("Kubernetes %s, %d environments. RSS and its peak in MiB, heap as Go's collector counts it, processor time of the manager alone.\n\n",
		s.cluster.Binaries().Version, o.environments)
	fmt.Println("| what | RSS | peak RSS | Go heap in use | processor |")
	fmt.Println("| --- | --- | --- | --- | --- |")
	steps := []struct {
		what string
		do   func(context.Context) error
		idle bool
	}{
		{"idle, no changes", nil, true},
		{fmt.Sprintf("%d changes applied or rejected", o.finished), func(ctx context.Context) error { return s.finish(ctx, o.finished) }, false},
		{fmt.Sprintf("idle, %d finished changes", o.finished), nil, true},
		{fmt.Sprintf("%d more proposed at once", o.pending), func(ctx context.Context) error { return s.burst(ctx, o.pending) }, false},
		{fmt.Sprintf("idle, %d of them pending", o.pending), nil, true},
		{"started again, with all of them", func(ctx context.Context) error { return s.restart(ctx) }, false},
		{"idle after that", nil, true},
	}
	for _, step := range steps {
		if step.idle {
			if err := sleep(ctx, o.settle); err != nil {
				return err
			}
			step.do = func(ctx context.Context) error { return sleep(ctx, o.idle) }
		}
		line, err := s.measure(ctx, step.do)
		if err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
		fmt.Printf("| %s | %s |\n", step.what, line)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
