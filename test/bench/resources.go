package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// firstLook is how long a manager that was just started may take to have looked at everything.
const firstLook = 30 * time.Second

// resources is what docs/operations.md says of the manager's: its memory and processor time, at work and idle.
func resources(ctx context.Context, b *bench) error {
	return b.with(ctx, nil, func(s *site) error {
		environments, err := s.environments(ctx, "resources", b.environments)
		if err != nil {
			return err
		}
		for _, step := range []struct {
			what string
			// do is nil where the manager is left alone.
			do func(context.Context) error
		}{
			{"idle, no changes", nil},
			{fmt.Sprintf("%d changes applied or rejected", b.finished), func(ctx context.Context) error { return s.finish(ctx, b.finished, environments) }},
			{fmt.Sprintf("idle, %d finished changes", b.finished), nil},
			{fmt.Sprintf("%d more proposed at once", b.pending), func(ctx context.Context) error {
				_, err := s.proposed(ctx, "pending", b.pending, environments)
				return err
			}},
			{fmt.Sprintf("idle, %d of them pending", b.pending), nil},
			{"started again, with all of them", func(ctx context.Context) error {
				if err := s.restart(ctx); err != nil {
					return err
				}
				return sleep(ctx, firstLook)
			}},
			{"idle after that", nil},
		} {
			if step.do == nil {
				if err := sleep(ctx, b.settle); err != nil {
					return err
				}
				step.do = func(ctx context.Context) error { return sleep(ctx, b.idle) }
			}
			if err := s.took(ctx, b, step.what, step.do); err != nil {
				return fmt.Errorf("%s: %w", step.what, err)
			}
		}
		return nil
	})
}

// took does something and reports what the manager took for it.
func (s *site) took(ctx context.Context, b *bench, what string, do func(context.Context) error) error {
	pid, began := s.manager.PID(), time.Now()
	before, err := cpuSeconds(pid)
	if err != nil {
		return err
	}
	// The kernel begins anew to count the peak.
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
		return err
	}
	if err := do(ctx); err != nil {
		return err
	}
	lasted := time.Since(began)
	if s.manager.PID() != pid {
		pid, before = s.manager.PID(), 0
	}
	after, err := cpuSeconds(pid)
	if err != nil {
		return err
	}
	memory, err := status(pid, "VmRSS", "VmHWM")
	if err != nil {
		return err
	}
	m, err := s.managerMetrics(ctx)
	if err != nil {
		return err
	}
	b.report.add(what+": RSS", float64(memory["VmRSS"])/1024, "MiB")
	b.report.add(what+": its peak", float64(memory["VmHWM"])/1024, "MiB")
	b.report.add(what+": Go heap in use", m.sum("go_memstats_heap_inuse_bytes")/(1<<20), "MiB")
	b.report.add(what+": processor time", after-before, "s")
	b.report.add(what+": lasted", lasted.Seconds(), "s")
	return nil
}

// finish proposes changes and has every other one approved and the rest rejected.
func (s *site) finish(ctx context.Context, count int, environments []environment) error {
	before, err := s.managerMetrics(ctx)
	if err != nil {
		return err
	}
	err = each(ctx, count, func(ctx context.Context, i int) error {
		verdict := v1alpha1.VerdictApproved
		if i/len(environments)%2 == 1 {
			verdict = v1alpha1.VerdictRejected
		}
		name := fmt.Sprintf("finished-%04d", i)
		if err := s.propose(ctx, name, environments[i%len(environments)]); err != nil {
			return err
		}
		return s.review(ctx, name, verdict)
	})
	if err != nil {
		return err
	}
	return s.cleaned(ctx, before, count)
}
