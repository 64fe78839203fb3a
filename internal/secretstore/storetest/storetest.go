// Package storetest is the contract of secretstore.Store: what its comments
// promise and what the system relies on, as cases that run against anything
// that speaks the Secrets Manager protocol.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// Harness is what the suite runs against.
type Harness struct {
	Store secretstore.Store
	// Name stands in what Run returns.
	Name string
	// Prefix begins the name of every secret made. It must be this run's own:
	// what is found under it is deleted.
	Prefix string
	// KMSKeyID is a customer's key to encrypt with; without one, the cases that
	// need one are skipped.
	KMSKeyID string
	// Moto says that the cases that moto answers otherwise than AWS are skipped.
	Moto bool
	// Sleep lets time pass where an answer may lag, and Patience is how much.
	Sleep    func(time.Duration)
	Patience time.Duration
	// The rest makes a secret what only AWS itself can make it. Where they are
	// nil, the cases that need them are skipped.
	OwnedBy   func(t *testing.T, id, service string)
	ReplicaOf func(t *testing.T, id, primaryRegion string)
}

// Case is one promise.
type Case struct {
	// MotoUnfaithful says how moto differs from AWS here.
	MotoUnfaithful string
	// Needs says what the harness must have, and whether it has it.
	Needs func(Harness) (what string, has bool)
	Run   func(*testing.T, *Bench)
}

// Run runs every case and returns how many ran and how many were skipped, in a
// sentence.
func Run(t *testing.T, h Harness) string {
	var ran, skipped atomic.Int32
	for _, group := range []map[string]Case{creating, reading, putting, moving, deleting, listing} {
		for _, name := range slices.Sorted(maps.Keys(group)) {
			c := group[name]
			t.Run(name, func(t *testing.T) {
				if reason := c.skip(h); reason != "" {
					skipped.Add(1)
					t.Skip(reason)
				}
				ran.Add(1)
				c.Run(t, &Bench{T: t, Harness: h})
			})
		}
	}
	return fmt.Sprintf("contract on %s: %d cases ran, %d skipped", h.Name, ran.Load(), skipped.Load())
}

func (c Case) skip(h Harness) string {
	if h.Moto && c.MotoUnfaithful != "" {
		return "moto differs from AWS: " + c.MotoUnfaithful
	}
	if c.Needs != nil {
		if what, has := c.Needs(h); !has {
			return "needs " + what
		}
	}
	return ""
}

// Bench is what a case works with.
type Bench struct {
	*testing.T
	Harness
}

func (b *Bench) ctx() context.Context { return b.Context() }

// name is a new name for a secret, which is deleted when the case ends.
func (b *Bench) name(suffix string) string {
	name := b.Prefix + uuid.NewString()[:8] + suffix
	b.tidy(name)
	return name
}

// tidy deletes a secret when the case ends.
func (b *Bench) tidy(name string) {
	b.Cleanup(func() {
		err := b.Store.Delete(context.Background(), secretstore.DeleteInput{ID: name})
		if err != nil && secretstore.KindOf(err) != secretstore.KindInvalidInput {
			b.Errorf("%s was left: %v", name, err)
		}
	})
}

// secret makes a secret with a value and returns its name and first VersionId.
func (b *Bench) secret(value string) (name, version string) {
	b.Helper()
	name, version = b.name(""), uuid.NewString()
	b.create(secretstore.CreateInput{Name: name, VersionID: version, Value: sensitive.New(value)})
	return name, version
}

func (b *Bench) create(in secretstore.CreateInput) secretstore.Version {
	b.Helper()
	v, err := b.Store.Create(b.ctx(), in)
	if err != nil {
		b.Fatal(err)
	}
	return v
}

// put adds a version and returns its VersionId.
func (b *Bench) put(id, value string, labels ...string) string {
	b.Helper()
	version := uuid.NewString()
	if err := b.tryPut(id, version, value, labels...); err != nil {
		b.Fatal(err)
	}
	return version
}

func (b *Bench) tryPut(id, version, value string, labels ...string) error {
	return b.Store.Put(b.ctx(), secretstore.PutInput{ID: id, VersionID: version, Value: sensitive.New(value), Labels: labels})
}

func (b *Bench) move(id, label, from, to string) error {
	return b.Store.MoveLabel(b.ctx(), secretstore.MoveLabelInput{ID: id, Label: label, From: from, To: to})
}

func (b *Bench) mustMove(id, label, from, to string) {
	b.Helper()
	if err := b.move(id, label, from, to); err != nil {
		b.Fatal(err)
	}
}

func (b *Bench) describe(id string) secretstore.Secret {
	b.Helper()
	s, err := b.Store.Describe(b.ctx(), id)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// labels compares every labelled version, as they are once they have settled.
func (b *Bench) labels(id string, want map[string][]string) {
	b.Helper()
	b.eventually(func() error {
		got, err := b.Store.Describe(b.ctx(), id)
		if err != nil {
			return err
		}
		if !maps.EqualFunc(got.Versions, want, func(a, w []string) bool { return slices.Equal(a, slices.Sorted(slices.Values(w))) }) {
			return fmt.Errorf("labels are %v, want %v", got.Versions, want)
		}
		return nil
	})
}

// holds compares a version's value.
func (b *Bench) holds(in secretstore.GetInput, want string) {
	b.Helper()
	v, err := b.Store.Get(b.ctx(), in)
	if err != nil {
		b.Fatal(err)
	}
	if v.Value.Reveal() != want {
		b.Fatalf("the value read by %+v is not the one written", in)
	}
}

func (b *Bench) wantKind(err error, kinds ...secretstore.Kind) {
	b.Helper()
	if !slices.Contains(kinds, secretstore.KindOf(err)) {
		b.Fatalf("the error is %v of kind %q, want %q", err, secretstore.KindOf(err), kinds)
	}
	var e *secretstore.Error
	if errors.As(err, &e) && e.Op == "" {
		b.Fatalf("the error does not say what was called: %v", err)
	}
}

// eventually asks again until the answer has settled or patience ends.
func (b *Bench) eventually(check func() error) {
	b.Helper()
	const pause = 2 * time.Second
	err := check()
	for waited := time.Duration(0); err != nil && waited < b.Patience; waited += pause {
		b.Sleep(pause)
		err = check()
	}
	if err != nil {
		b.Fatal(err)
	}
}

func needsKey(h Harness) (string, bool) { return "a customer's KMS key", h.KMSKeyID != "" }

func needsOwner(h Harness) (string, bool) {
	return "a secret that a service owns, which only AWS can make", h.OwnedBy != nil
}

func needsReplica(h Harness) (string, bool) {
	return "a replica, which only AWS can make", h.ReplicaOf != nil
}
