package metrics_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/controller/metrics"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sweep"
)

func newMetrics(t *testing.T) (*metrics.Metrics, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	m, err := metrics.New(registry)
	if err != nil {
		t.Fatal(err)
	}
	return m, registry
}

// expect compares all series of some metrics, a line each.
func expect(t *testing.T, registry prometheus.Gatherer, want string, names ...string) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, name := range names {
		for _, family := range families {
			if family.GetName() != name {
				continue
			}
			for _, metric := range family.GetMetric() {
				got = append(got, line(name, metric))
			}
		}
	}
	if text := strings.Join(got, "\n") + "\n"; text != want {
		t.Errorf("got\n%swant\n%s", text, want)
	}
}

func line(name string, metric *dto.Metric) string {
	var labels []string
	for _, label := range metric.GetLabel() {
		labels = append(labels, fmt.Sprintf("%s=%q", label.GetName(), label.GetValue()))
	}
	if len(labels) > 0 {
		name += "{" + strings.Join(labels, ",") + "}"
	}
	return fmt.Sprintf("%s %v", name, metric.GetCounter().GetValue()+metric.GetGauge().GetValue())
}

func TestCountsCallsByResult(t *testing.T) {
	m, registry := newMetrics(t)
	m.AWSCall("DescribeSecret", "", time.Second)
	m.AWSCall("DescribeSecret", "", time.Second)
	m.AWSCall("DescribeSecret", secretstore.KindThrottled, time.Second)
	expect(t, registry, `secretreview_aws_calls_total{operation="DescribeSecret",result="Throttled"} 1
secretreview_aws_calls_total{operation="DescribeSecret",result="ok"} 2
`, metrics.AWSCalls)
}

func TestCountsRequestsByCode(t *testing.T) {
	m, registry := newMetrics(t)
	m.AWSRequest("DescribeSecret", "ThrottlingException")
	m.AWSRequest("DescribeSecret", "ok")
	expect(t, registry, `secretreview_aws_requests_total{code="ThrottlingException",operation="DescribeSecret"} 1
secretreview_aws_requests_total{code="ok",operation="DescribeSecret"} 1
`, metrics.AWSRequests)
}

func TestCountsTransitionsWithoutNamingAnybody(t *testing.T) {
	m, registry := newMetrics(t)
	c := &v1alpha1.SecretChange{Spec: v1alpha1.SecretChangeSpec{Project: "made-up"}}
	m.Transition(c, "", v1alpha1.PhasePending)
	m.Transition(c, v1alpha1.PhasePending, v1alpha1.PhaseExpired)
	expect(t, registry, `secretreview_change_transitions_total{from="None",to="Pending"} 1
secretreview_change_transitions_total{from="Pending",to="Expired"} 1
`, metrics.Transitions)
}

// at is a time so many seconds after the change was created.
func at(seconds int64) *metav1.MicroTime {
	t := metav1.NewMicroTime(time.Unix(1000+seconds, 0))
	return &t
}

func TestMeasuresHowLongDecisionsTake(t *testing.T) {
	type step struct{ from, to v1alpha1.Phase }
	for name, c := range map[string]struct {
		decided, applied *metav1.MicroTime
		steps            []step
		// The number of observations and their sum in seconds.
		approved, rejected, live [2]float64
	}{
		"approved and live": {
			at(60), at(63), []step{{"", v1alpha1.PhasePending}, {v1alpha1.PhasePending, v1alpha1.PhaseApproved}, {v1alpha1.PhaseApproved, v1alpha1.PhaseApplied}},
			[2]float64{1, 60}, [2]float64{}, [2]float64{1, 3},
		},
		"rejected": {decided: at(20), steps: []step{{v1alpha1.PhasePending, v1alpha1.PhaseRejected}}, rejected: [2]float64{1, 20}},
		"rejected after it was approved, which is one decision": {
			decided: at(60), steps: []step{{v1alpha1.PhasePending, v1alpha1.PhaseApproved}, {v1alpha1.PhaseApproved, v1alpha1.PhaseRejected}},
			approved: [2]float64{1, 60},
		},
		"adopted without a decision": {applied: at(5), steps: []step{{"", v1alpha1.PhaseApplied}}},
		"expired":                    {steps: []step{{v1alpha1.PhasePending, v1alpha1.PhaseExpired}}},
	} {
		t.Run(name, func(t *testing.T) {
			m, registry := newMetrics(t)
			change := &v1alpha1.SecretChange{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.Unix(1000, 0)}}
			change.Status.DecidedAt, change.Status.AppliedAt = c.decided, c.applied
			for _, s := range c.steps {
				m.Transition(change, s.from, s.to)
			}
			for series, want := range map[string][2]float64{
				metrics.ProposalToDecision + `{decision="Approved"}`: c.approved,
				metrics.ProposalToDecision + `{decision="Rejected"}`: c.rejected,
				metrics.ApprovalToLive:                               c.live,
			} {
				if got := observed(t, registry, series); got != want {
					t.Errorf("%s has %v observations and their sum, want %v", series, got, want)
				}
			}
		})
	}
}

