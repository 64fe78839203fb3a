// Package metrics counts what the controllers do. No label holds anything that
// whoever may propose a change could choose: namespaces, projects and
// environments are those of SecretProjects, which administrators create.
package metrics

import (
	"cmp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sweep"
)

// Names of the metrics. They are constant: alerts and dashboards use them.
const (
	PoliciesInForce = "secretreview_admission_policies_in_force"

	Changes            = "secretreview_changes"
	OldestChange       = "secretreview_oldest_unfinished_change_timestamp_seconds"
	Transitions        = "secretreview_change_transitions_total"
	Conflicts          = "secretreview_change_conflicts_total"
	ProposalToDecision = "secretreview_change_proposal_to_decision_seconds"
	ApprovalToLive     = "secretreview_change_approval_to_live_seconds"

	Drifted   = "secretreview_environment_drifted"
	Unserved  = "secretreview_environment_unserved"
	Suspended = "secretreview_environment_suspended"

	AWSCalls        = "secretreview_aws_calls_total"
	AWSCallDuration = "secretreview_aws_call_duration_seconds"
	AWSRequests     = "secretreview_aws_requests_total"

	InventoryRounds   = "secretreview_inventory_rounds_total"
	InventoryTaken    = "secretreview_inventory_last_success_timestamp_seconds"
	InventoryInterval = "secretreview_inventory_interval_seconds"
	InventorySecrets  = "secretreview_inventory_secrets"
	SweepOrphans      = "secretreview_sweep_orphans"
	SweepActions      = "secretreview_sweep_actions_total"
	TrimmedChanges    = "secretreview_trimmed_changes_total"
)

// Seconds, for the limits of buckets.
const (
	hour = 3600
	day  = 24 * hour
)

// ok is the value of a label "result" where nothing failed.
const ok = "ok"

// noPhase stands for the phase of a change that has not been checked yet.
const noPhase = "None"

// Metrics are the counters. It implements what the controllers ask of their
// observers.
type Metrics struct {
	awsCalls           *prometheus.CounterVec
	awsDuration        *prometheus.HistogramVec
	awsRequests        *prometheus.CounterVec
	transitions        *prometheus.CounterVec
	conflicts          *prometheus.CounterVec
	proposalToDecision *prometheus.HistogramVec
	approvalToLive     prometheus.Histogram
	rounds             *prometheus.CounterVec
	taken              prometheus.Gauge
	interval           prometheus.Gauge
	secrets            *prometheus.GaugeVec
	orphans            prometheus.Gauge
	sweeps             *prometheus.CounterVec
	trimmed            prometheus.Counter
}

// New registers all counters.
func New(registry prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		awsCalls: counters(AWSCalls, "Calls to AWS after their last attempt, by the service's name of the call and by ok or the kind of error.", "operation", "result"),
		awsDuration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: AWSCallDuration, Help: "How long calls to AWS took, all their attempts included.",
			Buckets: []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30},
		}, []string{"operation"}),
		awsRequests: counters(AWSRequests, "Requests to AWS, each attempt of a call for itself, by the service's name of the call and by ok, a known error code, other, or unanswered.", "operation", "code"),
		transitions: counters(Transitions, "Changes of phase of SecretChanges.", "from", "to"),
		conflicts:   counters(Conflicts, "Changes that ended as Conflicted, by whether it is known what is live.", "reason"),
		proposalToDecision: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: ProposalToDecision, Help: "From the creation of a change until its quorum was reached or it was rejected.",
			Buckets: []float64{10, 60, 300, 900, 1800, hour, 2 * hour, 4 * hour, 8 * hour, day, 2 * day, 4 * day, 7 * day},
		}, []string{"decision"}),
		approvalToLive: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: ApprovalToLive, Help: "From the approval of a change until it was seen live.",
			Buckets: []float64{0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, hour, 6 * hour, day, 7 * day},
		}),
		rounds:   counters(InventoryRounds, "Listings of all secrets under the prefix, by ok or the kind of error.", "result"),
		taken:    gauge(InventoryTaken, "When the last complete listing began, in seconds since 1970."),
		interval: gauge(InventoryInterval, "How often all secrets are to be listed."),
		secrets:  prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: InventorySecrets, Help: "Secrets under the prefix, as last listed."}, []string{"kind"}),
		orphans:  gauge(SweepOrphans, "Staged secrets that no change names and whose time is over, as last listed."),
		sweeps:   counters(SweepActions, "What the sweep did to staged secrets, and why, by ok or the kind of error.", "action", "reason", "result"),
		trimmed:  prometheus.NewCounter(prometheus.CounterOpts{Name: TrimmedChanges, Help: "Finished changes deleted beyond historyLimit."}),
	}
	for _, c := range []prometheus.Collector{
		m.awsCalls, m.awsDuration, m.awsRequests, m.transitions, m.conflicts, m.proposalToDecision, m.approvalToLive,
		m.rounds, m.taken, m.interval, m.secrets, m.orphans, m.sweeps, m.trimmed,
	} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	// An alert on an increase cannot see the first event of a series that begins with it.
	for _, reason := range []string{v1alpha1.ReasonConflicted, v1alpha1.ReasonOutcomeUnknown} {
		m.conflicts.WithLabelValues(reason)
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

// AWSRequest counts one attempt of a call. code must be one of few.
func (m *Metrics) AWSRequest(op, code string) { m.awsRequests.WithLabelValues(op, code).Inc() }

// Transition counts a change's new phase.
func (m *Metrics) Transition(change *v1alpha1.SecretChange, from, to v1alpha1.Phase) {
	m.transitions.WithLabelValues(phaseLabel(from), string(to)).Inc()
	decided, applied := change.Status.DecidedAt, change.Status.AppliedAt
	switch to {
	case v1alpha1.PhaseApproved, v1alpha1.PhaseRejected:
		// Who rejects what was approved corrects a decision that is counted already.
		if from != v1alpha1.PhaseApproved && decided != nil {
			m.proposalToDecision.WithLabelValues(string(to)).Observe(decided.Sub(change.CreationTimestamp.Time).Seconds())
		}
	case v1alpha1.PhaseApplied:
		if decided != nil && applied != nil {
			m.approvalToLive.Observe(applied.Sub(decided.Time).Seconds())
		}
	case v1alpha1.PhaseConflicted:
		m.conflicts.WithLabelValues(conflict(change)).Inc()
	default:
	}
}

// conflict tells the one conflict after which it is not known what is live from all others.
func conflict(change *v1alpha1.SecretChange) string {
	ready := meta.FindStatusCondition(change.Status.Conditions, v1alpha1.ConditionReady)
	if ready != nil && ready.Reason == v1alpha1.ReasonOutcomeUnknown {
		return v1alpha1.ReasonOutcomeUnknown
	}
	return v1alpha1.ReasonConflicted
}

func phaseLabel(phase v1alpha1.Phase) string { return cmp.Or(string(phase), noPhase) }

// ListsEvery records how often listings are to be taken.
func (m *Metrics) ListsEvery(interval time.Duration) { m.interval.Set(interval.Seconds()) }

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
