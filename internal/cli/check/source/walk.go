// Package source reads manifests from files and directories, and keeps where
// everything stands in them.
package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/files"
	"github.com/secretreview/secretreview/internal/cli/terminal"
)

const (
	// MaxBytes is the largest file that is read. The API server takes requests of
	// three mebibytes.
	MaxBytes = 4 << 20
	// headBytes is how much is read of files that are no manifests.
	headBytes = 1 << 10
)

// File is what is looked at.
type File struct {
	// Name is the path as it was given, with slashes.
	Name string
	// Manifest says that it is read whole, up to MaxBytes+1; of another, only the
	// beginning is. Certain says that its name says so, too.
	Manifest, Certain bool
	Content           []byte
	// Link says that it is a symbolic link that leads out of the directory, or
	// nowhere. It is not read.
	Link bool
}

// TooLarge reports whether it was not read to its end.
func (f File) TooLarge() bool { return f.Manifest && len(f.Content) > MaxBytes }

var extensions = []string{".yaml", ".yml", ".json"}

func isManifest(name string) bool {
	return slices.Contains(extensions, strings.ToLower(path.Ext(name)))
}

// Walk hands over each file that is named, or is in or below a directory that
// is, once: directories in the order of the names. It does not leave a
// directory by a symbolic link, nor look into .git. It fails with an exit.Error
// of Usage where there is no such file.
func Walk(ctx context.Context, f *factory.Factory, paths []string, each func(File)) error {
	w := walk{factory: f, seen: map[string]bool{}, each: each}
	for _, name := range paths {
		if err := w.named(ctx, name); err != nil {
			return err
		}
	}
	return ctx.Err()
}

type walk struct {
	factory *factory.Factory
	seen    map[string]bool
	each    func(File)
}

// first reports whether a path comes for the first time.
func (w *walk) first(path string) bool {
	path = filepath.Clean(path)
	seen := w.seen[path]
	w.seen[path] = true
	return !seen
}

func (w *walk) named(ctx context.Context, name string) error {
	if name == factory.StdinMark {
		content, err := w.factory.ReadIn(ctx, MaxBytes)
		if err != nil {
			return fmt.Errorf("read standard input: %w", err)
		}
		w.each(File{Name: name, Manifest: true, Certain: true, Content: content})
		return nil
	}
	path := w.factory.Path(name)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return exit.Errorf(exit.Usage, "there is no file or directory %s: name manifests, or a directory that holds some", terminal.Escape(name))
	case err != nil:
		return unreadable(name, err)
	case info.IsDir():
		return w.directory(ctx, name, path)
	case !w.first(path):
		return nil
	}
	content, err := files.Read(path, MaxBytes)
	if err != nil {
		return unreadable(name, err)
	}
	w.each(File{Name: filepath.ToSlash(name), Manifest: true, Certain: isManifest(name), Content: content})
	return nil
}

func unreadable(name string, err error) error {
	return fmt.Errorf("read %s: %w", terminal.Escape(name), files.Pathless(err))
}

func (w *walk) directory(ctx context.Context, name, path string) error {
	// A Root opens nothing outside of it, whatever a link says.
	root, err := os.OpenRoot(path)
	if err != nil {
		return unreadable(name, err)
	}
	defer func() { _ = root.Close() }()
	return fs.WalkDir(root.FS(), ".", func(below string, entry fs.DirEntry, err error) error {
		shown := shownBelow(name, below)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return unreadable(shown, err)
		case entry.IsDir() && entry.Name() == ".git":
			return fs.SkipDir
		case entry.IsDir() || !w.first(filepath.Join(path, filepath.FromSlash(below))):
			return nil
		}
		return w.entry(root, shown, below, entry)
	})
}

func shownBelow(name, below string) string { return path.Join(filepath.ToSlash(name), below) }

func (w *walk) entry(root *os.Root, shown, below string, entry fs.DirEntry) error {
	if entry.Type()&fs.ModeSymlink != 0 {
		// Where it leads inside, that file is looked at under its own name.
		if _, err := root.Stat(below); err != nil {
			w.each(File{Name: shown, Link: true})
		}
		return nil
	}
	if !entry.Type().IsRegular() {
		return nil
	}
	file := File{Name: shown, Manifest: isManifest(shown)}
	file.Certain = file.Manifest
	limit := int64(headBytes)
	if file.Manifest {
		limit = MaxBytes
	}
	var err error
	if file.Content, err = readIn(root, below, limit); err != nil {
		return unreadable(shown, err)
	}
	w.each(file)
	return nil
}

func readIn(root *os.Root, name string, limit int64) ([]byte, error) {
	file, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return files.ReadFrom(file, limit)
}

// FirstLine is the file's, without its end.
func (f File) FirstLine() string {
	line, _, _ := bytes.Cut(f.Content, []byte("\n"))
	return strings.TrimRight(string(line[:min(len(line), headBytes)]), "\r")
}