// observed returns how often a histogram was observed, and the sum.
func observed(t *testing.T, registry prometheus.Gatherer, series string) [2]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if h := metric.GetHistogram(); h != nil && strings.HasPrefix(line(family.GetName(), metric), series+" ") {
				return [2]float64{float64(h.GetSampleCount()), h.GetSampleSum()}
			}
		}
	}
	return [2]float64{}
}

func TestTellsWhatIsUnknownFromOtherConflicts(t *testing.T) {
	m, registry := newMetrics(t)
	ended := func(reason string) *v1alpha1.SecretChange {
		c := &v1alpha1.SecretChange{}
		c.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Reason: reason}}
		return c
	}
	names := []string{metrics.Conflicts}
	expect(t, registry, `secretreview_change_conflicts_total{reason="Conflicted"} 0
secretreview_change_conflicts_total{reason="OutcomeUnknown"} 0
`, names...)
	m.Transition(ended(v1alpha1.ReasonConflicted), v1alpha1.PhasePending, v1alpha1.PhaseConflicted)
	m.Transition(ended(v1alpha1.ReasonConflicted), v1alpha1.PhaseApproved, v1alpha1.PhaseConflicted)
	m.Transition(ended(v1alpha1.ReasonOutcomeUnknown), v1alpha1.PhaseApproved, v1alpha1.PhaseConflicted)
	expect(t, registry, `secretreview_change_conflicts_total{reason="Conflicted"} 2
secretreview_change_conflicts_total{reason="OutcomeUnknown"} 1
`, names...)
}

func TestRecordsInventoriesAndWhatFollows(t *testing.T) {
	m, registry := newMetrics(t)
	m.ListFailed(&secretstore.Error{Kind: secretstore.KindDenied})
	m.ListFailed(errors.New("not of AWS"))
	m.ListsEvery(5 * time.Minute)
	m.Listed(time.UnixMilli(1500), 3, 2)
	m.Orphans(1)
	m.Swept(sweep.Delete, sweep.Orphaned, nil)
	m.Swept(sweep.Delete, sweep.Orphaned, &secretstore.Error{Kind: secretstore.KindDenied})
	m.Swept(sweep.Delete, sweep.Orphaned, errors.New("not of AWS"))
	m.Trimmed(4)
	expect(t, registry, `secretreview_inventory_rounds_total{result="AccessDenied"} 1
secretreview_inventory_rounds_total{result="error"} 1
secretreview_inventory_rounds_total{result="ok"} 1
secretreview_inventory_last_success_timestamp_seconds 1.5
secretreview_inventory_interval_seconds 300
secretreview_inventory_secrets{kind="live"} 3
secretreview_inventory_secrets{kind="staged"} 2
secretreview_sweep_orphans 1
secretreview_sweep_actions_total{action="Delete",reason="Orphaned",result="AccessDenied"} 1
secretreview_sweep_actions_total{action="Delete",reason="Orphaned",result="error"} 1
secretreview_sweep_actions_total{action="Delete",reason="Orphaned",result="ok"} 1
secretreview_trimmed_changes_total 4
`, metrics.InventoryRounds, metrics.InventoryTaken, metrics.InventoryInterval, metrics.InventorySecrets, metrics.SweepOrphans, metrics.SweepActions, metrics.TrimmedChanges)
}
