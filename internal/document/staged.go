package document

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/secretreview/secretreview/internal/sensitive"
)

// StagedVersion is the form of staged documents that this release writes, and
// the only one that it reads.
const StagedVersion = 1

// NonceBytes is the length of a nonce. With 256 random bits in the document,
// its digest, which everybody may read, tells nothing about its values.
const NonceBytes = 32

// Staged is a proposed edit as it waits in AWS.
type Staged struct {
	// Version is StagedVersion.
	Version int
	Identity
	// Nonce comes from NewNonce. It is as secret as the values: who has it can
	// test guesses of them against the digest.
	Nonce sensitive.Value
	Patch Patch
}

// NewNonce draws a nonce, NonceBytes in lower-case hex, from a source of
// cryptographic randomness.
func NewNonce(random io.Reader) (sensitive.Value, error) {
	nonce := make([]byte, NonceBytes)
	if _, err := io.ReadFull(random, nonce); err != nil {
		return sensitive.Value{}, fmt.Errorf("draw a nonce: %w", err)
	}
	return sensitive.New(hex.EncodeToString(nonce)), nil
}

// Digest returns the pin of a staged document: "sha256:" and 64 hex digits over
// its bytes exactly as stored.
func Digest(stored sensitive.Value) string {
	sum := sha256.Sum256([]byte(stored.Reveal()))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// stagedJSON is a staged document's form, fields in this order.
type stagedJSON struct {
	Version     int               `json:"version"`
	Cluster     string            `json:"cluster"`
	Namespace   string            `json:"namespace"`
	Project     string            `json:"project"`
	Environment string            `json:"environment"`
	Change      string            `json:"change"`
	Nonce       string            `json:"nonce"`
	Set         map[string]string `json:"set"`
	Unset       []string          `json:"unset"`
	Expect      map[string]string `json:"expect"`
}

// Encode writes the staged document in its one form. It fails with an *Error
// where ParseStaged would refuse the result, or with a *TooLargeError.
func (s Staged) Encode() (sensitive.Value, error) {
	if err := s.validate(); err != nil {
		return sensitive.Value{}, err
	}
	set, err := s.Patch.Set.reveal()
	if err != nil {
		return sensitive.Value{}, err
	}
	expect, err := s.Patch.Expect.reveal()
	if err != nil {
		return sensitive.Value{}, err
	}
	unset := append([]string{}, s.Patch.Unset...)
	slices.Sort(unset)
	return encodeJSON(stagedJSON{
		Version: s.Version, Cluster: s.Cluster, Namespace: s.Namespace, Project: s.Project,
		Environment: s.Environment, Change: s.Change, Nonce: s.Nonce.Reveal(),
		Set: set, Unset: unset, Expect: expect,
	}, SubjectStaged)
}

// validate is what Encode and ParseStaged both require.
func (s Staged) validate() error {
	if s.Version != StagedVersion {
		return &Error{Kind: KindUnknownVersion}
	}
	for _, f := range s.fields() {
		if f.value == "" || !utf8.ValidString(f.value) {
			return &Error{Kind: KindInvalidField, Field: f.name}
		}
	}
	nonce, err := hex.DecodeString(s.Nonce.Reveal())
	if err != nil || len(nonce) != NonceBytes || hex.EncodeToString(nonce) != s.Nonce.Reveal() {
		return &Error{Kind: KindInvalidField, Field: "nonce"}
	}
	return s.Patch.Validate()
}

// ParseStaged reads a staged document, strictly: an unknown version, a field
// that is unknown, missing or there twice, and a patch that Validate refuses
// are each an *Error, as is all that Parse refuses. Unset comes back sorted.
func ParseStaged(stored sensitive.Value) (Staged, error) {
	text := []byte(stored.Reveal())
	if err := checkJSON(text); err != nil {
		return Staged{}, err
	}
	found, err := members(text)
	if err != nil {
		return Staged{}, err
	}
	// The version comes first: another one may well have other fields.
	if err := checkVersion(found); err != nil {
		return Staged{}, err
	}
	s := Staged{Version: StagedVersion}
	readers := s.readers()
	for _, m := range found {
		read, known := readers[m.key]
		if !known {
			return Staged{}, &Error{Kind: KindUnknownField, Field: m.key}
		}
		delete(readers, m.key)
		if err := read(m.raw); err != nil {
			return Staged{}, inField(m.key, err)
		}
	}
	if missing := slices.Sorted(maps.Keys(readers)); len(missing) > 0 {
		return Staged{}, &Error{Kind: KindMissingField, Field: missing[0]}
	}
	return s, s.validate()
}

func checkVersion(found []member) error {
	for _, m := range found {
		if m.key != "version" {
			continue
		}
		var version int
		if json.Unmarshal(m.raw, &version) != nil || version != StagedVersion {
			return &Error{Kind: KindUnknownVersion}
		}
		return nil
	}
	return &Error{Kind: KindMissingField, Field: "version"}
}

// readers returns, for each field, what reads it into s.
func (s *Staged) readers() map[string]func(json.RawMessage) error {
	text := func(target *string) func(json.RawMessage) error {
		return func(raw json.RawMessage) error {
			value, kind := parseString(raw)
			if kind != "" {
				return &Error{Kind: KindInvalidField}
			}
			*target = value
			return nil
		}
	}
	object := func(target *Document) func(json.RawMessage) error {
		return func(raw json.RawMessage) (err error) {
			*target, err = parseDocument(raw)
			return err
		}
	}
	return map[string]func(json.RawMessage) error{
		"version":     func(json.RawMessage) error { return nil }, // checkVersion has read it
		"cluster":     text(&s.Cluster),
		"namespace":   text(&s.Namespace),
		"project":     text(&s.Project),
		"environment": text(&s.Environment),
		"change":      text(&s.Change),
		"nonce":       s.readNonce,
		"set":         object(&s.Patch.Set),
		"unset":       s.readUnset,
		"expect":      object(&s.Patch.Expect),
	}
}

func (s *Staged) readNonce(raw json.RawMessage) error {
	value, kind := parseString(raw)
	if kind != "" {
		return &Error{Kind: KindInvalidField}
	}
	s.Nonce = sensitive.New(value)
	return nil
}

func (s *Staged) readUnset(raw json.RawMessage) error {
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil || items == nil {
		return &Error{Kind: KindInvalidField}
	}
	for _, item := range items {
		key, kind := parseString(item)
		if kind != "" {
			return &Error{Kind: KindInvalidField}
		}
		s.Patch.Unset = append(s.Patch.Unset, key)
	}
	slices.Sort(s.Patch.Unset)
	return nil
}

// inField says in which field of a staged document an *Error is.
func inField(field string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	return &Error{Kind: e.Kind, Field: field, Key: e.Key}
}
