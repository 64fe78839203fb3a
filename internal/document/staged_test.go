package document_test

import (
	"bytes"
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/sensitive"
)

var identity = document.Identity{
	Cluster: "blue", Namespace: "team-a", Project: "backend-api", Environment: "production", Change: "change-x7k2p",
}

const nonceHex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

// wire is a staged document as it stands in AWS. It must stay readable: changes
// may wait in AWS across an upgrade.
const wire = `{"version":1,"cluster":"blue","namespace":"team-a","project":"backend-api","environment":"production",` +
	`"change":"change-x7k2p","nonce":"` + nonceHex + `",` +
	`"set":{"ADDED":"<new>","MODIFIED":"` + canary + `"},"unset":["GONE","toString"],` +
	`"expect":{"GONE":"` + canary + `","MODIFIED":"old","toString":"f"}}`

func staged(t *testing.T) document.Staged {
	t.Helper()
	var counting [document.NonceBytes]byte
	for i := range counting {
		counting[i] = byte(i)
	}
	nonce, err := document.NewNonce(bytes.NewReader(counting[:]))
	if err != nil {
		t.Fatal(err)
	}
	base := doc("MODIFIED", "old", "GONE", canary, "toString", "f", "KEPT", "k")
	wanted := doc("MODIFIED", canary, "ADDED", "<new>", "KEPT", "k")
	return document.Staged{
		Version: document.StagedVersion, Identity: identity, Nonce: nonce, Patch: document.NewPatch(base, wanted),
	}
}

func TestStagedDocumentHasOneForm(t *testing.T) {
	s := staged(t)
	stored, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if stored.Reveal() != wire {
		t.Fatalf("got  %s\nwant %s", stored.Reveal(), wire)
	}
	back, err := document.ParseStaged(stored)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, s) {
		t.Fatal("ParseStaged does not return what was encoded")
	}
	s.Patch.Unset = []string{"toString", "GONE"}
	if again, err := s.Encode(); err != nil || again.Reveal() != wire {
		t.Fatalf("the order of unset keys shows: %v", err)
	}
}

func TestDigestPinsTheBytes(t *testing.T) {
	// The well-known digest of the empty text, FIPS 180.
	const empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	if got := document.Digest(sensitive.New("")); got != empty {
		t.Fatalf("got %s", got)
	}
	got := document.Digest(sensitive.New(wire))
	if !regexp.MustCompile(`^sha256:[0-9a-f]{64}$`).MatchString(got) || got == document.Digest(sensitive.New(wire+" ")) {
		t.Fatalf("got %s", got)
	}
}

func TestParseStagedIsStrict(t *testing.T) {
	edit := func(old, replacement string) string { return strings.Replace(wire, old, replacement, 1) }
	for name, c := range map[string]struct {
		text string
		want document.Error
	}{
		"not JSON":       {canary, document.Error{Kind: document.KindNotJSON}},
		"trailing data":  {wire + wire, document.Error{Kind: document.KindTrailingData}},
		"not an object":  {`["` + canary + `"]`, document.Error{Kind: document.KindNotObject}},
		"invalid UTF-8":  {edit("<new>", "\xff"), document.Error{Kind: document.KindInvalidUTF8}},
		"no version":     {edit(`"version":1,`, ``), document.Error{Kind: document.KindMissingField, Field: "version"}},
		"next version":   {edit(`"version":1`, `"version":2,"more":[]`), document.Error{Kind: document.KindUnknownVersion}},
		"version text":   {edit(`"version":1`, `"version":"1"`), document.Error{Kind: document.KindUnknownVersion}},
		"version null":   {edit(`"version":1`, `"version":null`), document.Error{Kind: document.KindUnknownVersion}},
		"version huge":   {edit(`"version":1`, `"version":1e99`), document.Error{Kind: document.KindUnknownVersion}},
		"other case":     {edit(`"version"`, `"Version"`), document.Error{Kind: document.KindMissingField, Field: "version"}},
		"field twice":    {edit(`"version":1`, `"version":1,"version":1`), document.Error{Kind: document.KindDuplicateKey, Key: "version"}},
		"unknown field":  {edit(`"nonce"`, `"note":"`+canary+`","nonce"`), document.Error{Kind: document.KindUnknownField, Field: "note"}},
		"missing field":  {edit(`"cluster":"blue",`, ``), document.Error{Kind: document.KindMissingField, Field: "cluster"}},
		"missing expect": {edit(`,"expect":{"GONE":"`+canary+`","MODIFIED":"old","toString":"f"}`, ``), document.Error{Kind: document.KindMissingField, Field: "expect"}},
		"empty field":    {edit(`"team-a"`, `""`), document.Error{Kind: document.KindInvalidField, Field: "namespace"}},
		"field null":     {edit(`"team-a"`, `null`), document.Error{Kind: document.KindInvalidField, Field: "namespace"}},
		"short nonce":    {edit(nonceHex, nonceHex[2:]), document.Error{Kind: document.KindInvalidField, Field: "nonce"}},
		"nonce not hex":  {edit(nonceHex, nonceHex[2:]+"zz"), document.Error{Kind: document.KindInvalidField, Field: "nonce"}},
		"nonce in upper": {edit(nonceHex, strings.ToUpper(nonceHex)), document.Error{Kind: document.KindInvalidField, Field: "nonce"}},
		"nonce number":   {edit(`"`+nonceHex+`"`, `1`), document.Error{Kind: document.KindInvalidField, Field: "nonce"}},
		"set a list":     {edit(`{"ADDED":"<new>","MODIFIED":"`+canary+`"}`, `[]`), document.Error{Kind: document.KindNotObject, Field: "set"}},
		"set a number":   {edit(`"<new>"`, `1`), document.Error{Kind: document.KindNotString, Field: "set", Key: "ADDED"}},
		"set twice":      {edit(`"ADDED"`, `"MODIFIED":"x","ADDED"`), document.Error{Kind: document.KindDuplicateKey, Field: "set", Key: "MODIFIED"}},
		"expect twice":   {edit(`"GONE":"`, `"GONE":"x","GONE":"`), document.Error{Kind: document.KindDuplicateKey, Field: "expect", Key: "GONE"}},
		"half a pair":    {edit(`"old"`, `"\ud800"`), document.Error{Kind: document.KindInvalidUTF8, Field: "expect", Key: "MODIFIED"}},
		"unset null":     {edit(`["GONE","toString"]`, `null`), document.Error{Kind: document.KindInvalidField, Field: "unset"}},
		"unset a number": {edit(`["GONE","toString"]`, `["GONE",1]`), document.Error{Kind: document.KindInvalidField, Field: "unset"}},
		"unset twice":    {edit(`["GONE","toString"]`, `["GONE","toString","GONE"]`), document.Error{Kind: document.KindUnsetTwice, Key: "GONE"}},
		"no-op":          {edit(`"MODIFIED":"old"`, `"MODIFIED":"`+canary+`"`), document.Error{Kind: document.KindNoOp, Key: "MODIFIED"}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.text == wire {
				t.Fatal("the edit found nothing to edit")
			}
			_, err := document.ParseStaged(sensitive.New(c.text))
			requireError(t, err, c.want)
		})
	}
}

