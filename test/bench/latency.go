package main

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

// slowAWS is how long a call to AWS takes where it is not as fast as it goes.
const slowAWS = 20 * time.Millisecond

// maxOverhead is how long an approval may take to be live beyond the calls to AWS that this needs, in milliseconds.
const maxOverhead = 10

// latency approves one change after the other, and looks how long each takes to be live: until AWS has moved AWSCURRENT.
func latency(ctx context.Context, b *bench) error {
	return b.with(ctx, nil, func(s *site) error {
		environments, err := s.environments(ctx, "latency", 10)
		if err != nil {
			return err
		}
		// The first change of an environment also keeps what no change has written.
		if err := s.warm(ctx, "warm", environments); err != nil {
			return err
		}
		for _, delay := range []time.Duration{0, slowAWS} {
			if err := s.slow(ctx, delay); err != nil {
				return err
			}
			name := fmt.Sprintf("with AWS at %s", delay)
			var found approvals
			err := b.profileBoth(ctx, s, fmt.Sprintf("latency-%s", delay), 10*time.Second, func(ctx context.Context) error {
				found, err = s.oneByOne(ctx, fmt.Sprintf("at-%d", delay.Milliseconds()), b.size(100, 20), delay, environments)
				return err
			})
			if err != nil {
				return err
			}
			b.report.add(name+": from approval to live, p50", percentile(found.live, 0.5), "ms")
			b.report.add(name+": from approval to live, p99", percentile(found.live, 0.99), "ms")
			b.report.add(name+": calls to AWS until it is live", percentile(found.calls, 0.5), "")
			b.report.add(name+": what one of these calls takes", found.call, "ms")
			b.report.atMost(name+": above the sum of these calls, p50", percentile(found.overhead, 0.5), maxOverhead, "ms")
			b.report.add(name+": above the sum of these calls, p99", percentile(found.overhead, 0.99), "ms")
			b.report.add(name+": from approval until the status says Applied, p50", percentile(found.told, 0.5), "ms")
		}
		return nil
	})
}

// approvals are what was seen of some, in milliseconds each.
type approvals struct {
	live, told, calls, overhead []float64
	// call is what one call to AWS took the manager, on average.
	call float64
}

// warm has one change of each environment applied.
func (s *site) warm(ctx context.Context, prefix string, environments []environment) error {
	before, err := s.managerMetrics(ctx)
	if err != nil {
		return err
	}
	names, err := s.proposed(ctx, prefix, len(environments), environments)
	if err != nil {
		return err
	}
	err = each(ctx, len(names), func(ctx context.Context, i int) error { return s.review(ctx, names[i], v1alpha1.VerdictApproved) })
	if err != nil {
		return err
	}
	return s.cleaned(ctx, before, len(names))
}

func (s *site) oneByOne(ctx context.Context, prefix string, count int, delay time.Duration, environments []environment) (approvals, error) {
	var found approvals
	before, err := s.managerMetrics(ctx)
	if err != nil {
		return found, err
	}
	for i := range count {
		names, err := s.proposed(ctx, fmt.Sprintf("%s-%d", prefix, i), 1, environments[i%len(environments):][:1])
		if err != nil {
			return found, err
		}
		start, err := s.managerMetrics(ctx)
		if err != nil {
			return found, err
		}
		if err := s.forgetCalls(ctx); err != nil {
			return found, err
		}
		if err := s.review(ctx, names[0], v1alpha1.VerdictApproved); err != nil {
			return found, err
		}
		approved := time.Now()
		if err := s.cleaned(ctx, start, 1); err != nil {
			return found, err
		}
		if err := found.observe(ctx, s, names[0], approved, delay); err != nil {
			return found, err
		}
	}
	after, err := s.managerMetrics(ctx)
	if err != nil {
		return found, err
	}
	took := after.since(before)
	found.call = 1000 * took.sum("secretreview_aws_call_duration_seconds_sum") / took.sum("secretreview_aws_call_duration_seconds_count")
	for i := range found.live {
		found.overhead = append(found.overhead, found.live[i]-found.calls[i]*found.call)
	}
	return found, nil
}

// observe takes from the emulator's log when a change became live.
func (a *approvals) observe(ctx context.Context, s *site, name string, approved time.Time, delay time.Duration) error {
	calls, err := s.calls(ctx)
	if err != nil {
		return err
	}
	until := 0
	for _, call := range calls {
		if call.AccessKeyID != managerKey || call.Time.Before(approved.Add(-delay)) {
			continue
		}
		until++
		if movesCurrent(call) {
			a.calls = append(a.calls, float64(until))
			// A call is logged by when it came; what it does, it does after the delay.
			a.live = append(a.live, milliseconds(call.Time.Add(delay).Sub(approved)))
			break
		}
	}
	var c v1alpha1.SecretChange
	if err := s.admin.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &c); err != nil {
		return err
	}
	if c.Status.AppliedAt == nil || len(a.calls) != len(a.told)+1 {
		return fmt.Errorf("change %s is %s and not live: %s", name, c.Status.Phase, c.Status.Message)
	}
	a.told = append(a.told, milliseconds(c.Status.AppliedAt.Sub(approved)))
	return nil
}

func movesCurrent(call emulator.Call) bool {
	return call.Operation == "UpdateSecretVersionStage" && call.Code == "" && len(call.Labels) == 1 && call.Labels[0] == secretstore.LabelCurrent
}
