// Package emulator serves AWS Secrets Manager in memory, over HTTP and in the
// service's own wire protocol (JSON 1.1), with as much of STS as tells a caller
// who they are, and as much of CloudFormation as tells a stack's outputs. Any client of the real service can use it: the SDKs, the aws
// CLI, curl. It keeps the service's limits and its rules for labels, tokens and
// deletion, which come from its API reference and from answers recorded from
// it, and it can be told to fail in the ways that the real one does.
//
// It is for tests and for trying things out. It reads the access key id of a
// request's signature and believes it: never give it a port that others reach.
package emulator

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Defaults of Options.
const (
	DefaultRegion    = "us-east-1"
	DefaultAccountID = "123456789012"
)

// Options configure an Emulator; the zero value works.
type Options struct {
	// Clock tells the time; nil means time.Now. Advance moves it further.
	Clock func() time.Time
	// Region and AccountID stand in every ARN. A request signed for another
	// region is refused.
	Region, AccountID string
	// Principals may call. Empty means that everybody may do everything, each
	// access key being a user of its own name.
	Principals []Principal
	// ForceDeleteDelay is how long a secret that was deleted by force is still
	// seen, as scheduled for deletion, and keeps its name taken. The real
	// service takes some seconds; 0 means at once.
	ForceDeleteDelay time.Duration
	// Seed makes the random part of ARNs and ids repeatable; 0 picks one.
	Seed uint64
}

// Emulator is an http.Handler. It is safe for concurrent use.
type Emulator struct {
	region, account  string
	forceDeleteDelay time.Duration
	clock            func() time.Time

	mu         sync.Mutex
	offset     time.Duration
	random     *rand.Rand
	created    int
	secrets    map[string]*secret
	history    []change
	principals map[string]*Principal
	stacks     map[string]Stack
	faults     faults
	calls      []Call
	calledEver int
	asked      map[string]Asked
	before     Hook
	after      Hook
}

// New returns an Emulator that holds no secrets.
func New(o Options) *Emulator {
	e := &Emulator{
		region:           o.Region,
		account:          o.AccountID,
		forceDeleteDelay: o.ForceDeleteDelay,
		clock:            o.Clock,
		secrets:          map[string]*secret{},
		asked:            map[string]Asked{},
	}
	if e.region == "" {
		e.region = DefaultRegion
	}
	if e.account == "" {
		e.account = DefaultAccountID
	}
	if e.clock == nil {
		e.clock = time.Now //nolint:forbidigo // the default of an injected clock
	}
	seed := o.Seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	e.random = rand.New(rand.NewPCG(seed, seed))
	e.SetPrincipals(o.Principals)
	return e
}

// Region is the region that the Emulator stands for.
func (e *Emulator) Region() string { return e.region }

// AccountID is the account that owns every secret.
func (e *Emulator) AccountID() string { return e.account }

// Advance moves the Emulator's clock forward, on top of Options.Clock.
func (e *Emulator) Advance(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.offset += d
}

// now must be called with mu held.
func (e *Emulator) now() time.Time { return e.clock().Add(e.offset).UTC() }

// ServeHTTP answers one call, or one request to the administration paths.
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, AdminPath) {
		e.serveAdmin(w, r)
		return
	}
	e.serveCall(w, r)
}
