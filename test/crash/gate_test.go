package crash_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/endpoints/request"

	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// call is a call of a manager.
type call struct {
	// project is what it is about, "" if it is about no project, or about all.
	project string
	// what says which call it is, such as "PutSecretValue of live".
	what string
}

// trap catches one call of a manager, which waits until the manager is dead, or until it is let go.
type trap struct {
	// what is the call, "" any; nth which of them since the trap was set, from 1.
	what string
	nth  int
	// after lets the call be carried out, and keeps its answer.
	after bool

	seen   int
	sprung chan struct{}
	freed  chan struct{}
	gone   atomic.Bool
}

// trapAt makes a trap.
func trapAt(what string, nth int, after bool) *trap {
	return &trap{what: what, nth: nth, after: after, sprung: make(chan struct{}), freed: make(chan struct{})}
}

// let carries the call out after all, or gives its answer.
func (t *trap) let() { close(t.freed) }

// holds reports whether the call has come.
func (t *trap) holds() bool {
	select {
	case <-t.sprung:
		return true
	default:
		return false
	}
}

// gate sees each call of a manager on its way to AWS and to the API server. What passes unseen: watches, leases and
// events.
type gate struct {
	mu    sync.Mutex
	calls map[string][]call
	traps map[string]*trap
	// disturb, if set, sees each call first, and says what happens to it.
	disturb func(call) disturbance
	// lag, if set, is waited for before a watch's next event is passed on.
	lag func()
}

// disturbance is what happens to a call on its way.
type disturbance int

const (
	undisturbed disturbance = iota
	// dropped: it does not arrive.
	dropped
	// lost: its answer does not arrive.
	lost
)

// set sets a trap for the next calls about a project, which may be "", and forgets those before. nil sets none.
func (g *gate) set(project string, t *trap) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.calls, project)
	delete(g.traps, project)
	if t != nil {
		g.traps[project] = t
	}
}

// trouble sets what happens to calls, and how late managers see what happens in the cluster.
func (g *gate) trouble(disturb func(call) disturbance, lag func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.disturb, g.lag = disturb, lag
}

// seen are the calls about a project since a trap was set, or none.
func (g *gate) seen(project string) []call {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.calls[project])
}

// enter records a call and says what happens to it.
func (g *gate) enter(c call) (*trap, disturbance) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls[c.project] = append(g.calls[c.project], c)
	how := undisturbed
	if g.disturb != nil {
		how = g.disturb(c)
	}
	t := g.traps[c.project]
	if t == nil || t.holds() || t.what != "" && t.what != c.what {
		return nil, how
	}
	if t.seen++; t.seen < t.nth {
		return nil, how
	}
	close(t.sprung)
	return t, how
}

// pass carries a call out, unless something happens to it.
func (g *gate) pass(w http.ResponseWriter, r *http.Request, c call, target http.Handler) {
	t, how := g.enter(c)
	switch {
	case t != nil:
		t.hold(w, r, target)
	case how == dropped:
		panic(http.ErrAbortHandler)
	case how == lost:
		target.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	default:
		target.ServeHTTP(w, r)
	}
}

// hold keeps the call until its caller is gone.
func (t *trap) hold(w http.ResponseWriter, r *http.Request, target http.Handler) {
	answer := httptest.NewRecorder()
	if t.after {
		target.ServeHTTP(answer, r)
	}
	select {
	case <-r.Context().Done():
		t.gone.Store(true)
		panic(http.ErrAbortHandler)
	case <-t.freed:
	}
	if !t.after {
		target.ServeHTTP(w, r)
		return
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = answer.Body.WriteTo(w)
}

// whole reads the body, so that the server hears of it when the caller is gone.
func whole(r *http.Request) []byte {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body
}

// aws stands before AWS.
func (g *gate) aws(target http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := whole(r)
		g.pass(w, r, awsCall(r, body), target)
	})
}

func awsCall(r *http.Request, body []byte) call {
	operation, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "secretsmanager.")
	if !ok {
		return call{what: "GetCallerIdentity"}
	}
	var in struct{ SecretId, VersionStage string } //nolint:revive // AWS's name
	_ = json.Unmarshal(body, &in)
	name := in.SecretId
	if parts, ok := secretstore.ParseARN(name); ok {
		name = parts.Name
	}
	c := call{what: operation}
	if staged, ok := strings.CutPrefix(name, naming.StagingPrefix(naming.DefaultPrefix)); ok {
		c.project, _, _ = strings.Cut(staged, "/")
		c.what += " of staged"
	} else if live, ok := strings.CutPrefix(name, naming.DefaultPrefix); ok {
		c.project, _, _ = strings.Cut(live, "/")
		c.what += " of live"
	}
	if in.VersionStage != "" {
		c.what += ", label " + kindOf(in.VersionStage)
	}
	return c
}

// kindOf leaves out whose label it is.
func kindOf(label string) string {
	switch _, kept, ours := naming.ParseLabel(label); {
	case kept:
		return naming.KeptPrefix
	case ours:
		return naming.LabelPrefix
	default:
		return label
	}
}

// apiServer stands before the API server.
func (g *gate) apiServer(target http.Handler) http.Handler {
	resolver := &request.RequestInfoFactory{APIPrefixes: sets.NewString("api", "apis"), GrouplessAPIPrefixes: sets.NewString("api")}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info, err := resolver.NewRequestInfo(r)
		switch {
		case err != nil || info.Verb == "watch":
			target.ServeHTTP(&late{w, g}, r)
		case info.Resource == "leases" || info.Resource == "events":
			target.ServeHTTP(w, r)
		default:
			_ = whole(r)
			g.pass(w, r, apiCall(r, info), target)
		}
	})
}

var ofProject = regexp.MustCompile(`spec\.project=([^,]+)`)

func apiCall(r *http.Request, info *request.RequestInfo) call {
	c := call{what: strings.TrimSpace(info.Verb + " " + info.Resource)}
	if info.Subresource != "" {
		c.what += "/" + info.Subresource
	}
	if !info.IsResourceRequest {
		c.what = "get " + info.Path
	}
	if r.URL.Query().Has("dryRun") {
		c.what += ", dry run"
		return c
	}
	if match := ofProject.FindStringSubmatch(r.URL.Query().Get("fieldSelector")); match != nil {
		c.project = match[1]
	}
	if info.APIGroup == "secretreview.dev" && info.Name != "" {
		c.project = projectOf(info.Name)
	}
	return c
}

// late is a ResponseWriter that passes on what is watched, if late.
type late struct {
	http.ResponseWriter
	gate *gate
}

func (l *late) Write(p []byte) (int, error) {
	l.gate.mu.Lock()
	lag := l.gate.lag
	l.gate.mu.Unlock()
	if lag != nil {
		lag()
	}
	return l.ResponseWriter.Write(p)
}

// Unwrap lets the proxy flush.
func (l *late) Unwrap() http.ResponseWriter { return l.ResponseWriter }
