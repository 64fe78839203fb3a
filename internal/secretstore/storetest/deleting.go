package storetest

import (
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
)

func (b *Bench) schedule(id string) {
	b.Helper()
	if err := b.Store.Delete(b.ctx(), secretstore.DeleteInput{ID: id, RecoveryDays: secretstore.MinRecoveryDays}); err != nil {
		b.Fatal(err)
	}
}

func (b *Bench) force(id string) {
	b.Helper()
	if err := b.Store.Delete(b.ctx(), secretstore.DeleteInput{ID: id}); err != nil {
		b.Fatal(err)
	}
}

// gone waits until a secret deleted by force is no longer seen.
func (b *Bench) gone(id string) {
	b.Helper()
	b.eventually(func() error {
		_, err := b.Store.Describe(b.ctx(), id)
		if kind := secretstore.KindOf(err); kind != secretstore.KindNotFound {
			return fmt.Errorf("%s is not gone: describing it gives %q", id, kind)
		}
		return nil
	})
}

var deleting = map[string]Case{
	"a secret scheduled for deletion is described, but not read": {Run: func(t *testing.T, b *Bench) {
		name, first := b.secret("one")
		if at := b.describe(name).DeletedAt; at != nil {
			t.Errorf("it was scheduled at %v before it was", at)
		}
		b.schedule(name)
		s := b.describe(name)
		if s.DeletedAt == nil || s.Current() != first {
			t.Errorf("it is described as %+v", s)
		}
		_, err := b.Store.Get(b.ctx(), secretstore.GetInput{ID: name, VersionID: first})
		b.wantKind(err, secretstore.KindInvalidState)
	}},
	"a secret scheduled for deletion is not written": {MotoUnfaithful: "it takes new versions of it", Run: func(t *testing.T, b *Bench) {
		name, first := b.secret("one")
		second := b.put(name, "two", "sr-1")
		b.schedule(name)
		b.wantKind(b.tryPut(name, uuid.NewString(), "three", "sr-2"), secretstore.KindInvalidState)
		b.wantKind(b.move(name, current, first, second), secretstore.KindInvalidState)
	}},
	"a secret scheduled for deletion cannot be scheduled again": {Run: func(t *testing.T, b *Bench) {
		name, _ := b.secret("one")
		b.schedule(name)
		b.wantKind(b.Store.Delete(b.ctx(), secretstore.DeleteInput{ID: name, RecoveryDays: 7}), secretstore.KindInvalidState)
	}},
	"a restored secret is as it was": {Run: func(t *testing.T, b *Bench) {
		name, first := b.secret("one")
		second := b.put(name, "two", "sr-1")
		b.mustMove(name, current, first, second)
		arn := b.describe(name).ARN
		b.schedule(name)
		if err := b.Store.Restore(b.ctx(), name); err != nil {
			t.Fatal(err)
		}
		s := b.describe(name)
		if s.DeletedAt != nil || s.ARN != arn {
			t.Errorf("it is described as %+v", s)
		}
		b.labels(name, map[string][]string{first: {previous}, second: {current, "sr-1"}})
		b.holds(secretstore.GetInput{ID: name, Label: current}, "two")
		b.put(name, "three", "sr-2")
	}},
	"restoring a secret that is not scheduled for deletion changes nothing": {Run: func(t *testing.T, b *Bench) {
		name, first := b.secret("one")
		if err := b.Store.Restore(b.ctx(), name); err != nil {
			t.Fatal(err)
		}
		b.labels(name, map[string][]string{first: {current}})
	}},
	"a name deleted by force can be used again, for another secret": {Run: func(t *testing.T, b *Bench) {
		name, id := b.secret("one")
		arn := b.describe(name).ARN
		b.force(name)
		b.gone(name)
		b.eventually(func() error {
			_, err := b.Store.Create(b.ctx(), secretstore.CreateInput{Name: name, VersionID: id, Value: sensitive.New("two")})
			return err
		})
		b.holds(secretstore.GetInput{ID: name}, "two")
		if again := b.describe(name).ARN; again == arn {
			t.Error("the new secret has the old one's ARN")
		}
		_, err := b.Store.Describe(b.ctx(), arn)
		b.wantKind(err, secretstore.KindNotFound)
	}},
	"a secret scheduled for deletion can be deleted by force": {Run: func(t *testing.T, b *Bench) {
		name, _ := b.secret("one")
		b.schedule(name)
		b.force(name)
		b.gone(name)
	}},
	"deleting by force what is gone is no error": {Run: func(t *testing.T, b *Bench) {
		b.force(b.Prefix + uuid.NewString())
		name, _ := b.secret("one")
		b.force(name)
		b.force(name)
	}},
	"scheduling what does not exist is not found": {Run: func(t *testing.T, b *Bench) {
		err := b.Store.Delete(b.ctx(), secretstore.DeleteInput{ID: b.Prefix + uuid.NewString(), RecoveryDays: 7})
		b.wantKind(err, secretstore.KindNotFound)
	}},
	"a recovery window has 7 to 30 days": {Run: func(t *testing.T, b *Bench) {
		name, _ := b.secret("one")
		for _, days := range []int{1, secretstore.MinRecoveryDays - 1, secretstore.MaxRecoveryDays + 1} {
			b.wantKind(b.Store.Delete(b.ctx(), secretstore.DeleteInput{ID: name, RecoveryDays: days}), secretstore.KindInvalidInput)
		}
		if b.describe(name).DeletedAt != nil {
			t.Error("it is scheduled for deletion")
		}
	}},
	"a secret is deleted by its ARN": {Run: func(t *testing.T, b *Bench) {
		name, _ := b.secret("one")
		arn := b.describe(name).ARN
		b.schedule(arn)
		if b.describe(name).DeletedAt == nil {
			t.Error("it is not scheduled for deletion")
		}
	}},
}
