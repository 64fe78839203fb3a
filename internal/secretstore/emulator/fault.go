package emulator

import (
	"net/http"
	"slices"
	"time"
)

// FaultKind is a way to fail.
type FaultKind string

const (
	// FaultThrottle answers ThrottlingException.
	FaultThrottle FaultKind = "throttle"
	// FaultInternal answers InternalServiceError, status 500.
	FaultInternal FaultKind = "internal"
	// FaultUnavailable answers ServiceUnavailable, status 503.
	FaultUnavailable FaultKind = "unavailable"
	// FaultDeny answers AccessDeniedException.
	FaultDeny FaultKind = "deny"
	// FaultError answers Fault.Code, status 400.
	FaultError FaultKind = "error"
	// FaultDelay waits for Fault.Delay, then goes on, to other faults as well.
	FaultDelay FaultKind = "delay"
	// FaultDrop cuts the connection; nothing was done.
	FaultDrop FaultKind = "drop"
	// FaultLose carries the call out, then cuts the connection.
	FaultLose FaultKind = "lose"
	// FaultStale answers a reading call from the state as it was
	// Fault.ChangesAgo changes ago, or Fault.Age ago, of at most 256 changes.
	FaultStale FaultKind = "stale"
)

var faultKinds = []FaultKind{
	FaultThrottle, FaultInternal, FaultUnavailable, FaultDeny, FaultError,
	FaultDelay, FaultDrop, FaultLose, FaultStale,
}

// Fault says which calls fail, how and how often.
type Fault struct {
	Kind FaultKind `json:"kind"`
	// Operations are names such as PutSecretValue; none means any.
	Operations []string `json:"operations,omitempty"`
	// Secret is a pattern on the secret's name, as in Rule; empty means any.
	Secret string `json:"secret,omitempty"`
	// Principal is a pattern on the caller's ARN; empty means any.
	Principal string `json:"principal,omitempty"`
	// Skip lets the first calls that match pass.
	Skip int `json:"skip,omitempty"`
	// Count is how many calls fail; 0 means all, until the fault is removed.
	Count int `json:"count,omitempty"`
	// PerSecond lets so many matching calls pass in each second of the clock, and
	// strikes only those above: a service's quota. 0 lets none pass.
	PerSecond int `json:"perSecond,omitempty"`

	Code       string        `json:"code,omitempty"`
	Delay      time.Duration `json:"-"`
	ChangesAgo int           `json:"changesAgo,omitempty"`
	// Age goes before ChangesAgo.
	Age time.Duration `json:"-"`
}

type injected struct {
	Fault
	id, matched int
	// passed counts the calls that passed in second.
	passed int
	second time.Time
}

type faults struct {
	lastID int
	active []*injected
}

// Inject adds a fault, and returns what removes it. Of several that match a
// call, the one added first counts.
func (e *Emulator) Inject(f Fault) (remove func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults.lastID++
	id := e.faults.lastID
	e.faults.active = append(e.faults.active, &injected{Fault: f, id: id})
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.faults.active = slices.DeleteFunc(e.faults.active, func(i *injected) bool { return i.id == id })
	}
}

// ClearFaults removes all faults.
func (e *Emulator) ClearFaults() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults.active = nil
}

// Faults returns those that can still strike.
func (e *Emulator) Faults() []Fault {
	e.mu.Lock()
	defer e.mu.Unlock()
	var left []Fault
	for _, i := range e.faults.active {
		left = append(left, i.Fault)
	}
	return left
}

func (f Fault) matches(c Call) bool {
	return (len(f.Operations) == 0 || slices.Contains(f.Operations, c.Operation)) &&
		(f.Secret == "" || glob(f.Secret, c.Secret)) &&
		(f.Principal == "" || glob(f.Principal, c.Principal))
}

// allows lets a call pass that is within PerSecond, and counts it.
func (i *injected) allows(now time.Time) bool {
	if second := now.Truncate(time.Second); !second.Equal(i.second) {
		i.second, i.passed = second, 0
	}
	if i.passed >= i.PerSecond {
		return false
	}
	i.passed++
	return true
}

// take returns the delay and the one other fault that a call meets, and uses
// them up.
func (f *faults) take(c Call) (delay time.Duration, strike Fault) {
	f.active = slices.DeleteFunc(f.active, func(i *injected) bool {
		if !i.matches(c) || i.Kind != FaultDelay && strike.Kind != "" {
			return false
		}
		if i.allows(c.Time) {
			return false
		}
		i.matched++
		if i.matched <= i.Skip {
			return false
		}
		if i.Kind == FaultDelay {
			delay += i.Delay
		} else {
			strike = i.Fault
		}
		return i.Count > 0 && i.matched >= i.Skip+i.Count
	})
	return delay, strike
}

func (k FaultKind) cuts() bool { return k == FaultDrop || k == FaultLose }

var faultAnswers = map[FaultKind]*apiError{
	FaultThrottle:    {code: "ThrottlingException", message: "Rate exceeded", status: http.StatusBadRequest, unmodelled: true},
	FaultInternal:    {code: "InternalServiceError", message: "An error occurred on the server side.", status: http.StatusInternalServerError},
	FaultUnavailable: {code: "ServiceUnavailable", message: "The service is temporarily unavailable.", status: http.StatusServiceUnavailable, unmodelled: true},
	FaultDeny:        {code: "AccessDeniedException", message: "User is not authorized to perform this action.", status: http.StatusBadRequest, unmodelled: true},
	FaultDrop:        {code: "Dropped", message: "the connection was cut before the call", status: http.StatusServiceUnavailable},
}

// underFaults runs a call, or what strikes it instead.
func (e *Emulator) underFaults(r *http.Request, c *Call, run func(stale int) (any, error)) (any, *apiError, FaultKind) {
	e.mu.Lock()
	delay, strike := e.faults.take(*c)
	e.mu.Unlock()
	c.Fault = strike.Kind
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return nil, faultAnswers[FaultDrop], FaultDrop
		}
	}
	if strike.Kind == FaultError {
		return nil, frontEndFailure(strike.Code, "This error was injected."), strike.Kind
	}
	if failed := faultAnswers[strike.Kind]; failed != nil {
		return nil, failed, strike.Kind
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	out, err := run(e.changesAgo(strike))
	return out, asFailure(err), strike.Kind
}
