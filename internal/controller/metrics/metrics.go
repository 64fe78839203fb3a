// Package metrics counts what the controllers do. No label holds anything that
// whoever may propose a change could choose: namespaces, projects and
// environments are those of SecretProjects, which administrators create.
package metrics

import (
	"cmp"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sweep"
)

// Names of the metrics. They are constant: alerts and dashboards use them.
const (
	AWSCalls          = "secretreview_aws_calls_total"
	AWSCallDuration   = "secretreview_aws_call_duration_seconds"
	Transitions       = "secretreview_change_transitions_total"
	ApprovalToLive    = "secretreview_change_approval_to_live_seconds"
	InventoryRounds   = "secretreview_inventory_rounds_total"
	InventoryTaken    = "secretreview_inventory_last_success_timestamp_seconds"
	InventorySecrets  = "secretreview_inventory_secrets"
	SweepOrphans      = "secretreview_sweep_orphans"
	SweepActions      = "secretreview_sweep_actions_total"
	TrimmedChanges    = "secretreview_trimmed_changes_total"
	PoliciesInForce   = "secretreview_admission_policies_in_force"
	UnfinishedChanges = "secretreview_unfinished_changes"
	Drifted           = "secretreview_environment_drifted"
	Unserved          = "secretreview_environment_unserved"
)

// ok is the value of a label "result" where nothing failed.
const ok = "ok"

// noPhase is the value of "from" for a change that is seen for the first time.
const noPhase = "None"

// Metrics are the counters. It implements what the controllers ask of their
// observers.
type Metrics struct {
	awsCalls       *prometheus.CounterVec
	awsDuration    *prometheus.HistogramVec
	transitions    *prometheus.CounterVec
	approvalToLive prometheus.Histogram
	rounds         *prometheus.CounterVec
	taken          prometheus.Gauge
	secrets        *prometheus.GaugeVec
	orphans        prometheus.Gauge
	sweeps         *prometheus.CounterVec
	trimmed        prometheus.Counter
}

// New registers all counters.
func New(registry prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		awsCalls: counters(AWSCalls, "Calls to AWS after their last attempt, by the service's name of the call and by ok or the kind of error.", "operation", "result"),
		awsDuration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: AWSCallDuration, Help: "How long calls to AWS took, all their attempts included.",
			Buckets: []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30},
		}, []string{"operation"}),
		transitions: counters(Transitions, "Changes of phase of SecretChanges.", "from", "to"),
		approvalToLive: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: ApprovalToLive, Help: "From the approval of a change until it was seen live.",
			Buckets: []float64{0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600},
		}),
		rounds:  counters(InventoryRounds, "Listings of all secrets under the prefix, by ok or the kind of error.", "result"),
		taken:   gauge(InventoryTaken, "When the last complete listing began, in seconds since 1970."),
		secrets: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: InventorySecrets, Help: "Secrets under the prefix, as last listed."}, []string{"kind"}),
		orphans: gauge(SweepOrphans, "Staged secrets that no change names and whose time is over, as last listed."),
		sweeps:  counters(SweepActions, "What the sweep did to staged secrets, and why, by ok or the kind of error.", "action", "reason", "result"),
		trimmed: prometheus.NewCounter(prometheus.CounterOpts{Name: TrimmedChanges, Help: "Finished changes deleted beyond historyLimit."}),
	}
	for _, c := range []prometheus.Collector{
		m.awsCalls, m.awsDuration, m.transitions, m.approvalToLive, m.rounds, m.taken, m.secrets, m.orphans, m.sweeps, m.trimmed,
	} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
}

// AWSCall counts a call; kind is "" where it succeeded.
func (m *Metrics) AWSCall(op string, kind secretstore.Kind, took time.Duration) {
	m.awsCalls.WithLabelValues(op, result(kind)).Inc()
	m.awsDuration.WithLabelValues(op).Observe(took.Seconds())
}

// Transition counts a change's new phase.
func (m *Metrics) Transition(change *v1alpha1.SecretChange, from, to v1alpha1.Phase) {
	label := string(from)
	if from == "" {
		label = noPhase
	}
	m.transitions.WithLabelValues(label, string(to)).Inc()
	decided, applied := change.Status.DecidedAt, change.Status.AppliedAt
	if to == v1alpha1.PhaseApplied && decided != nil && applied != nil {
		m.approvalToLive.Observe(applied.Sub(decided.Time).Seconds())
	}
}

// Listed records a complete inventory.
func (m *Metrics) Listed(at time.Time, live, staged int) {
	m.rounds.WithLabelValues(ok).Inc()
	m.taken.Set(float64(at.UnixMilli()) / 1000)
	m.secrets.WithLabelValues("live").Set(float64(live))
	m.secrets.WithLabelValues("staged").Set(float64(staged))
}

// ListFailed counts an inventory that could not be taken.
func (m *Metrics) ListFailed(err error) { m.rounds.WithLabelValues(outcome(err)).Inc() }

// Orphans records how many staged secrets nobody needs.
func (m *Metrics) Orphans(count int) { m.orphans.Set(float64(count)) }

// Swept counts one action of the sweep.
func (m *Metrics) Swept(kind sweep.ActionKind, reason sweep.Reason, err error) {
	m.sweeps.WithLabelValues(string(kind), string(reason), outcome(err)).Inc()
}

// Trimmed counts deleted changes.
func (m *Metrics) Trimmed(count int) { m.trimmed.Add(float64(count)) }

func result(kind secretstore.Kind) string { return cmp.Or(string(kind), ok) }

// outcome is the result of what may have failed for other reasons than AWS.
func outcome(err error) string {
	if err == nil {
		return ok
	}
	return cmp.Or(string(secretstore.KindOf(err)), "error")
}
