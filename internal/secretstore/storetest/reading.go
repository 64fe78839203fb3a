package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/secretreview/secretreview/internal/secretstore"
)

var reading = map[string]Case{
	"a version is read by VersionId, by label, and by default as the current one": {Run: func(t *testing.T, b *Bench) {
		name, first := b.secret("one")
		second := b.put(name, "two", "sr-1")
		b.holds(secretstore.GetInput{ID: name}, "one")
		b.holds(secretstore.GetInput{ID: name, Label: current}, "one")
		b.holds(secretstore.GetInput{ID: name, Label: "sr-1"}, "two")
		b.holds(secretstore.GetInput{ID: name, VersionID: first}, "one")
		b.holds(secretstore.GetInput{ID: name, VersionID: second}, "two")
		v, err := b.Store.Get(b.ctx(), secretstore.GetInput{ID: name, Label: "sr-1"})
		if err != nil {
			t.Fatal(err)
		}
		if v.VersionID != second || v.Name != name || v.Binary || len(v.Labels) != 1 || v.Labels[0] != "sr-1" {
			t.Errorf("read %+v", v)
		}
	}},
	"a version whose label moved away is read by its VersionId": {Run: func(t *testing.T, b *Bench) {
		name, first := b.secret("one")
		second := b.put(name, "two", "sr-1")
		b.mustMove(name, current, first, second)
		b.holds(secretstore.GetInput{ID: name, Label: current}, "two")
		b.holds(secretstore.GetInput{ID: name, Label: previous}, "one")
		b.holds(secretstore.GetInput{ID: name, VersionID: first}, "one")
	}},
	"a version without any label can still be read by its VersionId": {Run: func(t *testing.T, b *Bench) {
		name, first := b.secret("one")
		second := b.put(name, "two", "sr-1")
		b.mustMove(name, "sr-1", second, "")
		b.labels(name, map[string][]string{first: {current}})
		b.holds(secretstore.GetInput{ID: name, VersionID: second}, "two")
	}},
	"an ARN and a name lead to the same secret": {Run: func(t *testing.T, b *Bench) {
		name, id := b.secret("v")
		byName := b.describe(name)
		byARN := b.describe(byName.ARN)
		if byARN.Name != name || byARN.ARN != byName.ARN || byARN.Current() != id {
			t.Errorf("by name %+v, by ARN %+v", byName, byARN)
		}
		b.holds(secretstore.GetInput{ID: byName.ARN, VersionID: id}, "v")
	}},
	"a secret that does not exist is not found": {Run: func(t *testing.T, b *Bench) {
		name := b.Prefix + uuid.NewString()
		_, err := b.Store.Describe(b.ctx(), name)
		b.wantKind(err, secretstore.KindNotFound)
		_, err = b.Store.Get(b.ctx(), secretstore.GetInput{ID: name})
		b.wantKind(err, secretstore.KindNotFound)
		b.wantKind(b.tryPut(name, uuid.NewString(), "v", "sr-1"), secretstore.KindNotFound)
		b.wantKind(b.move(name, current, uuid.NewString(), uuid.NewString()), secretstore.KindNotFound)
		b.wantKind(b.Store.Restore(b.ctx(), name), secretstore.KindNotFound)
	}},
	"a version or label that does not exist is not found": {Run: func(t *testing.T, b *Bench) {
		name, _ := b.secret("v")
		_, err := b.Store.Get(b.ctx(), secretstore.GetInput{ID: name, VersionID: uuid.NewString()})
		b.wantKind(err, secretstore.KindNotFound)
		_, err = b.Store.Get(b.ctx(), secretstore.GetInput{ID: name, Label: previous})
		b.wantKind(err, secretstore.KindNotFound)
		_, err = b.Store.Get(b.ctx(), secretstore.GetInput{ID: name, Label: "sr-none"})
		b.wantKind(err, secretstore.KindNotFound)
	}},
	"a VersionId and a label that do not go together are refused": {
		Run: func(t *testing.T, b *Bench) {
			name, id := b.secret("one")
			b.put(name, "two", "sr-1")
			_, err := b.Store.Get(b.ctx(), secretstore.GetInput{ID: name, VersionID: id, Label: "sr-1"})
			b.wantKind(err, secretstore.KindInvalidState)
		},
	},
	"a caller that gave up gets its own reason back": {Run: func(t *testing.T, b *Bench) {
		ctx, cancel := context.WithCancel(b.ctx())
		cancel()
		_, err := b.Store.Describe(ctx, b.Prefix+"x")
		b.wantKind(err, secretstore.KindUnavailable)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		}
	}},
	"a rotation under way is seen": {Run: func(t *testing.T, b *Bench) {
		name, id := b.secret("one")
		if b.describe(name).InRotation() {
			t.Error("it is seen before it begins")
		}
		next := b.put(name, "two", pending)
		if !b.describe(name).InRotation() {
			t.Error("it is not seen")
		}
		b.mustMove(name, current, id, next)
		if b.describe(name).InRotation() {
			t.Error("it is seen after it ended")
		}
	}},
	"a secret that a service owns says so and cannot be written": {Needs: needsOwner, Run: func(t *testing.T, b *Bench) {
		name, id := b.secret("one")
		next := b.put(name, "two", "sr-1")
		b.OwnedBy(t, name, "rds")
		if got := b.describe(name).OwningService; got != "rds" {
			t.Errorf("the owner is %q", got)
		}
		b.wantKind(b.tryPut(name, uuid.NewString(), "three", "sr-2"), secretstore.KindInvalidState)
		b.wantKind(b.move(name, current, id, next), secretstore.KindInvalidState)
	}},
	"a replica says so and cannot be written": {Needs: needsReplica, Run: func(t *testing.T, b *Bench) {
		name, id := b.secret("one")
		next := b.put(name, "two", "sr-1")
		b.ReplicaOf(t, name, "eu-west-9")
		s := b.describe(name)
		parts, _ := secretstore.ParseARN(s.ARN)
		if s.PrimaryRegion != "eu-west-9" || !s.IsReplicaIn(parts.Region) {
			t.Errorf("the primary region is %q", s.PrimaryRegion)
		}
		b.wantKind(b.tryPut(name, uuid.NewString(), "three", "sr-2"), secretstore.KindInvalidState)
		b.wantKind(b.move(name, current, id, next), secretstore.KindInvalidState)
	}},
}
