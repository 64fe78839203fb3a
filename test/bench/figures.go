package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clockTicks is in which parts of a second /proc counts processor time: USER_HZ, which is 100 on all platforms of Linux that
// Go knows.
const clockTicks = 100

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

// spent is processor time in seconds, by program; "bench" is this one, which plays the people.
type spent map[string]float64

// usage is the processor time that every program has had so far.
func (s *site) usage() (spent, error) {
	pids := s.cluster.PIDs()
	pids["manager"], pids["emulator"], pids["bench"] = s.manager.PID(), s.emulator.PID(), os.Getpid()
	all := spent{}
	for name, pid := range pids {
		seconds, err := cpuSeconds(pid)
		if err != nil {
			return nil, err
		}
		all[name] = seconds
	}
	return all, nil
}

func (s spent) since(before spent) spent {
	out := spent{}
	for name, seconds := range s {
		out[name] = seconds - before[name]
	}
	return out
}

func (s spent) total() float64 {
	sum := 0.0
	for _, seconds := range s {
		sum += seconds
	}
	return sum
}

// series are the samples of a page of metrics, by name and labels as they stand there.
type series map[string]float64

// sum adds up the samples of a metric of which the labels contain all of the parts.
func (m series) sum(name string, parts ...string) float64 {
	total := 0.0
	for key, value := range m {
		found, labels, _ := strings.Cut(key, "{")
		if found == name && containsAll(labels, parts) {
			total += value
		}
	}
	return total
}

func containsAll(s string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(s, part) {
			return false
		}
	}
	return true
}

func (m series) since(before series) series {
	out := series{}
	for key, value := range m {
		out[key] = value - before[key]
	}
	return out
}

func parse(page io.Reader) (series, error) {
	found := series{}
	lines := bufio.NewScanner(page)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		cut := strings.LastIndexByte(line, ' ')
		if cut < 0 || line[0] == '#' {
			continue
		}
		if value, err := strconv.ParseFloat(line[cut+1:], 64); err == nil {
			found[line[:cut]] = value
		}
	}
	return found, lines.Err()
}

// scraping is a client of managers, which sign their certificates themselves.
var scraping = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableCompression: true}}

// managerMetrics asks the manager for its metrics.
func (s *site) managerMetrics(ctx context.Context) (series, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.metrics, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+s.scraper)
	response, err := scraping.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the manager serves no metrics: %s", response.Status)
	}
	return parse(response.Body)
}

// serverMetrics asks the API server for its metrics.
func (s *site) serverMetrics(ctx context.Context) (series, error) {
	page, err := s.kube.RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return nil, err
	}
	return parse(bytes.NewReader(page))
}

// liveHeap has the manager collect its garbage, and returns what it still holds, in bytes.
func (s *site) liveHeap(ctx context.Context) (float64, error) {
	if _, err := s.profile(ctx, "heap?gc=1"); err != nil {
		return 0, err
	}
	m, err := s.managerMetrics(ctx)
	return m.sum("go_memstats_heap_alloc_bytes"), err
}

// profile asks the manager for one of its profiles.
func (s *site) profile(ctx context.Context, which string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.profiling+"/debug/pprof/"+which, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	return io.ReadAll(response.Body)
}

// keepProfile writes a profile of the manager to the folder for them, if there is one.
func (b *bench) keepProfile(ctx context.Context, s *site, which, name string) error {
	if b.profiles == "" {
		return nil
	}
	content, err := s.profile(ctx, which)
	if err != nil {
		return err
	}
	return b.writeProfile(name, content)
}

func (b *bench) writeProfile(name string, content []byte) error {
	if err := os.MkdirAll(b.profiles, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.profiles, name+".pprof"), content, 0o600)
}

// profileBoth takes profiles of manager and API server while something is done.
func (b *bench) profileBoth(ctx context.Context, s *site, name string, lasts time.Duration, do func(context.Context) error) error {
	if b.profiles == "" {
		return do(ctx)
	}
	seconds := strconv.Itoa(int(lasts.Seconds()))
	failed := make(chan error, 2)
	go func() { failed <- b.keepProfile(ctx, s, "profile?seconds="+seconds, name+"-manager") }()
	go func() {
		content, err := s.kube.RESTClient().Get().AbsPath("/debug/pprof/profile").Param("seconds", seconds).DoRaw(ctx)
		if err == nil {
			err = b.writeProfile(name+"-apiserver", content)
		}
		failed <- err
	}()
	if err := do(ctx); err != nil {
		return err
	}
	for range 2 {
		if err := <-failed; err != nil {
			return err
		}
	}
	return nil
}
