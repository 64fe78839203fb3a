package simulation_test

import (
	"flag"
	"fmt"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

var (
	schedules = flag.Int("schedules", 4000, "how many random schedules to play")
	seed      = flag.Uint64("seed", 0, "play this schedule alone, and print its trace with -v")
)

// tally is how often each thing happened.
type tally map[string]int

// TestSimulation plays random schedules, and checks that nothing unapproved goes live, nothing twice, nothing is lost, and
// that history tells what was.
func TestSimulation(t *testing.T) {
	if *seed != 0 {
		w := play(*seed, tally{}, testing.Verbose())
		t.Log("\n" + strings.Join(w.trace, "\n"))
		report(t, *seed, w)
		return
	}
	defer debug.SetGCPercent(debug.SetGCPercent(1600))
	start, used := time.Now(), processorTime(t)
	all, failed := run(uint64(*schedules))
	for i, found := range failed {
		if i == 10 {
			t.Errorf("and %d more", len(failed)-i)
			break
		}
		report(t, found.seed, found.w)
	}
	t.Logf("%d schedules in %.1f s, of which %.1f s of processor time, on %d processors\n%s",
		*schedules, time.Since(start).Seconds(), (processorTime(t) - used).Seconds(), runtime.GOMAXPROCS(0), all)
	if *schedules < enough {
		return
	}
	for _, what := range reached {
		if all[what] == 0 {
			t.Errorf("no schedule reaches %q any more", what)
		}
	}
}

// enough schedules reach everything.
const enough = 50_000

// processorTime is what this process has used so far.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

type failure struct {
	seed uint64
	w    *world
}

// run plays all schedules, as many at once as there are processors.
func run(count uint64) (tally, []failure) {
	var next atomic.Uint64
	var workers sync.WaitGroup
	var mutex sync.Mutex
	all, failed := tally{}, []failure(nil)
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			mine := tally{}
			for n := next.Add(1); n <= count; n = next.Add(1) {
				if w := play(n, mine, false); len(w.violations) > 0 {
					mutex.Lock()
					failed = append(failed, failure{n, w})
					mutex.Unlock()
				}
			}
			mutex.Lock()
			defer mutex.Unlock()
			for what, times := range mine {
				all[what] += times
			}
		})
	}
	workers.Wait()
	slices.SortFunc(failed, func(a, b failure) int { return int(a.seed) - int(b.seed) })
	return all, failed
}

func play(seed uint64, counted tally, traced bool) *world {
	w := newWorld(seed, counted, traced)
	w.play()
	return w
}

func report(t *testing.T, seed uint64, w *world) {
	t.Helper()
	for _, v := range w.violations {
		t.Errorf("schedule %d: %s", seed, v)
	}
	if len(w.violations) > 0 {
		t.Errorf("play it again with: go test ./test/simulation -run TestSimulation -v -seed %d", seed)
	}
}

// String is a histogram, in the order of names.
func (t tally) String() string {
	var out strings.Builder
	for _, what := range slices.Sorted(maps.Keys(t)) {
		fmt.Fprintf(&out, "  %-70s %9d\n", what, t[what])
	}
	return out.String()
}
