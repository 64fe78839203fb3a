package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// result is one figure.
type result struct {
	Section string  `json:"section"`
	What    string  `json:"what"`
	Value   float64 `json:"value"`
	Unit    string  `json:"unit,omitempty"`
	// Aim is what was aimed at, and Met whether it was reached; empty and nil where there is no aim.
	Aim string `json:"aim,omitempty"`
	Met *bool  `json:"met,omitempty"`
}

// machine is where the figures come from.
type machine struct {
	Processors int       `json:"processors"`
	Model      string    `json:"model"`
	MemoryMiB  int       `json:"memoryMiB"`
	Begun      time.Time `json:"begun"`
	// LoadBefore is how many programs wanted a processor, over the minute before: what others do is in every time.
	LoadBefore float64 `json:"loadBefore"`
	Kubernetes string  `json:"kubernetes,omitempty"`
}

// report prints results as they come and keeps them. It is not safe for concurrent use.
type report struct {
	out     io.Writer
	section string
	Machine machine  `json:"machine"`
	Results []result `json:"results"`
}

func newReport(out io.Writer) *report {
	r := &report{out: out, Machine: machine{Processors: runtime.NumCPU(), Begun: time.Now().UTC().Truncate(time.Second)}}
	r.Machine.Model = field("/proc/cpuinfo", "model name")
	if kib, err := strconv.Atoi(strings.TrimSuffix(field("/proc/meminfo", "MemTotal"), " kB")); err == nil {
		r.Machine.MemoryMiB = kib >> 10
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		r.Machine.LoadBefore, _ = strconv.ParseFloat(strings.Fields(string(load))[0], 64)
	}
	r.printf("%d processors (%s), %d MiB; %.1f programs wanted one before the start.\n",
		r.Machine.Processors, r.Machine.Model, r.Machine.MemoryMiB, r.Machine.LoadBefore)
	return r
}

// field reads one of the fields "name : value" of a file, or "".
func field(path, name string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(content)) {
		if found, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(found) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (r *report) printf(format string, args ...any) { _, _ = fmt.Fprintf(r.out, format, args...) }

func (r *report) begin(s section) {
	r.section = s.name
	r.printf("\n### %s (`-only %s`)\n\n| what | value | aim |\n| --- | --- | --- |\n", s.title, s.name)
}

// add reports a figure without an aim.
func (r *report) add(what string, value float64, unit string) {
	r.put(result{What: what, Value: value, Unit: unit})
}

// atMost reports a figure that should not be above a limit, atLeast one that should not be below.
func (r *report) atMost(what string, value, limit float64, unit string) {
	met := value <= limit
	r.put(result{What: what, Value: value, Unit: unit, Aim: "at most " + number(limit, unit), Met: &met})
}

func (r *report) atLeast(what string, value, limit float64, unit string) {
	met := value >= limit
	r.put(result{What: what, Value: value, Unit: unit, Aim: "at least " + number(limit, unit), Met: &met})
}

func (r *report) put(one result) {
	one.Section = r.section
	r.Results = append(r.Results, one)
	aim := one.Aim
	if one.Met != nil && !*one.Met {
		aim += ": missed"
	}
	r.printf("| %s | %s | %s |\n", one.What, number(one.Value, one.Unit), aim)
}

// number prints no more digits than mean something.
func number(value float64, unit string) string {
	digits := 0
	switch {
	case value == float64(int64(value)):
	case value < 10:
		digits = 2
	case value < 100:
		digits = 1
	}
	return strings.TrimSpace(strconv.FormatFloat(value, 'f', digits, 64) + " " + unit)
}

// write writes everything as JSON.
func (r *report) write(path string) error {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(content, '\n'), 0o600)
}

// percentile of values, which it sorts: 0.5 is the median.
func percentile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[min(int(p*float64(len(values))), len(values)-1)]
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }
