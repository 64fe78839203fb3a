package emulator

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Call is one entry of the call log. It never holds a value.
type Call struct {
	// Sequence counts from 1, from the Emulator's beginning.
	Sequence  int       `json:"sequence"`
	Time      time.Time `json:"time"`
	Operation string    `json:"operation"`
	// Secret is the name of the secret, also where the call gave an ARN.
	Secret string `json:"secret,omitempty"`
	// VersionID is the version that the call makes, reads or moves a label to.
	VersionID string   `json:"versionId,omitempty"`
	Labels    []string `json:"labels,omitempty"`
	// Principal is an ARN, empty if the call was not signed by anybody known.
	Principal   string `json:"principal,omitempty"`
	AccessKeyID string `json:"accessKeyId,omitempty"`
	UserAgent   string `json:"userAgent,omitempty"`
	// Invocation is the same for all attempts that an SDK makes at one call,
	// empty for a client that does not say.
	Invocation string `json:"invocation,omitempty"`
	// Code is the error code, empty for success.
	Code string `json:"code,omitempty"`
	// Fault is what was injected into the call, if anything.
	Fault FaultKind `json:"fault,omitempty"`
}

// Hook sees a call. It runs without the Emulator's lock, so it may wait, and
// may call the Emulator itself.
type Hook func(Call)

// SetHooks sets what runs before each call is carried out, when Code is not
// yet known, and after, before the answer is sent. Either may be nil.
func (e *Emulator) SetHooks(before, after Hook) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.before, e.after = before, after
}

// maxCalls bounds the call log; the oldest entries go first.
const maxCalls = 100_000

// Calls returns the log, oldest first.
func (e *Emulator) Calls() []Call {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.calls)
}

// Invocations keeps the last attempt at each call: an SDK tries again what a
// network loses, which no test can rule out, and that is no call more.
func Invocations(calls []Call) []Call {
	var kept []Call
	at := map[string]int{}
	for _, call := range calls {
		if i, again := at[call.Invocation]; again && call.Invocation != "" {
			kept[i] = call
			continue
		}
		at[call.Invocation] = len(kept)
		kept = append(kept, call)
	}
	return kept
}

// ResetCalls empties the log.
func (e *Emulator) ResetCalls() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = nil
}

// summary is the part of a request that authorization, faults and the log need.
type summary struct {
	SecretId, Name, KmsKeyId                       string
	ClientRequestToken, VersionId, MoveToVersionId string
	VersionStage                                   string
	VersionStages                                  []string
	Tags                                           []tag
	AddReplicaRegions                              []replica
}

func (s *summary) id() string {
	if s.SecretId != "" {
		return s.SecretId
	}
	return s.Name
}

func (s *summary) requestTags() map[string]string {
	return (&secret{tags: s.Tags}).tagMap()
}

func (s *summary) describe(c *Call) {
	c.VersionID = s.ClientRequestToken + s.VersionId + s.MoveToVersionId // at most one is given
	c.Labels = s.VersionStages
	if s.VersionStage != "" {
		c.Labels = []string{s.VersionStage}
	}
}

const targetPrefix = "secretsmanager."

func (e *Emulator) serveCall(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBytes))
	if err != nil {
		writeError(w, "", frontEndFailure("SerializationException", "The request is too long"))
		return
	}
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	if !ok {
		e.serveQuery(w, r, body)
		return
	}
	var s summary
	_ = json.Unmarshal(body, &s) // a body that is not JSON fails when it is carried out
	out, c, requestID := e.carryOut(r, name, &s, func(req *request) (any, error) {
		op, ok := operations[name]
		if !ok {
			return nil, frontEndFailure("UnknownOperationException", "Unknown operation: %s", name)
		}
		if err := e.authorizeCall(req.principal, name, op, &s); err != nil {
			return nil, err
		}
		return op.run(req, body)
	})
	answer(c, func(failed *apiError) {
		if failed != nil {
			writeError(w, requestID, failed)
			return
		}
		writeJSON(w, requestID, http.StatusOK, out)
	})
}

// outcome is a call that was carried out, or not.
type outcome struct {
	failed *apiError
	cut    bool
}

// answer writes the outcome, unless a fault cuts the connection instead.
func answer(o outcome, write func(*apiError)) {
	if o.cut {
		panic(http.ErrAbortHandler)
	}
	write(o.failed)
}

// carryOut authenticates, injects faults, runs and logs one call.
func (e *Emulator) carryOut(r *http.Request, name string, s *summary, run func(*request) (any, error)) (any, outcome, string) {
	e.mu.Lock()
	e.purgeDue()
	e.calledEver++
	c := Call{Sequence: e.calledEver, Time: e.now(), Operation: name, Secret: e.nameOf(s.id()), UserAgent: r.UserAgent(), Invocation: r.Header.Get("Amz-Sdk-Invocation-Id")}
	s.describe(&c)
	principal, authErr := e.authenticate(r)
	if queryOperations[name].unsigned {
		authErr = nil
	}
	if principal != nil {
		c.Principal, c.AccessKeyID = principal.ARN, principal.AccessKeyID
	}
	before, requestID := e.before, e.newUUID()
	e.mu.Unlock()

	if before != nil {
		before(c)
	}
	out, failed, effect := e.underFaults(r, &c, func(stale int) (any, error) {
		if authErr != nil {
			return nil, authErr
		}
		return run(&request{e: e, principal: principal, now: e.now(), stale: stale})
	})
	if failed != nil {
		c.Code = failed.code
	}
	e.mu.Lock()
	e.log(c)
	after := e.after
	e.mu.Unlock()
	if after != nil {
		after(c)
	}
	return out, outcome{failed: failed, cut: effect.cuts()}, requestID
}

func (e *Emulator) log(c Call) {
	if len(e.calls) >= maxCalls {
		e.calls = slices.Delete(e.calls, 0, maxCalls/10)
	}
	e.calls = append(e.calls, c)
}

func asFailure(err error) *apiError {
	if err == nil {
		return nil
	}
	var failed *apiError
	if errors.As(err, &failed) {
		return failed
	}
	return &apiError{code: "InternalServiceError", message: err.Error(), status: http.StatusInternalServerError}
}
