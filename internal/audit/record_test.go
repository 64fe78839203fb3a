package audit_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/audit"
)

// The digests of records that exist must never change: an upgrade would make
// every history look altered.
func TestDigestsStayAsTheyAre(t *testing.T) {
	s := newStory(1)
	c := s.applied()
	c.Status.Attempt.Commitment.Nonce = "fixed"
	version := audit.VersionID(c.UID, c, c.Status.Attempt, nil)
	if want := "7b2b413e-490a-87ba-9512-d2eb2322c0fa"; version != want {
		t.Errorf("the version's id is %s, want %s", version, want)
	}
	c.Status.Attempt.VersionID, c.Status.AppliedVersionID = version, version
	if digest, want := audit.RecordOf(c).Digest(), "sha256:b75dc83b6bbe15e1437e93a2e0aeae635edb953363be320d2f43b1b87d53ae20"; digest != want {
		t.Errorf("the record's digest is %s, want %s", digest, want)
	}
}

func TestTheAPIServersCopyHasTheSameDigest(t *testing.T) {
	s := newStory(2)
	c := s.applied()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var stored v1alpha1.SecretChange
	if err := json.Unmarshal(text, &stored); err != nil {
		t.Fatal(err)
	}
	if audit.RecordOf(&stored).Digest() != c.Status.Audit.Digest {
		t.Error("times lose precision as they are stored, and the digest with them")
	}
}

func TestVersionIDIsAUUIDOfVersion8(t *testing.T) {
	s := newStory(3)
	id, err := uuid.Parse(s.applied().Status.AppliedVersionID)
	if err != nil || id.Version() != 8 || id.Variant() != uuid.RFC4122 {
		t.Errorf("got %s, %v", id, err)
	}
	if audit.Committed(uuid.NewString()) || audit.Committed("no UUID") || !audit.Committed(id.String()) {
		t.Error("a random UUID does not commit to anything")
	}
}

// Every field of a status is in the record, or known to change after the end.
func TestEveryFactIsInTheRecord(t *testing.T) {
	left := map[string]string{
		"observedGeneration": "of the object", "conditions": "worked out", "summary": "worked out", "approvals": "worked out",
		"stagedDeleted": "set after the end", "audit": "the digest itself",
	}
	status := reflect.TypeFor[v1alpha1.SecretChangeStatus]()
	for i := range status.NumField() {
		field := status.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		s := newStory(4)
		c := s.applied()
		before := audit.RecordOf(c).Digest()
		value := reflect.ValueOf(&c.Status).Elem().Field(i)
		if value.IsZero() {
			fill(value)
		} else {
			value.SetZero()
		}
		if name == "audit" {
			continue
		}
		if changed := audit.RecordOf(c).Digest() != before; changed == (left[name] != "") {
			t.Errorf("status.%s: the digest changes with it: %v", name, changed)
		}
	}
}

// fill gives a value that is not zero.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(7)
	default:
		panic("a field of kind " + v.Kind().String())
	}
}

func FuzzAnyTextHasADigest(f *testing.F) {
	for _, seed := range []string{"", "plain", "\x00\xff", "\ud7ff\ue000", "🦊", `"\u2028`, "\xed\xa0\x80"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := newStory(5)
		c := s.ended(v1alpha1.PhaseInvalid)
		c.Spec.Reason, c.Spec.Reviews[0].Comment, c.Status.Message = text, text, text
		reseal(c)
		stored := &v1alpha1.SecretChange{}
		encoded, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(encoded, stored); err != nil {
			t.Fatal(err)
		}
		if audit.RecordOf(stored).Digest() != c.Status.Audit.Digest {
			t.Errorf("%q has another digest once it was stored", text)
		}
	})
}
