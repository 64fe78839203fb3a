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
	"github.com/secretreview/secretreview/internal/guard"
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

func TestCountsTransitionsWithoutNamingAnybody(t *testing.T) {
	m, registry := newMetrics(t)
	decided, applied := metav1.NewMicroTime(time.Unix(100, 0)), metav1.NewMicroTime(time.Unix(103, 0))
	c := &v1alpha1.SecretChange{Spec: v1alpha1.SecretChangeSpec{Project: "made-up"}}
	m.Transition(c, "", v1alpha1.PhasePending)
	c.Status.DecidedAt, c.Status.AppliedAt = &decided, &applied
	m.Transition(c, v1alpha1.PhaseApproved, v1alpha1.PhaseApplied)
	expect(t, registry, `secretreview_change_transitions_total{from="Approved",to="Applied"} 1
secretreview_change_transitions_total{from="None",to="Pending"} 1
`, metrics.Transitions)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != metrics.ApprovalToLive {
			continue
		}
		if h := family.GetMetric()[0].GetHistogram(); h.GetSampleCount() != 1 || h.GetSampleSum() != 3 {
			t.Errorf("got %v", h)
		}
	}
}

func TestRecordsInventoriesAndWhatFollows(t *testing.T) {
	m, registry := newMetrics(t)
	m.ListFailed(&secretstore.Error{Kind: secretstore.KindDenied})
	m.ListFailed(errors.New("not of AWS"))
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
secretreview_inventory_secrets{kind="live"} 3
secretreview_inventory_secrets{kind="staged"} 2
secretreview_sweep_orphans 1
secretreview_sweep_actions_total{action="Delete",reason="Orphaned",result="AccessDenied"} 1
secretreview_sweep_actions_total{action="Delete",reason="Orphaned",result="error"} 1
secretreview_sweep_actions_total{action="Delete",reason="Orphaned",result="ok"} 1
secretreview_trimmed_changes_total 4
`, metrics.InventoryRounds, metrics.InventoryTaken, metrics.InventorySecrets, metrics.SweepOrphans, metrics.SweepActions, metrics.TrimmedChanges)
}

type weak struct{}

func (weak) State() guard.State { return guard.State{} }

func TestShowsNoStateBeforeItLeads(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(&metrics.State{Guard: weak{}, Elected: make(chan struct{})}); err != nil {
		t.Fatal(err)
	}
	if families, err := registry.Gather(); len(families) != 0 || err != nil {
		t.Errorf("shows %v, %v", families, err)
	}
}
