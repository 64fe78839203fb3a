package sheet

import (
	"context"
	"fmt"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/live"
	"github.com/secretreview/secretreview/internal/cli/wording"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// readRevert reads the versions that a rollback or restore goes back between,
// and works out what it makes of what is live. It fails with an exit.Error of
// NotFound where AWS no longer has one of them, and of Conflict where later
// changes have touched the same keys.
func (s *Sheet) readRevert(ctx context.Context, store secretstore.Store) error {
	revert := s.Change.Status.Revert
	var err error
	if s.live, err = live.ReadTarget(ctx, store, s.Target); err != nil {
		return err
	}
	to, err := s.readVersion(ctx, store, revert.ToVersionID)
	if err != nil {
		return err
	}
	if revert.FromVersionID == "" {
		s.after = to
		return nil
	}
	from, err := s.readVersion(ctx, store, revert.FromVersionID)
	if err != nil {
		return err
	}
	after, clashes := document.Merge(from, to, s.live.Values)
	if len(clashes) > 0 {
		return exit.Errorf(exit.Conflict,
			"later changes have touched %s, too: roll those back first, restore the whole environment, or propose the values that are wanted",
			wording.Keys(clashes))
	}
	s.after = after
	return nil
}

// readVersion reads a version of the live secret; empty stands for the time
// before there was any.
func (s *Sheet) readVersion(ctx context.Context, store secretstore.Store, id string) (document.Document, error) {
	switch id {
	case "":
		return document.Document{}, nil
	case s.live.ID:
		return s.live.Values, nil
	}
	version, err := live.Read(ctx, store, s.Target.Status.SecretName, id)
	if secretstore.KindOf(err) == secretstore.KindNotFound {
		return nil, exit.Errorf(exit.NotFound, "AWS no longer has version %s, which it goes back by: propose the values that are wanted", id)
	}
	if err != nil {
		return nil, fmt.Errorf("read version %s, which it goes back by: %w", id, err)
	}
	return version.Values, nil
}
