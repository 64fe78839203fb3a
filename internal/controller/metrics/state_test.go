package metrics_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/secretreview/secretreview/internal/controller/metrics"
	"github.com/secretreview/secretreview/internal/guard"
)

type weak struct{}

func (weak) State() guard.State { return guard.State{} }

func TestShowsNoStateBeforeItLeads(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(&metrics.State{Tally: &metrics.Tally{}, Guard: weak{}, Elected: make(chan struct{})}); err != nil {
		t.Fatal(err)
	}
	if families, err := registry.Gather(); len(families) != 0 || err != nil {
		t.Errorf("shows %v, %v", families, err)
	}
}
