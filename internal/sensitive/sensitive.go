// Package sensitive holds the one type in which secret values travel. Every
// way that Go prints, encodes or logs a value shows a fixed mark instead of
// it; only Reveal gives the value back, so a reviewer finds each place that
// does by searching for one word.
package sensitive

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
)

// Redacted is what every printed form of a Value shows. It says nothing about
// the value, not even its length.
const Redacted = "[redacted]"

// Value is one secret string. The zero Value is the empty string. Two Values
// of the same content are not == ; use Equal.
type Value struct {
	// A pointer, because fmt prints a Value in somebody's unexported field
	// without calling its methods, and then shows an address only.
	p *string
}

// New wraps s.
func New(s string) Value { return Value{p: &s} }

// Reveal returns the secret. Its result must go only to AWS, to a file or a
// terminal that its owner asked for, or to a comparison.
func (v Value) Reveal() string {
	if v.p == nil {
		return ""
	}
	revealed(v)
	return *v.p
}

// Len returns the value's length in bytes.
func (v Value) Len() int { return len(v.Reveal()) }

// Equal compares two values in a time that depends on their lengths alone.
func (v Value) Equal(other Value) bool {
	return subtle.ConstantTimeCompare([]byte(v.Reveal()), []byte(other.Reveal())) == 1
}

// String returns Redacted.
func (Value) String() string { return Redacted }

// GoString returns Redacted.
func (Value) GoString() string { return Redacted }

// Format writes Redacted for every verb, so that %x and %d reveal nothing.
func (Value) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Redacted)) }

// MarshalJSON encodes Redacted.
func (Value) MarshalJSON() ([]byte, error) { return []byte(`"` + Redacted + `"`), nil }

// MarshalText encodes Redacted.
func (Value) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// MarshalLog gives logr the redacted form.
func (Value) MarshalLog() any { return Redacted }

// LogValue gives slog the redacted form.
func (Value) LogValue() slog.Value { return slog.StringValue(Redacted) }
