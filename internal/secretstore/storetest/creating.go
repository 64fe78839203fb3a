package storetest

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
)

const (
	current  = secretstore.LabelCurrent
	previous = secretstore.LabelPrevious
	pending  = secretstore.LabelPending
)

var creating = map[string]Case{
	"a created secret is current, under the VersionId that was asked for": {Run: func(t *testing.T, b *Bench) {
		name, id := b.name(""), uuid.NewString()
		v := b.create(secretstore.CreateInput{Name: name, VersionID: id, Value: sensitive.New("one")})
		if v.Name != name || v.VersionID != id {
			t.Errorf("created %s %s, want %s %s", v.Name, v.VersionID, name, id)
		}
		parts, ok := secretstore.ParseARN(v.ARN)
		if !ok || parts.Name != name {
			t.Errorf("the ARN %s does not name %s", v.ARN, name)
		}
		b.labels(name, map[string][]string{id: {current}})
	}},
	"tags are there as soon as the secret is": {Run: func(t *testing.T, b *Bench) {
		tags := map[string]string{"secretreview:owner": "cluster/ns", "secretReviewStaging": "true", "empty": ""}
		name := b.name("")
		b.create(secretstore.CreateInput{Name: name, Value: sensitive.New("v"), Tags: tags})
		if got := b.describe(name).Tags; !maps.Equal(got, tags) {
			t.Errorf("tags are %v, want %v", got, tags)
		}
	}},
	"the KMS key is kept through new versions and moves": {Needs: needsKey, Run: func(t *testing.T, b *Bench) {
		name, id := b.name(""), uuid.NewString()
		b.create(secretstore.CreateInput{Name: name, VersionID: id, Value: sensitive.New("v"), KMSKeyID: b.KMSKeyID})
		b.mustMove(name, current, id, b.put(name, "w", "sr-1"))
		if got := b.describe(name).KMSKeyID; got != b.KMSKeyID {
			t.Errorf("the key is %q, want %q", got, b.KMSKeyID)
		}
	}},
	"a secret without a key of its own shows none": {Run: func(t *testing.T, b *Bench) {
		name, _ := b.secret("v")
		if got := b.describe(name).KMSKeyID; got != "" {
			t.Errorf("the key is %q", got)
		}
	}},
	"a name in use is refused": {Run: func(t *testing.T, b *Bench) {
		name, id := b.secret("v")
		_, err := b.Store.Create(b.ctx(), secretstore.CreateInput{Name: name, VersionID: uuid.NewString(), Value: sensitive.New("v")})
		b.wantKind(err, secretstore.KindExists)
		_, err = b.Store.Create(b.ctx(), secretstore.CreateInput{Name: name, VersionID: id, Value: sensitive.New("other")})
		b.wantKind(err, secretstore.KindExists)
		b.holds(secretstore.GetInput{ID: name}, "v")
	}},
	"creating again with the same VersionId and value changes nothing": {
		Run: func(t *testing.T, b *Bench) {
			name, id := b.secret("v")
			again := b.create(secretstore.CreateInput{Name: name, VersionID: id, Value: sensitive.New("v")})
			if again.VersionID != id || again.ARN != b.describe(name).ARN {
				t.Errorf("the repetition answered %+v", again)
			}
			b.labels(name, map[string][]string{id: {current}})
		},
	},
	"a name scheduled for deletion is refused": {Run: func(t *testing.T, b *Bench) {
		name, _ := b.secret("v")
		if err := b.Store.Delete(b.ctx(), secretstore.DeleteInput{ID: name, RecoveryDays: 7}); err != nil {
			t.Fatal(err)
		}
		_, err := b.Store.Create(b.ctx(), secretstore.CreateInput{Name: name, Value: sensitive.New("w")})
		b.wantKind(err, secretstore.KindInvalidState, secretstore.KindExists)
	}},
	"a name with a forbidden character is bad input": {
		MotoUnfaithful: "it takes any name",
		Run: func(t *testing.T, b *Bench) {
			for _, bad := range []string{"a b", "a*", "ä", "a\\b", "a:b"} {
				_, err := b.Store.Create(b.ctx(), secretstore.CreateInput{Name: b.name(bad), Value: sensitive.New("v")})
				b.wantKind(err, secretstore.KindInvalidInput)
			}
		},
	},
	"every allowed character can stand in a name, and in an ARN": {Run: func(t *testing.T, b *Bench) {
		for _, suffix := range []string{"/Az0/_+=.@-", "-a1b2", "-a1b2c3"} {
			name := b.name(suffix)
			v := b.create(secretstore.CreateInput{Name: name, Value: sensitive.New(name)})
			b.holds(secretstore.GetInput{ID: name}, name)
			b.holds(secretstore.GetInput{ID: v.ARN}, name)
		}
	}},
	"values come back byte for byte": {Run: func(t *testing.T, b *Bench) {
		value := "{\"A\":\"<&>' \\\\ \\u0000\\n\"}\r\n\t \x01 ä 漢 😀 \u2028 \ufeff"
		name, _ := b.secret(value)
		b.holds(secretstore.GetInput{ID: name}, value)
		b.holds(secretstore.GetInput{ID: name, VersionID: b.put(name, value+value, "sr-1")}, value+value)
	}},
	"a value may have 65,536 bytes and no more": {
		MotoUnfaithful: "it takes values of any length",
		Run: func(t *testing.T, b *Bench) {
			most := strings.Repeat("x", secretstore.MaxValueBytes)
			name, id := b.secret(most)
			b.holds(secretstore.GetInput{ID: name}, most)
			_, err := b.Store.Create(b.ctx(), secretstore.CreateInput{Name: b.name(""), Value: sensitive.New(most + "x")})
			b.wantKind(err, secretstore.KindInvalidInput)
			b.wantKind(b.tryPut(name, uuid.NewString(), most+"x", "sr-1"), secretstore.KindInvalidInput)
			b.labels(name, map[string][]string{id: {current}})
		},
	},
	"a secret made without a value has no version": {Run: func(t *testing.T, b *Bench) {
		name := b.name("")
		if v := b.create(secretstore.CreateInput{Name: name}); v.VersionID != "" {
			t.Errorf("it has the version %s", v.VersionID)
		}
		b.labels(name, map[string][]string{})
		_, err := b.Store.Get(b.ctx(), secretstore.GetInput{ID: name})
		b.wantKind(err, secretstore.KindNotFound)
	}},
}
