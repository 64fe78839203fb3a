package metrics

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/controller/index"
	"github.com/secretreview/secretreview/internal/guard"
	"github.com/secretreview/secretreview/internal/policy"
)

var (
	policiesDesc = prometheus.NewDesc(PoliciesInForce,
		"1 while the admission policies are known to be in force; nothing is applied while they are not.", nil, nil)
	changesDesc = prometheus.NewDesc(Changes,
		"Changes that the cluster has, by phase.", []string{"namespace", "project", "environment", "phase"}, nil)
	oldestDesc = prometheus.NewDesc(OldestChange,
		"Since when the oldest change of an unfinished phase waits, in seconds since 1970: since its proposal or, once approved, its approval.",
		[]string{"namespace", "project", "environment", "phase"}, nil)
	driftedDesc = prometheus.NewDesc(Drifted,
		"1 while something else is live than what was applied last.", []string{"namespace", "project", "environment"}, nil)
	unservedDesc = prometheus.NewDesc(Unserved,
		"1 while the environment cannot be served.", []string{"namespace", "project", "environment"}, nil)
	suspendedDesc = prometheus.NewDesc(Suspended,
		"1 while a change freeze keeps approved changes from being applied.", []string{"namespace", "project", "environment"}, nil)
)

// phases are all that a change can be in.
var phases = []v1alpha1.Phase{
	"", v1alpha1.PhasePending, v1alpha1.PhaseApproved, v1alpha1.PhaseApplied, v1alpha1.PhaseRejected,
	v1alpha1.PhaseConflicted, v1alpha1.PhaseExpired, v1alpha1.PhaseInvalid,
}

// State collects, when it is asked, what is on record in the cache. What is gone
// leaves no stale series behind.
type State struct {
	// Cache has every change and project, once Elected.
	Cache client.Reader
	// Tally hears of every change in Cache.
	Tally *Tally
	Guard guard.Reader
	// Elected is closed once this manager leads: others show nothing, so that
	// sums over all of them are right.
	Elected <-chan struct{}
}

// AddState registers the State of a manager that has not been started.
func AddState(ctx context.Context, mgr manager.Manager, registry prometheus.Registerer, reader guard.Reader) error {
	informer, err := mgr.GetCache().GetInformer(ctx, &v1alpha1.SecretChange{}, cache.BlockUntilSynced(false))
	if err != nil {
		return fmt.Errorf("watch changes to count them: %w", err)
	}
	s := &State{Cache: mgr.GetClient(), Tally: &Tally{}, Guard: reader, Elected: mgr.Elected()}
	if _, err := informer.AddEventHandler(s.Tally); err != nil {
		return fmt.Errorf("watch changes to count them: %w", err)
	}
	return registry.Register(s)
}

// Describe implements prometheus.Collector.
func (s *State) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{policiesDesc, changesDesc, oldestDesc, driftedDesc, unservedDesc, suspendedDesc} {
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

// environment shows one that a SecretProject names: changes may name any.
func (s *State) environment(ctx context.Context, out chan<- prometheus.Metric, p *v1alpha1.SecretProject, name string) {
	show := func(desc *prometheus.Desc, value float64, more ...string) {
		labels := append([]string{p.Namespace, p.Name, name}, more...)
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	status := p.Status.Environment(name)
	effective, _ := policy.For(p, name)
	show(driftedDesc, one(status != nil && status.Drift != nil))
	show(unservedDesc, one(status == nil || status.Problem != nil))
	show(suspendedDesc, one(effective.Suspended))
	for _, phase := range phases {
		show(changesDesc, float64(s.Tally.of(environment{p.Namespace, p.Name, name}, phase)), phaseLabel(phase))
	}

	var unfinished v1alpha1.SecretChangeList
	err := s.Cache.List(ctx, &unfinished, client.InNamespace(p.Namespace), client.UnsafeDisableDeepCopy,
		client.MatchingFields{index.UnfinishedByEnvironment: index.EnvironmentKey(p.Name, name)})
	if err != nil {
		out <- prometheus.NewInvalidMetric(oldestDesc, err)
		return
	}
	for phase, since := range oldest(unfinished.Items) {
		show(oldestDesc, float64(since.UnixMilli())/1000, phaseLabel(phase))
	}
}

// oldest returns since when the change of each phase that waits for longest has
// been waiting: for a decision since it was proposed, to be live since it was
// approved.
func oldest(changes []v1alpha1.SecretChange) map[v1alpha1.Phase]time.Time {
	found := map[v1alpha1.Phase]time.Time{}
	for i := range changes {
		status := &changes[i].Status
		since := changes[i].CreationTimestamp.Time
		if status.Phase == v1alpha1.PhaseApproved && status.DecidedAt != nil {
			since = status.DecidedAt.Time
		}
		if first, ok := found[status.Phase]; !ok || since.Before(first) {
			found[status.Phase] = since
		}
	}
	return found
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
