package emulator

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// A secret in the map is never changed, but replaced by a changed copy: so an
// old answer can be given again, and a failed call leaves nothing half done.
type secret struct {
	arn, name, description, kmsKey string
	// serial orders secrets by their creation.
	serial                       int
	created, changed, accessed   time.Time
	deleted, purge               time.Time
	forced                       bool
	owningService, primaryRegion string
	// tags is nil until the first tag, and empty after the last is taken off.
	tags     []tag
	versions []*version
	policy   string
	replicas []replica
	rotation rotation
	// currents are the versions that AWSCURRENT was on, in that order.
	currents []string
}

type version struct {
	id string
	// value is the SecretString, or the SecretBinary in base64.
	value             sensitive.Value
	binary            bool
	kmsKey            string
	created, accessed time.Time
	labels            []string
}

type tag struct{ Key, Value string }

type replica struct {
	Region, KmsKeyId, Status, StatusMessage string
}

type rotation struct {
	enabled       bool
	lambda        string
	days          int64
	last, planned time.Time
}

// change is one entry of the history: what a name stood for before.
type change struct {
	name   string
	before *secret
	at     time.Time
}

// maxHistory bounds how far back a stale answer can go.
const maxHistory = 256

func (s *secret) clone() *secret {
	c := *s
	c.tags = slices.Clone(s.tags)
	c.replicas = slices.Clone(s.replicas)
	c.currents = slices.Clone(s.currents)
	c.versions = make([]*version, len(s.versions))
	for i, v := range s.versions {
		w := *v
		w.labels = slices.Clone(v.labels)
		c.versions[i] = &w
	}
	return &c
}

func (s *secret) version(id string) *version {
	for _, v := range s.versions {
		if v.id == id {
			return v
		}
	}
	return nil
}

func (s *secret) holder(label string) *version {
	for _, v := range s.versions {
		if slices.Contains(v.labels, label) {
			return v
		}
	}
	return nil
}

func (s *secret) labels() map[string][]string {
	labels := map[string][]string{}
	for _, v := range s.versions {
		if len(v.labels) > 0 {
			labels[v.id] = v.labels
		}
	}
	return labels
}

func (s *secret) inDeletion() bool { return !s.deleted.IsZero() }

func (s *secret) tagMap() map[string]string {
	m := map[string]string{}
	for _, t := range s.tags {
		m[t.Key] = t.Value
	}
	return m
}

// view is the state as it was some changes ago.
func (e *Emulator) view(changesAgo int) map[string]*secret {
	if changesAgo <= 0 {
		return e.secrets
	}
	old := make(map[string]*secret, len(e.secrets))
	for name, s := range e.secrets {
		old[name] = s
	}
	for i := len(e.history) - 1; i >= 0 && changesAgo > 0; i-- {
		c := e.history[i]
		if c.before == nil {
			delete(old, c.name)
		} else {
			old[c.name] = c.before
		}
		changesAgo--
	}
	return old
}

// changesAgo is how far back a fault's stale answers go.
func (e *Emulator) changesAgo(f Fault) int {
	if f.Age == 0 {
		return f.ChangesAgo
	}
	since, n := e.now().Add(-f.Age), 0
	for i := len(e.history) - 1; i >= 0 && e.history[i].at.After(since); i-- {
		n++
	}
	return n
}

// put replaces what a name stands for; nil removes it.
func (e *Emulator) put(name string, s *secret) {
	e.history = append(e.history, change{name: name, before: e.secrets[name], at: e.now()})
	if len(e.history) > maxHistory {
		e.history = slices.Clone(e.history[len(e.history)-maxHistory:])
	}
	if s == nil {
		delete(e.secrets, name)
		return
	}
	if current := s.holder(labelCurrent); current != nil && (len(s.currents) == 0 || s.currents[len(s.currents)-1] != current.id) {
		s.currents = append(s.currents, current.id)
	}
	e.secrets[name] = s
}

// purgeDue removes the secrets whose recovery window is over.
func (e *Emulator) purgeDue() {
	now := e.now()
	for name, s := range e.secrets {
		if s.inDeletion() && !now.Before(s.purge) {
			e.put(name, nil)
		}
	}
}

// find looks a secret up by name, ARN, or an ARN without its random ending. An
// ARN that could be a whole one is taken for one: a name that ends in a hyphen
// and six characters cannot be found by a partial ARN, as on the real service.
func (e *Emulator) find(secrets map[string]*secret, id string) *secret {
	if !strings.HasPrefix(id, "arn:") {
		return secrets[id]
	}
	if parts, ok := secretstore.ParseARN(id); ok {
		if s := secrets[parts.Name]; s != nil && s.arn == id {
			return s
		}
		if hasRandomEnding(id) {
			return nil
		}
	}
	for _, s := range secrets {
		if strings.HasPrefix(s.arn, id+"-") && len(s.arn) == len(id)+1+randomEnding {
			return s
		}
	}
	return nil
}

// nameOf turns what a request names into the name of a secret, whether it
// exists or not.
func (e *Emulator) nameOf(id string) string {
	if s := e.find(e.secrets, id); s != nil {
		return s.name
	}
	if parts, ok := secretstore.ParseARN(id); ok {
		return parts.Name
	}
	return id
}

const randomEnding = 6

func hasRandomEnding(arn string) bool {
	cut := len(arn) - randomEnding
	return cut > 0 && arn[cut-1] == '-' && !strings.ContainsAny(arn[cut:], "-/_+=.@!:")
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func (e *Emulator) newARN(name string) string {
	ending := make([]byte, randomEnding)
	for i := range ending {
		ending[i] = letters[e.random.IntN(len(letters))]
	}
	return fmt.Sprintf("arn:aws:secretsmanager:%s:%s:secret:%s-%s", e.region, e.account, name, ending)
}

func (e *Emulator) newUUID() string {
	a, b := e.random.Uint64(), e.random.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x",
		a>>32, a>>16&0xffff, a&0xfff, b>>48&0x3fff|0x8000, b&0xffffffffffff)
}