func TestEncodeRefusesWhatParseStagedWould(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*document.Staged)
		want document.Error
	}{
		"no version":  {func(s *document.Staged) { s.Version = 0 }, document.Error{Kind: document.KindUnknownVersion}},
		"no change":   {func(s *document.Staged) { s.Change = "" }, document.Error{Kind: document.KindInvalidField, Field: "change"}},
		"no nonce":    {func(s *document.Staged) { s.Nonce = sensitive.Value{} }, document.Error{Kind: document.KindInvalidField, Field: "nonce"}},
		"empty patch": {func(s *document.Staged) { s.Patch = document.Patch{} }, document.Error{Kind: document.KindEmptyPatch}},
		"not UTF-8":   {func(s *document.Staged) { s.Cluster = "\xff" }, document.Error{Kind: document.KindInvalidField, Field: "cluster"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := staged(t)
			c.edit(&s)
			_, err := s.Encode()
			requireError(t, err, c.want)
		})
	}
}

func TestStagedDocumentTooLargeSaysToSplit(t *testing.T) {
	half := strings.Repeat("x", document.MaxBytes/2)
	s := staged(t)
	s.Patch = document.NewPatch(doc("A", half), doc("A", half+"y"))
	if _, err := s.Patch.Apply(nil).Encode(); err != nil {
		t.Fatalf("live, it would fit: %v", err)
	}
	_, err := s.Encode()
	var tooLarge *document.TooLargeError
	if !errors.As(err, &tooLarge) || tooLarge.Subject != document.SubjectStaged || tooLarge.Bytes <= tooLarge.Limit {
		t.Fatalf("got %v", err)
	}
	if !strings.Contains(err.Error(), "split the change") {
		t.Fatalf("no next step: %v", err)
	}
}

func TestBelongsNamesTheFieldThatDiffers(t *testing.T) {
	for field, change := range map[string]func(*document.Identity){
		"cluster":     func(i *document.Identity) { i.Cluster = "green" },
		"namespace":   func(i *document.Identity) { i.Namespace = "team-b" },
		"project":     func(i *document.Identity) { i.Project = "web" },
		"environment": func(i *document.Identity) { i.Environment = "dev" },
		"change":      func(i *document.Identity) { i.Change = "change-other" },
	} {
		t.Run(field, func(t *testing.T) {
			want := identity
			change(&want)
			var foreign *document.ForeignError
			if err := staged(t).Belongs(want); !errors.As(err, &foreign) || foreign.Field != field {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(foreign.Error(), "another "+field) {
				t.Fatalf("got %q", foreign.Error())
			}
		})
	}
	if err := staged(t).Belongs(identity); err != nil {
		t.Fatal(err)
	}
}

func TestIdentityOfTagsIsTheirs(t *testing.T) {
	tags := naming.StagedTags{
		Cluster: "blue", Namespace: "team-a", Project: "backend-api", Environment: "production",
		Change: "change-x7k2p", KeepUntil: time.Unix(0, 0),
	}
	if got := document.IdentityOf(tags); got != identity {
		t.Fatalf("got %+v", got)
	}
}

func TestNewNonceNeedsEnoughRandomness(t *testing.T) {
	if _, err := document.NewNonce(strings.NewReader("short")); err == nil {
		t.Fatal("a short read passes")
	}
	s := staged(t)
	if s.Nonce.Reveal() != nonceHex {
		t.Fatalf("got %s", s.Nonce.Reveal())
	}
}
