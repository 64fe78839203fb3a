package aws_test

import (
	"maps"
	"sync"
	"testing"

	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/secretstore/aws"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

func TestEachAttemptIsReportedWithOneOfFewCodes(t *testing.T) {
	for name, c := range map[string]struct {
		fault emulator.Fault
		want  map[string]int
	}{
		"answered at once":             {want: map[string]int{"ok": 1}},
		"throttled twice":              {emulator.Fault{Kind: emulator.FaultThrottle, Count: 2}, map[string]int{"ThrottlingException": 2, "ok": 1}},
		"failing once":                 {emulator.Fault{Kind: emulator.FaultInternal, Count: 1}, map[string]int{"InternalServiceError": 1, "ok": 1}},
		"denied":                       {emulator.Fault{Kind: emulator.FaultDeny}, map[string]int{"AccessDeniedException": 1}},
		"cut off once":                 {emulator.Fault{Kind: emulator.FaultDrop, Count: 1}, map[string]int{"unanswered": 1, "ok": 1}},
		"refused with a code of today": {emulator.Fault{Kind: emulator.FaultError, Code: "MadeUpYesterdayException"}, map[string]int{"other": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			e, _, url, _, _ := live(t)
			if c.fault.Kind != "" {
				e.Inject(c.fault)
			}
			var mu sync.Mutex
			got := map[string]int{}
			o := quick(url)
			o.OnRequest = func(op, code string) {
				mu.Lock()
				defer mu.Unlock()
				if op != "DescribeSecret" {
					t.Errorf("reported a request for %s", op)
				}
				got[code]++
			}
			_, _ = adapt(t, o).Describe(t.Context(), "live")
			if !maps.Equal(got, c.want) {
				t.Errorf("reported %v, want %v", got, c.want)
			}
		})
	}
}

func TestWhatIsNotSentIsNoRequest(t *testing.T) {
	o := quick("http://secrets.example.com")
	o.OnRequest = func(op, code string) { t.Errorf("reported %s, %s", op, code) }
	if _, err := adapt(t, o).Describe(t.Context(), "live"); err == nil {
		t.Error("an insecure address was asked")
	}
}

func TestAMoveIsReportedThoughItIsNotTriedAgain(t *testing.T) {
	e, _, url, first, second := live(t)
	e.Inject(emulator.Fault{Kind: emulator.FaultInternal})
	var codes []string
	o := quick(url)
	o.OnRequest = func(_, code string) { codes = append(codes, code) }
	if err := adapt(t, o).MoveLabel(t.Context(), secretstore.MoveLabelInput{ID: "live", Label: secretstore.LabelCurrent, From: first, To: second}); err == nil {
		t.Error("it moved")
	}
	if len(codes) != 1 || codes[0] == aws.CodeOK {
		t.Errorf("reported %v", codes)
	}
}
