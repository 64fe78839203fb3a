package metrics

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/controller/index"
	"github.com/secretreview/secretreview/internal/guard"
)

var (
	policiesDesc = prometheus.NewDesc(PoliciesInForce,
		"1 while the admission policies are known to be in force; nothing is applied while they are not.", nil, nil)
	unfinishedDesc = prometheus.NewDesc(UnfinishedChanges,
		"Changes that have not ended, by phase.", []string{"namespace", "project", "environment", "phase"}, nil)
	driftedDesc = prometheus.NewDesc(Drifted,
		"1 while something else is live than what was applied last.", []string{"namespace", "project", "environment"}, nil)
	unservedDesc = prometheus.NewDesc(Unserved,
		"1 while the environment cannot be served.", []string{"namespace", "project", "environment"}, nil)
)

// State collects, when it is asked, what is on record in the cache. What is gone
// leaves no stale series behind.
type State struct {
	// Cache has every change and project, once Elected.
	Cache client.Reader
	Guard guard.Reader
	// Elected is closed once this manager leads: others show nothing, so that
	// sums over all of them are right.
	Elected <-chan struct{}
}

// Describe implements prometheus.Collector.
func (s *State) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{policiesDesc, unfinishedDesc, driftedDesc, unservedDesc} {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (s *State) Collect(out chan<- prometheus.Metric) {
	select {
	case <-s.Elected:
	default:
		return
	}
	ctx := context.Background()
	out <- prometheus.MustNewConstMetric(policiesDesc, prometheus.GaugeValue, one(s.Guard.State().Intact))
	var projects v1alpha1.SecretProjectList
	if err := s.Cache.List(ctx, &projects, client.UnsafeDisableDeepCopy); err != nil {
		out <- prometheus.NewInvalidMetric(driftedDesc, err)
		return
	}
	for i := range projects.Items {
		for _, environment := range projects.Items[i].Spec.Environments {
			s.environment(ctx, out, &projects.Items[i], environment.Name)
		}
	}
}

func (s *State) environment(ctx context.Context, out chan<- prometheus.Metric, p *v1alpha1.SecretProject, name string) {
	labels := []string{p.Namespace, p.Name, name}
	status := p.Status.Environment(name)
	drifted := status != nil && status.Drift != nil
	unserved := status == nil || status.Problem != nil
	out <- prometheus.MustNewConstMetric(driftedDesc, prometheus.GaugeValue, one(drifted), labels...)
	out <- prometheus.MustNewConstMetric(unservedDesc, prometheus.GaugeValue, one(unserved), labels...)

	var changes v1alpha1.SecretChangeList
	err := s.Cache.List(ctx, &changes, client.InNamespace(p.Namespace), client.UnsafeDisableDeepCopy,
		client.MatchingFields{index.UnfinishedByEnvironment: index.EnvironmentKey(p.Name, name)})
	if err != nil {
		out <- prometheus.NewInvalidMetric(unfinishedDesc, err)
		return
	}
	counts := map[v1alpha1.Phase]int{}
	for i := range changes.Items {
		counts[changes.Items[i].Status.Phase]++
	}
	for _, phase := range []v1alpha1.Phase{"", v1alpha1.PhasePending, v1alpha1.PhaseApproved} {
		label := string(phase)
		if phase == "" {
			label = noPhase
		}
		out <- prometheus.MustNewConstMetric(unfinishedDesc, prometheus.GaugeValue, float64(counts[phase]), append(labels, label)...)
	}
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
