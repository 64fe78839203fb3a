package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/secretreview/secretreview/internal/secretstore/aws"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

// serviceWrites is how many writing calls a second AWS takes from an account in a region.
const serviceWrites = 50

// writes are the manager's writing calls.
var writes = []string{"PutSecretValue", "UpdateSecretVersionStage", "DeleteSecret", "RestoreSecret"}

// burst approves many changes at once, where AWS throttles what is above its limit, with the manager's limit as it ships and
// near AWS's.
func burst(ctx context.Context, b *bench) error {
	for _, limit := range []float64{aws.DefaultWritesPerSecond, 45} {
		err := b.with(ctx, []string{fmt.Sprintf("--aws-writes-per-second=%g", limit)}, func(s *site) error {
			return s.burst(ctx, b, limit, b.size(1000, 40))
		})
		if err != nil {
			return fmt.Errorf("%g writes a second: %w", limit, err)
		}
	}
	return nil
}

func (s *site) burst(ctx context.Context, b *bench, limit float64, count int) error {
	environments, err := s.environments(ctx, "burst", b.size(100, 10))
	if err != nil {
		return err
	}
	if err := s.warm(ctx, "warm", environments); err != nil {
		return err
	}
	names, err := s.proposed(ctx, "burst", count, environments)
	if err != nil {
		return err
	}
	err = s.ask(ctx, "POST", "faults", map[string]any{"kind": emulator.FaultThrottle, "operations": writes,
		"principal": "*:user/" + managerKey, "perSecond": serviceWrites}, nil)
	if err != nil {
		return err
	}
	if err := s.forgetCalls(ctx); err != nil {
		return err
	}
	found, err := s.approveAll(ctx, names)
	if err != nil {
		return err
	}
	log, err := s.calls(ctx)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%d approvals at %g writes a second: ", count, limit)
	made, most, lasted := pace(log)
	b.report.add(name+"until all are live", found.seconds, "s")
	b.report.add(name+"writes to AWS for one change", float64(made)/float64(count), "")
	b.report.add(name+"writes a second, from the first to the last", float64(made)/lasted.Seconds(), "")
	b.report.atMost(name+"the most writes in one second", float64(most), serviceWrites, "")
	b.report.atMost(name+"throttled", found.manager.sum("secretreview_aws_requests_total", `code="ThrottlingException"`), 0, "")
	b.report.atMost(name+"failed calls to AWS", found.manager.sum("secretreview_aws_calls_total")-found.manager.sum("secretreview_aws_calls_total", `result="ok"`), 0, "")
	b.report.atMost(name+"failed reconciles", found.manager.sum("controller_runtime_reconcile_errors_total"), 0, "")
	return nil
}

// pace counts the manager's writes, the most in any second, and how long they took.
func pace(calls []emulator.Call) (made, most int, lasted time.Duration) {
	var at []time.Time
	for _, call := range calls {
		if call.AccessKeyID == managerKey && slices.Contains(writes, call.Operation) {
			at = append(at, call.Time)
		}
	}
	slices.SortFunc(at, time.Time.Compare)
	first := 0
	for i := range at {
		for at[i].Sub(at[first]) >= time.Second {
			first++
		}
		most = max(most, i-first+1)
	}
	if len(at) == 0 {
		return 0, 0, 0
	}
	return len(at), most, at[len(at)-1].Sub(at[0])
}
