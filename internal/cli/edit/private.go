package edit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/secretreview/secretreview/internal/cli/files"
)

// sharedMemory is Linux's file system in memory for everybody.
const sharedMemory = "/dev/shm"

// dirPrefix begins the names of the directories.
const dirPrefix = "sr-edit-"

// privateDir is a directory of nobody else's.
type privateDir struct {
	path     string
	inMemory bool
}

// newPrivateDir makes one: in memory if it can, which the XDG Base Directory
// Specification asks of XDG_RUNTIME_DIR where that is possible.
func newPrivateDir(getenv func(string) string) (privateDir, error) {
	for _, parent := range []string{getenv("XDG_RUNTIME_DIR"), sharedMemory} {
		if !filepath.IsAbs(parent) {
			continue
		}
		// MkdirTemp's mode is 0700, less what the umask takes.
		if path, err := os.MkdirTemp(parent, dirPrefix); err == nil {
			return privateDir{path, true}, nil
		}
	}
	path, err := os.MkdirTemp("", dirPrefix)
	if err != nil {
		return privateDir{}, fmt.Errorf("make a directory for the editor: %w", err)
	}
	return privateDir{path, false}, nil
}

// wipe overwrites, as well as it can, whatever is in a directory, and removes it.
func wipe(dir string) error {
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			_ = overwrite(path)
		}
		return nil
	})
	return files.Pathless(os.RemoveAll(dir))
}

func overwrite(path string) error {
	if err := os.Chmod(path, files.Private); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY, files.Private)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err == nil {
		_, err = file.Write(make([]byte, info.Size()))
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// holdSignals keeps signals from ending the process before it has cleaned up.
// The first of them has ended the command's context all the same.
func holdSignals() (release func()) {
	held := make(chan os.Signal, 1)
	signal.Notify(held, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	return func() { signal.Stop(held) }
}
