// Package cache remembers the values of versions for a short while, so that a
// change that is looked at again and again does not read the same bytes each
// time: a version's content never changes. What does change, which labels a
// version bears and which version is live, is always asked for.
package cache

import (
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/secretreview/secretreview/internal/secretstore"
)

// Defaults of Options.
const (
	DefaultTTL      = 5 * time.Minute
	DefaultMaxBytes = 8 << 20
)

// Options bound what is remembered.
type Options struct {
	// TTL is how long a value is used after it was read or written; default
	// DefaultTTL. For that long a right to read that was taken away, or a secret
	// that somebody else deleted, may go unseen.
	TTL time.Duration
	// MaxBytes bounds the values together; default DefaultMaxBytes. The oldest
	// go first.
	MaxBytes int
	// Now tells the time; default time.Now.
	Now func() time.Time
}

// Store is a secretstore.Store in front of another.
type Store struct {
	secretstore.Store
	options Options

	mu      sync.Mutex
	entries map[key]*list.Element // of *entry
	byAge   *list.List            // the oldest first
	bytes   int
	// drops counts what was forgotten: a value that was asked for before must
	// not be remembered after.
	drops int
}

type key struct{ id, version string }

type entry struct {
	key     key
	value   secretstore.Version
	expires time.Time
}

var _ secretstore.Store = (*Store)(nil)

// New returns a Store that remembers what passes between its user and behind.
func New(behind secretstore.Store, o Options) *Store {
	if o.TTL == 0 {
		o.TTL = DefaultTTL
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the default of an injected clock
	}
	return &Store{Store: behind, options: o, entries: map[key]*list.Element{}, byAge: list.New()}
}

// Get answers from memory if a VersionID alone is asked for, by the same ID as
// before; such an answer has no Labels, because they move.
func (s *Store) Get(ctx context.Context, in secretstore.GetInput) (secretstore.Version, error) {
	if in.VersionID != "" && in.Label == "" {
		if v, ok := s.recall(key{in.ID, in.VersionID}); ok {
			return v, nil
		}
	}
	before := s.dropCount()
	v, err := s.Store.Get(ctx, in)
	if err != nil {
		return v, s.failed(in.ID, err)
	}
	s.remember(in.ID, v, before)
	return v, nil
}

// Put remembers a value once it is written.
func (s *Store) Put(ctx context.Context, in secretstore.PutInput) error {
	before := s.dropCount()
	if err := s.Store.Put(ctx, in); err != nil {
		return s.failed(in.ID, err)
	}
	v := secretstore.Version{VersionID: in.VersionID, Value: in.Value}
	if parts, ok := secretstore.ParseARN(in.ID); ok {
		v.ARN, v.Name = in.ID, parts.Name
	} else {
		v.Name = in.ID
	}
	s.remember(in.ID, v, before)
	return nil
}

// Describe forgets a secret that is not found.
func (s *Store) Describe(ctx context.Context, id string) (secretstore.Secret, error) {
	out, err := s.Store.Describe(ctx, id)
	return out, s.failed(id, err)
}

// MoveLabel forgets a secret that is not found.
func (s *Store) MoveLabel(ctx context.Context, in secretstore.MoveLabelInput) error {
	return s.failed(in.ID, s.Store.MoveLabel(ctx, in))
}

// Delete forgets the secret, whether it succeeds or not.
func (s *Store) Delete(ctx context.Context, in secretstore.DeleteInput) error {
	s.forget(in.ID)
	err := s.Store.Delete(ctx, in)
	s.forget(in.ID)
	return err
}

// failed forgets a secret, or a version of it, that does not exist.
func (s *Store) failed(id string, err error) error {
	if secretstore.KindOf(err) == secretstore.KindNotFound {
		s.forget(id)
	}
	return err
}

func (s *Store) recall(k key) (secretstore.Version, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	element, ok := s.entries[k]
	if !ok {
		return secretstore.Version{}, false
	}
	return element.Value.(*entry).value, true
}

func (s *Store) remember(id string, v secretstore.Version, before int) {
	if v.VersionID == "" || v.Value.Len() > s.options.MaxBytes {
		return
	}
	v.Labels = nil
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drops != before {
		return
	}
	k := key{id, v.VersionID}
	if old, ok := s.entries[k]; ok {
		s.remove(old)
	}
	s.entries[k] = s.byAge.PushBack(&entry{key: k, value: v, expires: s.options.Now().Add(s.options.TTL)})
	s.bytes += v.Value.Len()
	s.expire()
	for s.bytes > s.options.MaxBytes {
		s.remove(s.byAge.Front())
	}
}

// expire removes what is too old; all entries live equally long.
func (s *Store) expire() {
	now := s.options.Now()
	for oldest := s.byAge.Front(); oldest != nil && !now.Before(oldest.Value.(*entry).expires); oldest = s.byAge.Front() {
		s.remove(oldest)
	}
}

func (s *Store) remove(element *list.Element) {
	e := s.byAge.Remove(element).(*entry)
	delete(s.entries, e.key)
	s.bytes -= e.value.Value.Len()
}

// forget removes every version of a secret, by whichever ID it was read.
func (s *Store) forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drops++
	name := nameOf(id)
	for k, element := range s.entries {
		if nameOf(k.id) == name {
			s.remove(element)
		}
	}
}

func (s *Store) dropCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.drops
}

func nameOf(id string) string {
	if parts, ok := secretstore.ParseARN(id); ok {
		return parts.Name
	}
	return id
}
