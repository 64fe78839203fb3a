package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// clockTicks is in which parts of a second /proc counts processor time: USER_HZ, which is 100 on all platforms of Linux that
// Go knows.
const clockTicks = 100

// measure does something and says what the manager took for it.
func (s *setup) measure(ctx context.Context, do func(context.Context) error) (line string, err error) {
	pid, began := s.manager.PID(), time.Now()
	before, err := cpuSeconds(pid)
	if err != nil {
		return "", err
	}
	// The kernel begins anew to count the peak.
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
		return "", err
	}
	if err := do(ctx); err != nil {
		return "", err
	}
	lasted := time.Since(began)
	if s.manager.PID() != pid {
		pid, before = s.manager.PID(), 0
	}
	after, err := cpuSeconds(pid)
	if err != nil {
		return "", err
	}
	memory, err := status(pid, "VmRSS", "VmHWM")
	if err != nil {
		return "", err
	}
	heap, err := s.metric(ctx, "go_memstats_heap_inuse_bytes")
	if err != nil {
		return "", err
	}
	used := after - before
	return fmt.Sprintf("%d | %d | %.0f MiB | %.1f s in %s, %.0f s an hour", memory["VmRSS"]>>10, memory["VmHWM"]>>10, heap/(1<<20),
		used, lasted.Round(time.Second), used/lasted.Hours()), nil
}

// cpuSeconds is the processor time that a process has had.
func cpuSeconds(pid int) (float64, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// What is in parentheses may hold spaces; utime and stime are the 12th and 13th field behind it.
	fields := strings.Fields(string(content[bytes.LastIndexByte(content, ')')+1:]))
	user, err := strconv.ParseFloat(fields[11], 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseFloat(fields[12], 64)
	return (user + system) / clockTicks, err
}

// status reads sizes from /proc/PID/status, in KiB.
func status(pid int, names ...string) (map[string]int, error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	found := map[string]int{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		for _, wanted := range names {
			if name == wanted {
				if found[name], err = strconv.Atoi(strings.Fields(rest)[0]); err != nil {
					return nil, err
				}
			}
		}
	}
	return found, lines.Err()
}

// metric asks the manager for one of its metrics that has no labels.
func (s *setup) metric(ctx context.Context, name string) (float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.metrics, nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+s.scraper)
	// The manager signs its certificate itself.
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("the manager serves no metric %s: %s", name, response.Status)
}
