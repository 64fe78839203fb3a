package storetest

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/secretreview/secretreview/internal/secretstore"
)

var moving = map[string]Case{
	"AWSCURRENT moves, AWSPREVIOUS follows, other labels stay": {
		Run: func(t *testing.T, b *Bench) {
			name, first := b.secret("one")
			second, third := b.put(name, "two", "sr-1"), b.put(name, "three", "sr-2")
			b.mustMove(name, current, first, second)
			b.labels(name, map[string][]string{first: {previous}, second: {current, "sr-1"}, third: {"sr-2"}})
			b.mustMove(name, current, second, third)
			b.labels(name, map[string][]string{second: {previous, "sr-1"}, third: {current, "sr-2"}})
		},
	},
	"AWSCURRENT moves back to the version before": {
		Run: func(t *testing.T, b *Bench) {
			name, first := b.secret("one")
			second := b.put(name, "two", "sr-1")
			b.mustMove(name, current, first, second)
			b.mustMove(name, current, second, first)
			b.labels(name, map[string][]string{first: {current}, second: {previous, "sr-1"}})
			b.holds(secretstore.GetInput{ID: name, Label: current}, "one")
		},
	},
	"AWSCURRENT moves back to a version that has lost every service label": {
		Run: func(t *testing.T, b *Bench) {
			name, first := b.secret("one")
			second, third := b.put(name, "two", "sr-1"), b.put(name, "three", "sr-2")
			b.mustMove(name, "sr-0", "", first)
			b.mustMove(name, current, first, second)
			b.mustMove(name, current, second, third)
			b.mustMove(name, current, third, first)
			b.labels(name, map[string][]string{first: {current, "sr-0"}, second: {"sr-1"}, third: {previous, "sr-2"}})
		},
	},
	"a move from a version that has not got the label is refused": {
		Run: func(t *testing.T, b *Bench) {
			name, first := b.secret("one")
			second, third := b.put(name, "two", "sr-1"), b.put(name, "three", "sr-2")
			b.mustMove(name, current, first, second)
			b.wantKind(b.move(name, current, first, third), secretstore.KindInvalidState)
			b.labels(name, map[string][]string{first: {previous}, second: {current, "sr-1"}, third: {"sr-2"}})
		},
	},
	"a move of AWSCURRENT is refused unless it says where it is": {
		Run: func(t *testing.T, b *Bench) {
			name, first := b.secret("one")
			second := b.put(name, "two", "sr-1")
			b.wantKind(b.move(name, current, "", second), secretstore.KindInvalidState)
			b.labels(name, map[string][]string{first: {current}, second: {"sr-1"}})
		},
	},
	"a move of another label is refused unless it says where it is": {
		MotoUnfaithful: "it puts the label on both versions instead",
		Run: func(t *testing.T, b *Bench) {
			name, first := b.secret("one")
			second := b.put(name, "two", "sr-1")
			b.wantKind(b.move(name, "sr-1", "", first), secretstore.KindInvalidState)
			b.labels(name, map[string][]string{first: {current}, second: {"sr-1"}})
		},
	},
	"a move that took effect is refused when it is tried again": {
		Run: func(t *testing.T, b *Bench) {
			name, first := b.secret("one")
			second := b.put(name, "two", "sr-1")
			b.mustMove(name, current, first, second)
			b.wantKind(b.move(name, current, first, second), secretstore.KindInvalidState)
			b.labels(name, map[string][]string{first: {previous}, second: {current, "sr-1"}})
		},
	},
	"of two that move from the same version one wins": {
		Run: func(t *testing.T, b *Bench) {
			name, first := b.secret("one")
			contenders := []string{b.put(name, "two", "sr-1"), b.put(name, "three", "sr-2"), b.put(name, "four", "sr-3")}
			var (
				group  sync.WaitGroup
				won    atomic.Int32
				winner atomic.Value
			)
			for _, id := range contenders {
				group.Go(func() {
					err := b.move(name, current, first, id)
					if err == nil {
						won.Add(1)
						winner.Store(id)
						return
					}
					if secretstore.KindOf(err) != secretstore.KindInvalidState {
						t.Errorf("a loser got %v", err)
					}
				})
			}
			group.Wait()
			if won.Load() != 1 {
				t.Fatalf("%d won", won.Load())
			}
			if got := b.describe(name); got.Current() != winner.Load() || got.Previous() != first {
				t.Errorf("labels are %v", got.Versions)
			}
		},
	},
	"a label is put on and taken off": {
		Run: func(t *testing.T, b *Bench) {
			name, first := b.secret("one")
			b.mustMove(name, "sr-1", "", first)
			b.labels(name, map[string][]string{first: {current, "sr-1"}})
			b.mustMove(name, "sr-1", first, "")
			b.labels(name, map[string][]string{first: {current}})
		},
	},
	"taking one label off leaves the others": {
		Run: func(t *testing.T, b *Bench) {
			name, first := b.secret("one")
			second := b.put(name, "two", "sr-1")
			b.mustMove(name, current, first, second)
			b.mustMove(name, "sr-1", second, "")
			b.labels(name, map[string][]string{first: {previous}, second: {current}})
		},
	},
	"taking off a label that is not there is refused": {
		Run: func(t *testing.T, b *Bench) {
			name, first := b.secret("one")
			b.put(name, "two", "sr-1")
			b.wantKind(b.move(name, "sr-1", first, ""), secretstore.KindInvalidState)
			b.wantKind(b.move(name, "sr-none", first, ""), secretstore.KindInvalidState)
		},
	},
	"AWSCURRENT cannot be taken off": {
		MotoUnfaithful: "it takes it off",
		Run: func(t *testing.T, b *Bench) {
			name, first := b.secret("one")
			b.wantKind(b.move(name, current, first, ""), secretstore.KindInvalidState)
			b.labels(name, map[string][]string{first: {current}})
		},
	},
	"a label does not move to a version that does not exist": {
		MotoUnfaithful: "it takes the label off before it sees that the version does not exist",
		Run: func(t *testing.T, b *Bench) {
			name, first := b.secret("one")
			b.wantKind(b.move(name, current, first, uuid.NewString()), secretstore.KindNotFound, secretstore.KindInvalidState)
			b.labels(name, map[string][]string{first: {current}})
		},
	},
}
