// Command bench runs the built programs on a real API server and the Secrets Manager emulator, and measures how fast they
// are, what they hold in memory and whom they call how often. It prints a table and writes the same as JSON.
//
// Other work may have the machine: what counts are counts, processor time, and figures of one run set against each other.
// docs/performance.md holds the results of a full run.
//
// Linux only: processor time and memory come from /proc.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/go-logr/logr"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
)

// options say what is measured, and how much of it.
type options struct {
	only, json, profiles string
	quick                bool
	// What follows is of the section "resources" alone.
	environments, finished, pending int
	settle, idle                    time.Duration
}

// section is one part of the measurements, on a cluster of its own.
type section struct {
	name, title string
	run         func(context.Context, *bench) error
}

// sections are in the order in which they run.
var sections = []section{
	{"latency", "From an approval to live", latency},
	{"throughput", "Changes a second", throughput},
	{"history", "With many finished changes", history},
	{"calls", "Calls for one change", calls},
	{"idle", "Calls of an idle manager", idle},
	{"cli", "The command line", commandLine},
	{"burst", "Many approvals at once, under AWS's limit on writes", burst},
	{"resources", "The manager's memory and processor time", resources},
}

// usual are the sections that run where none is named: "resources" waits for minutes and says little that is new.
const usual = "latency,throughput,history,calls,idle,cli,burst"

func main() {
	var o options
	flag.StringVar(&o.only, "only", usual, "sections to run, with commas between them: "+usual+",resources")
	flag.BoolVar(&o.quick, "quick", false, "a small size of each, which takes a minute or two in all")
	flag.StringVar(&o.json, "json", "", "file to write the results to as JSON")
	flag.StringVar(&o.profiles, "profiles", "", "folder to write profiles of processor time and memory to")
	flag.IntVar(&o.environments, "environments", 10, "resources: environments, each with a live secret")
	flag.IntVar(&o.finished, "finished", 1000, "resources: changes that end, half of them Applied and half Rejected")
	flag.IntVar(&o.pending, "pending", 200, "resources: changes that are proposed at once, and stay pending")
	flag.DurationVar(&o.settle, "settle", 3*time.Minute, "resources: how long to wait before an idle manager is looked at: the collector and the kernel take their time")
	flag.DurationVar(&o.idle, "idle", 5*time.Minute, "resources: how long to look at an idle manager")
	flag.Parse()
	ctrllog.SetLogger(logr.Discard())
	if err := interruptible(o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func interruptible(o options) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	chosen, err := choose(o.only)
	if err != nil {
		return err
	}
	r := newReport(os.Stdout)
	if err := measure(ctx, o, chosen, r); err != nil {
		return err
	}
	if o.json == "" {
		return nil
	}
	return r.write(o.json)
}

// choose returns the named sections, in the order in which they run.
func choose(only string) ([]section, error) {
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(only, ",") {
		wanted[strings.TrimSpace(name)] = true
	}
	var chosen []section
	for _, s := range sections {
		if wanted[s.name] {
			chosen = append(chosen, s)
			delete(wanted, s.name)
		}
	}
	for name := range wanted {
		return nil, fmt.Errorf("there is no section %q, only %s,resources", name, usual)
	}
	return chosen, nil
}

// bench is what a section works with.
type bench struct {
	options
	// dir is where each site has a folder.
	dir    string
	report *report
}

// size is the full or the quick one.
func (b *bench) size(full, quick int) int {
	if b.quick {
		return quick
	}
	return full
}

// measure runs sections. The first that fails ends it.
func measure(ctx context.Context, o options, chosen []section, r *report) (err error) {
	dir, err := os.MkdirTemp("", "secretreview-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for _, s := range chosen {
		r.begin(s)
		if err := s.run(ctx, &bench{options: o, dir: dir, report: r}); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
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
