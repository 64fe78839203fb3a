package main

import (
	"context"
	"io"
	"testing"

	"github.com/go-logr/logr"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
)

// TestCountsStayWithinTheirAims runs the sections that count calls, in their quick size: what does not hang on how fast the
// machine is, nor on who else works on it.
func TestCountsStayWithinTheirAims(t *testing.T) {
	ctrllog.SetLogger(logr.Discard())
	chosen, err := choose("calls,idle")
	if err != nil {
		t.Fatal(err)
	}
	r := newReport(io.Discard)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := measure(ctx, options{quick: true}, chosen, r); err != nil {
		t.Fatal(err)
	}
	aimed := 0
	for _, one := range r.Results {
		if one.Met == nil {
			continue
		}
		aimed++
		if !*one.Met {
			t.Errorf("%s: %s: %s, and should be %s", one.Section, one.What, number(one.Value, one.Unit), one.Aim)
		}
	}
	if aimed < 7 {
		t.Errorf("only %d of %d figures have an aim", aimed, len(r.Results))
	}
}

func TestOnlySectionsThatThereAreAreRun(t *testing.T) {
	chosen, err := choose("burst, latency")
	if err != nil || len(chosen) != 2 || chosen[0].name != "latency" {
		t.Errorf("got %v, %v", chosen, err)
	}
	if _, err := choose("latency,speed"); err == nil {
		t.Error("it takes a section that there is not")
	}
}

func TestPercentiles(t *testing.T) {
	for name, tc := range map[string]struct {
		values []float64
		p      float64
		want   float64
	}{
		"of nothing":         {nil, 0.5, 0},
		"the median":         {[]float64{3, 1, 2}, 0.5, 2},
		"the slowest of few": {[]float64{5, 4, 3, 2, 1}, 0.99, 5},
	} {
		t.Run(name, func(t *testing.T) {
			if got := percentile(tc.values, tc.p); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}
