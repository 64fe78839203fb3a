package storetest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
)

var putting = map[string]Case{
	"a version put under a label of its own does not become live": {Run: func(t *testing.T, b *Bench) {
		name, first := b.secret("one")
		second := b.put(name, "two", "sr-1")
		b.labels(name, map[string][]string{first: {current}, second: {"sr-1"}})
		b.holds(secretstore.GetInput{ID: name, Label: current}, "one")
	}},
	"a version put without a label is refused before it is sent": {Run: func(t *testing.T, b *Bench) {
		name, first := b.secret("one")
		b.wantKind(b.tryPut(name, uuid.NewString(), "two"), secretstore.KindInvalidInput)
		b.labels(name, map[string][]string{first: {current}})
	}},
	"the first version of a secret is current, whatever its labels say": {
		Run: func(t *testing.T, b *Bench) {
			name := b.name("")
			b.create(secretstore.CreateInput{Name: name})
			first := b.put(name, "one", "sr-1")
			b.labels(name, map[string][]string{first: {current, "sr-1"}})
			b.holds(secretstore.GetInput{ID: name}, "one")
		},
	},
	"putting again with the same VersionId and value changes nothing": {Run: func(t *testing.T, b *Bench) {
		name, first := b.secret("one")
		second := b.put(name, "two", "sr-1")
		if err := b.tryPut(name, second, "two", "sr-1"); err != nil {
			t.Fatal(err)
		}
		b.labels(name, map[string][]string{first: {current}, second: {"sr-1"}})
	}},
	"putting again after the version became live leaves it live": {Run: func(t *testing.T, b *Bench) {
		name, first := b.secret("one")
		second := b.put(name, "two", "sr-1")
		b.mustMove(name, current, first, second)
		if err := b.tryPut(name, second, "two", "sr-1"); err != nil {
			t.Fatal(err)
		}
		b.labels(name, map[string][]string{first: {previous}, second: {current, "sr-1"}})
	}},
	"another value under a VersionId in use is refused": {Run: func(t *testing.T, b *Bench) {
		name, first := b.secret("one")
		second := b.put(name, "two", "sr-1")
		b.wantKind(b.tryPut(name, second, "other", "sr-1"), secretstore.KindExists)
		b.wantKind(b.tryPut(name, first, "other", "sr-1"), secretstore.KindExists)
		b.holds(secretstore.GetInput{ID: name, VersionID: second}, "two")
		b.holds(secretstore.GetInput{ID: name}, "one")
	}},
	"a label in use moves to the new version": {Run: func(t *testing.T, b *Bench) {
		name, first := b.secret("one")
		second := b.put(name, "two", "a", "b")
		third := b.put(name, "three", "b", "c")
		b.labels(name, map[string][]string{first: {current}, second: {"a"}, third: {"b", "c"}})
	}},
	"a version put as current makes the one before previous": {Run: func(t *testing.T, b *Bench) {
		name, first := b.secret("one")
		second := b.put(name, "two", current)
		b.labels(name, map[string][]string{first: {previous}, second: {current}})
		third := b.put(name, "three", current)
		b.labels(name, map[string][]string{second: {previous}, third: {current}})
	}},
	"a version put as current leaves the others their own labels": {
		MotoUnfaithful: "it strips every label off the version that was current",
		Run: func(t *testing.T, b *Bench) {
			name, first := b.secret("one")
			second := b.put(name, "two", current, "sr-1")
			third := b.put(name, "three", current, "sr-2")
			b.labels(name, map[string][]string{second: {previous, "sr-1"}, third: {current, "sr-2"}})
			b.holds(secretstore.GetInput{ID: name, VersionID: first}, "one")
		},
	},
	"a VersionId shorter than 32 characters is bad input": {Run: func(t *testing.T, b *Bench) {
		name, first := b.secret("one")
		b.wantKind(b.tryPut(name, "short", "two", "sr-1"), secretstore.KindInvalidInput)
		_, err := b.Store.Create(b.ctx(), secretstore.CreateInput{Name: b.name(""), VersionID: "short", Value: sensitive.New("v")})
		b.wantKind(err, secretstore.KindInvalidInput)
		b.labels(name, map[string][]string{first: {current}})
	}},
	"a secret has 20 labels at most, over all its versions": {
		MotoUnfaithful: "it has no limit on labels",
		Run: func(t *testing.T, b *Bench) {
			name, first := b.secret("one")
			var labels []string
			for i := range secretstore.MaxLabels - 1 {
				labels = append(labels, fmt.Sprintf("sr-%02d", i))
			}
			half := b.put(name, "two", labels[:10]...)
			other := b.put(name, "three", labels[10:]...)
			want := map[string][]string{first: {current}, half: labels[:10], other: labels[10:]}
			b.labels(name, want)
			if n := b.describe(name).LabelCount(); n != secretstore.MaxLabels {
				t.Fatalf("there are %d labels", n)
			}
			b.wantKind(b.tryPut(name, uuid.NewString(), "four", "sr-more"), secretstore.KindLimit)
			b.wantKind(b.move(name, "sr-more", "", first), secretstore.KindLimit)
			b.labels(name, want)
			b.mustMove(name, labels[0], half, "")
			b.put(name, "four", "sr-more")
		},
	},
	"versions put at the same time are all kept": {Run: func(t *testing.T, b *Bench) {
		name, first := b.secret("one")
		want := map[string][]string{first: {current}}
		var group sync.WaitGroup
		for i := range 8 {
			id, label := uuid.NewString(), fmt.Sprintf("sr-%d", i)
			want[id] = []string{label}
			group.Go(func() {
				if err := b.tryPut(name, id, label, label); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		b.labels(name, want)
	}},
}
