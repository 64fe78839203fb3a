package pull

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/files"
	"github.com/secretreview/secretreview/internal/cli/live"
	"github.com/secretreview/secretreview/internal/cli/privatefile"
	"github.com/secretreview/secretreview/internal/cli/wording"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/dotenv"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// confirmOverwrite asks, or requires --yes, before a file goes that holds what
// is nowhere else.
func (o *Options) confirmOverwrite(ctx context.Context, store secretstore.Store, file privatefile.File, p pulled) error {
	if o.Yes {
		return nil
	}
	loss, err := whatIsLost(ctx, store, file, p)
	if err != nil || loss == "" {
		return err
	}
	if !o.Factory.Terminal.CanAsk() {
		return exit.Errorf(exit.Refused, "%s %s: propose them, name another file with -o, or overwrite it with -y", file.Shown, loss)
	}
	yes, err := o.Factory.Prompter.Confirm(ctx, fmt.Sprintf("%s %s. Overwrite it?", file.Shown, loss))
	if err != nil {
		return err
	}
	if !yes {
		return exit.Errorf(exit.Cancelled, "%s stays as it is: propose your edit, or name another file with -o", file.Shown)
	}
	return nil
}

// whatIsLost says what of an existing file would be lost, empty if nothing.
func whatIsLost(ctx context.Context, store secretstore.Store, file privatefile.File, p pulled) (string, error) {
	text, err := files.Read(file.Path, dotenv.MaxBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", file.Shown, err)
	}
	old, err := dotenv.Parse(bytes.NewReader(text))
	var malformed *dotenv.Error
	if errors.As(err, &malformed) {
		return fmt.Sprintf("cannot be read (%s), so it may hold edits that are not live", malformed), nil
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", file.Shown, err)
	}
	base, err := baseOf(ctx, store, old.Header, p)
	if err != nil {
		return "", err
	}
	if edits := notLive(base, old.Values, p.version.Values); len(edits) > 0 {
		return "has edits that are not live (" + wording.Keys(edits) + ")", nil
	}
	return "", nil
}

// baseOf reads what a file was a copy of, nil if that is not known.
func baseOf(ctx context.Context, store secretstore.Store, header dotenv.Header, p pulled) (document.Document, error) {
	now := p.header()
	switch {
	case header.Project != now.Project || header.Environment != now.Environment:
		return nil, nil
	case header.VersionID == now.VersionID:
		return p.version.Values, nil
	}
	base, err := live.Read(ctx, store, p.source.Name, header.VersionID)
	if err != nil {
		if secretstore.KindOf(err) == secretstore.KindNotFound {
			return nil, nil
		}
		return nil, fmt.Errorf("read the version that the file was pulled from: %w", err)
	}
	values, _ := live.Writable(base.Values)
	return values, nil
}

// notLive returns the keys in which a file differs both from what it was a
// copy of and from what is live.
func notLive(base, file, now document.Document) []string {
	edited := map[string]bool{}
	for _, change := range document.Diff(base, file) {
		edited[change.Key] = true
	}
	var keys []string
	for _, change := range document.Diff(now, file) {
		if edited[change.Key] {
			keys = append(keys, change.Key)
		}
	}
	return keys
}
