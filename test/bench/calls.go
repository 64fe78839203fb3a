package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/policy"
)

const (
	// callsOfChange is how many calls to AWS one change costs at most, from its first sight to its end: docs/operations.md.
	callsOfChange = 8
	// callsOfTrim are what it costs more once the oldest restorable version has to go for each new one.
	callsOfTrim = 2
	// listed is how many secrets one page of a listing has.
	listed = 100
)

// writing are labels of the API server's metric of requests that may change something.
var writing = []string{`verb="POST"`, `verb="PUT"`, `verb="PATCH"`, `verb="DELETE"`, `verb="APPLY"`, `verb="DELETECOLLECTION"`}

// written are the resources that a manager may write, but for the lease by which it leads.
var written = []string{"secretchanges", "secretprojects", "events", "configmaps"}

// stored adds up the requests that have changed what the API server stores, by resource.
func (m series) stored() map[string]float64 {
	found := map[string]float64{}
	for key, value := range m {
		name, labels, _ := strings.Cut(key, "{")
		if name != "apiserver_request_total" || value == 0 || !strings.Contains(labels, `dry_run=""`) {
			continue
		}
		_, resource, _ := strings.Cut(labels, `resource="`)
		resource, _, _ = strings.Cut(resource, `"`)
		writes := slices.ContainsFunc(writing, func(verb string) bool { return strings.Contains(labels, verb) })
		if writes && slices.Contains(written, resource) {
			found[resource] += value
		}
	}
	return found
}

// calls counts what one change costs, after one of the same environment.
func calls(ctx context.Context, b *bench) error {
	return b.with(ctx, nil, func(s *site) error {
		environments, err := s.environments(ctx, "calls", 1)
		if err != nil {
			return err
		}
		if err := s.warm(ctx, "warm", environments); err != nil {
			return err
		}
		const few = 5
		if err := s.callsOf(ctx, b, "one change", "change", few, callsOfChange, environments); err != nil || b.quick {
			return err
		}
		for i := range policy.DefaultVersionHistory - few {
			if err := s.applyOne(ctx, fmt.Sprintf("more-%d", i), environments); err != nil {
				return err
			}
		}
		return s.callsOf(ctx, b, "one change, with as many restorable versions as are kept", "late", 2*few, callsOfChange+callsOfTrim, environments)
	})
}

// callsOf has so many changes applied, one after the other, so that none waits for another, and counts.
func (s *site) callsOf(ctx context.Context, b *bench, what, prefix string, count int, aim float64, environments []environment) error {
	before, err := s.managerMetrics(ctx)
	if err != nil {
		return err
	}
	server, err := s.serverMetrics(ctx)
	if err != nil {
		return err
	}
	for i := range count {
		if err := s.applyOne(ctx, fmt.Sprintf("%s-%d", prefix, i), environments); err != nil {
			return err
		}
	}
	after, err := s.managerMetrics(ctx)
	if err != nil {
		return err
	}
	serverAfter, err := s.serverMetrics(ctx)
	if err != nil {
		return err
	}
	made, each := after.since(before), func(total float64) float64 { return total / float64(count) }
	// What a network loses the SDK sends again: that is an attempt more, and no call.
	b.report.atMost(what+": to AWS", each(made.sum("secretreview_aws_calls_total")), aim, "")
	for _, operation := range []string{"DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage", "DeleteSecret"} {
		b.report.add(what+": of which "+operation, each(made.sum("secretreview_aws_calls_total", `operation="`+operation+`"`)), "")
	}
	b.report.add(what+": attempts at calls to AWS", each(made.sum("secretreview_aws_requests_total")), "")
	b.report.add(what+": to the API server by the manager", each(made.sum("rest_client_requests_total")), "")
	for _, method := range []string{"GET", "POST", "PUT", "PATCH"} {
		b.report.add(what+": of which "+method, each(made.sum("rest_client_requests_total", `method="`+method+`"`)), "")
	}
	stored := serverAfter.since(server).stored()
	for _, resource := range []string{"secretchanges", "secretprojects", "events"} {
		b.report.add(what+": writes of "+resource+", people's included", each(stored[resource]), "")
	}
	b.report.add(what+": reconciles of the change", each(made.sum("controller_runtime_reconcile_total", `controller="secretchange"`)), "")
	b.report.add(what+": reconciles of its project", each(made.sum("controller_runtime_reconcile_total", `controller="secretproject"`)), "")
	return nil
}

