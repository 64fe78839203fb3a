package emulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// AdminPath begins the paths of the administration interface, which takes and
// gives JSON, asks for no credentials, and never gives a value:
//
//	GET    /_emulator/health       region and account
//	GET    /_emulator/calls        the call log; DELETE empties it
//	GET    /_emulator/asked        the rights that calls needed and had
//	GET    /_emulator/faults       faults left; POST adds one, DELETE removes all
//	PUT    /_emulator/principals   a list of Principals
//	PUT    /_emulator/stacks       a list of Stacks
//	GET    /_emulator/secrets      what there is, with labels and tags
//	POST   /_emulator/state        {"secret": name, ...State}
//	POST   /_emulator/clock        {"advance": "24h"}
const AdminPath = "/_emulator/"

// adminCall decodes a request's body, if it has one, and returns the answer.
type adminCall func(e *Emulator, decode func(any) error) (any, error)

var adminCalls = map[string]adminCall{
	"GET health":     func(e *Emulator, _ func(any) error) (any, error) { return e.health(), nil },
	"GET calls":      func(e *Emulator, _ func(any) error) (any, error) { return orEmpty(e.Calls()), nil },
	"DELETE calls":   func(e *Emulator, _ func(any) error) (any, error) { e.ResetCalls(); return nothing{}, nil },
	"GET asked":      func(e *Emulator, _ func(any) error) (any, error) { return e.Asked(), nil },
	"GET faults":     func(e *Emulator, _ func(any) error) (any, error) { return orEmpty(e.Faults()), nil },
	"POST faults":    postFault,
	"DELETE faults":  func(e *Emulator, _ func(any) error) (any, error) { e.ClearFaults(); return nothing{}, nil },
	"PUT principals": putPrincipals,
	"PUT stacks":     putStacks,
	"GET secrets":    func(e *Emulator, _ func(any) error) (any, error) { return e.Secrets(), nil },
	"POST state":     postState,
	"POST clock":     postClock,
}

func (e *Emulator) serveAdmin(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	call, ok := adminCalls[r.Method+" "+strings.TrimPrefix(r.URL.Path, AdminPath)]
	if !ok {
		http.Error(w, `{"error":"no such path or method"}`, http.StatusNotFound)
		return
	}
	out, err := call(e, func(into any) error {
		return json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequestBytes)).Decode(into)
	})
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		out = map[string]string{"error": err.Error()}
	}
	_ = json.NewEncoder(w).Encode(out)
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func (e *Emulator) health() any {
	return map[string]string{"status": "ok", "region": e.region, "accountId": e.account}
}

func postFault(e *Emulator, decode func(any) error) (any, error) {
	var in struct {
		Fault
		Delay string `json:"delay"`
	}
	if err := decode(&in); err != nil {
		return nil, err
	}
	if !slices.Contains(faultKinds, in.Kind) {
		return nil, fmt.Errorf("there is no fault of kind %q, only %q", in.Kind, faultKinds)
	}
	if in.Delay != "" {
		delay, err := time.ParseDuration(in.Delay)
		if err != nil {
			return nil, err
		}
		in.Fault.Delay = delay
	}
	e.Inject(in.Fault)
	return nothing{}, nil
}

func putPrincipals(e *Emulator, decode func(any) error) (any, error) {
	var in []Principal
	if err := decode(&in); err != nil {
		return nil, err
	}
	e.SetPrincipals(in)
	return nothing{}, nil
}

func putStacks(e *Emulator, decode func(any) error) (any, error) {
	var in []Stack
	if err := decode(&in); err != nil {
		return nil, err
	}
	e.SetStacks(in)
	return nothing{}, nil
}

func postState(e *Emulator, decode func(any) error) (any, error) {
	var in struct {
		Secret string `json:"secret"`
		State
	}
	if err := decode(&in); err != nil {
		return nil, err
	}
	return nothing{}, e.SetState(in.Secret, in.State)
}

func postClock(e *Emulator, decode func(any) error) (any, error) {
	var in struct {
		Advance string `json:"advance"`
	}
	if err := decode(&in); err != nil {
		return nil, err
	}
	d, err := time.ParseDuration(in.Advance)
	if err != nil {
		return nil, err
	}
	e.Advance(d)
	return nothing{}, nil
}
