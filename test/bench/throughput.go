package main

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// minRate is how many changes a second one manager should make live, where AWS answers at once.
const minRate = 200

// maxVersions is how many changes of one environment can be made live in a day, with room for those before: AWS keeps at
// most 100 versions of a secret, and takes none away that is younger than a day (its quotas page).
const maxVersions = 90

// throughput has many changes proposed, then approves all at once, and looks how fast they become live.
func throughput(ctx context.Context, b *bench) error {
	for _, environments := range []int{1, 10, 100} {
		err := b.with(ctx, []string{fmt.Sprintf("--aws-writes-per-second=%d", unlimited)}, func(s *site) error {
			return b.drain(ctx, s, environments, min(b.size(500, 100), environments*maxVersions))
		})
		if err != nil {
			return fmt.Errorf("%d environments: %w", environments, err)
		}
	}
	return nil
}

// drained is what was seen of many changes that were approved at once.
type drained struct {
	// seconds are from the first approval until the last change was live, approving until the last approval was recorded.
	seconds, approving float64
	cpu                spent
	manager            series
}

func (b *bench) drain(ctx context.Context, s *site, environments, count int) error {
	all, err := s.environments(ctx, "throughput", environments)
	if err != nil {
		return err
	}
	if err := s.warm(ctx, "warm", all); err != nil {
		return err
	}
	name := fmt.Sprintf("%d changes in %d environments", count, environments)
	var found drained
	err = b.profileBoth(ctx, s, fmt.Sprintf("throughput-%d", environments), 10*time.Second, func(ctx context.Context) error {
		names, err := s.proposed(ctx, "change", count, all)
		if err != nil {
			return err
		}
		found, err = s.approveAll(ctx, names)
		return err
	})
	if err != nil {
		return err
	}
	rate := float64(count) / found.seconds
	each := func(total float64) float64 { return 1000 * total / float64(count) }
	b.report.atLeast(name+": made live", rate, minRate, "a second")
	b.report.add(name+": the approvals alone", float64(count)/found.approving, "a second")
	b.report.add(name+": processor time of one change, all programs", each(found.cpu.total()), "ms")
	for _, program := range []string{"manager", "kube-apiserver", "etcd", "emulator", "bench"} {
		b.report.add(name+": of which "+program, each(found.cpu[program]), "ms")
	}
	b.report.add(name+": what two processors could do with nothing else to do", 2*float64(count)/found.cpu.total(), "a second")
	b.report.add(name+": PutSecretValue for one change", found.manager.sum("secretreview_aws_requests_total", `operation="PutSecretValue"`)/float64(count), "")
	b.report.add(name+": reconciles for one change", found.manager.sum("controller_runtime_reconcile_total", `controller="secretchange"`)/float64(count), "")
	b.report.add(name+": calls to the API server for one change", found.manager.sum("rest_client_requests_total")/float64(count), "")
	b.report.atMost(name+": failures", found.manager.sum("controller_runtime_reconcile_errors_total"), 0, "")
	return b.keepProfile(ctx, s, "heap?gc=1", fmt.Sprintf("throughput-%d-heap", environments))
}

// approveAll approves changes and returns when all are live and cleaned up.
func (s *site) approveAll(ctx context.Context, names []string) (drained, error) {
	var found drained
	before, err := s.managerMetrics(ctx)
	if err != nil {
		return found, err
	}
	cpu, err := s.usage()
	if err != nil {
		return found, err
	}
	began := time.Now()
	err = each(ctx, len(names), func(ctx context.Context, i int) error { return s.review(ctx, names[i], v1alpha1.VerdictApproved) })
	if err != nil {
		return found, err
	}
	found.approving = time.Since(began).Seconds()
	if err := s.cleaned(ctx, before, len(names)); err != nil {
		return found, err
	}
	after, err := s.managerMetrics(ctx)
	if err != nil {
		return found, err
	}
	used, err := s.usage()
	if err != nil {
		return found, err
	}
	found.cpu, found.manager = used.since(cpu), after.since(before)
	last, err := s.lastApplied(ctx, names)
	found.seconds = last.Sub(began).Seconds()
	return found, err
}

// lastApplied is when the last of these changes was seen live. It fails where one is not.
func (s *site) lastApplied(ctx context.Context, names []string) (time.Time, error) {
	wanted := map[string]bool{}
	for _, name := range names {
		wanted[name] = true
	}
	var list v1alpha1.SecretChangeList
	if err := s.admin.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return time.Time{}, err
	}
	var last time.Time
	for i := range list.Items {
		c := &list.Items[i]
		if !wanted[c.Name] {
			continue
		}
		if c.Status.AppliedAt == nil {
			return last, fmt.Errorf("change %s is %s and not live: %s", c.Name, c.Status.Phase, c.Status.Message)
		}
		delete(wanted, c.Name)
		if c.Status.AppliedAt.After(last) {
			last = c.Status.AppliedAt.Time
		}
	}
	if len(wanted) > 0 {
		return last, fmt.Errorf("%d of the changes are gone", len(wanted))
	}
	return last, nil
}