// applyOne proposes and approves a change, and returns once it is cleaned up.
func (s *site) applyOne(ctx context.Context, name string, environments []environment) error {
	before, err := s.managerMetrics(ctx)
	if err != nil {
		return err
	}
	names, err := s.proposed(ctx, name, 1, environments)
	if err != nil {
		return err
	}
	if err := s.review(ctx, names[0], v1alpha1.VerdictApproved); err != nil {
		return err
	}
	return s.cleaned(ctx, before, 1)
}

// idle looks at a manager that has nothing to do. Listings come every few seconds, not every five minutes, so that some are
// seen; what a listing costs does not hang on how often it is taken.
func idle(ctx context.Context, b *bench) error {
	interval, rounds := time.Duration(b.size(10, 5))*time.Second, b.size(6, 2)
	sizes := []int{10, 100, 1000}
	if b.quick {
		sizes = []int{10, 150}
	}
	return b.with(ctx, []string{"--sweep-interval=" + interval.String()}, func(s *site) error {
		have := 0
		for _, size := range sizes {
			if _, err := s.environments(ctx, fmt.Sprintf("idle-%d", size), size-have); err != nil {
				return err
			}
			have = size
			if err := s.idleWith(ctx, b, size, interval, rounds); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *site) idleWith(ctx context.Context, b *bench, size int, interval time.Duration, rounds int) error {
	// What follows from the new environments has settled after two listings.
	before, err := s.managerMetrics(ctx)
	if err != nil {
		return err
	}
	const round = "secretreview_inventory_rounds_total"
	if err := s.counted(ctx, before, 2, round); err != nil {
		return err
	}
	if before, err = s.managerMetrics(ctx); err != nil {
		return err
	}
	server, err := s.serverMetrics(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := s.counted(ctx, before, float64(rounds), round); err != nil {
		return err
	}
	// A page more may be under way.
	if err := sleep(ctx, interval/2); err != nil {
		return err
	}
	after, err := s.managerMetrics(ctx)
	if err != nil {
		return err
	}
	serverAfter, err := s.serverMetrics(ctx)
	if err != nil {
		return err
	}
	made, minutes := after.since(before), time.Since(began).Minutes()
	name := fmt.Sprintf("%d environments: ", size)
	listings := made.sum(round)
	pages := float64((size + listed - 1) / listed)
	b.report.atMost(name+"pages of ListSecrets for each listing", math.Floor(made.sum("secretreview_aws_requests_total", `operation="ListSecrets"`)/listings), pages, "")
	b.report.atMost(name+"other calls to AWS", made.sum("secretreview_aws_calls_total")-made.sum("secretreview_aws_calls_total", `operation="ListSecrets"`), 0, "")
	b.report.add(name+"calls to AWS an hour, at the interval of 5 minutes", 12*made.sum("secretreview_aws_requests_total")/listings, "")
	others := 0.0
	for _, count := range serverAfter.since(server).stored() {
		others += count
	}
	b.report.atMost(name+"writes to Kubernetes, but for its lease", others, 0, "")
	b.report.add(name+"reads of Kubernetes an hour", 60*made.sum("rest_client_requests_total", `method="GET"`)/minutes, "")
	b.report.add(name+"trials of the admission policies an hour, which store nothing", 60*made.sum("rest_client_requests_total", `method="POST"`)/minutes, "")
	return nil
}
