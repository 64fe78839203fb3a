package login

import (
	"context"
	"slices"
	"sync"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// mayRead asks AWS whether the live secret may be read, without reading it. Rights
// come before what is stored: who has none is denied, who has some is told that
// there is no such version. AWSCURRENT is named, because a policy may allow that
// label alone (condition key secretsmanager:VersionStage).
func mayRead(ctx context.Context, store secretstore.Store, secret string) (answer, error) {
	_, err := store.Get(ctx, secretstore.GetInput{ID: secret, VersionID: noVersion, Label: secretstore.LabelCurrent})
	switch secretstore.KindOf(err) {
	case secretstore.KindDenied:
		return no, nil
	case secretstore.KindNotFound, secretstore.KindInvalidState:
		return yes, nil
	default:
		return unknown, err
	}
}

// notes are failures, each said once.
type notes struct {
	mu  sync.Mutex
	all []string
}

func (n *notes) add(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return // it is said otherwise that nobody waits any more
	}
	sentence, _ := exit.Sentence(err)
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Contains(n.all, sentence) {
		n.all = append(n.all, sentence)
	}
}
