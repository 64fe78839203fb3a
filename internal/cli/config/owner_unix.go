//go:build unix

package config

import (
	"io/fs"
	"os"
	"syscall"
)

// trusted reports whether a file belongs to this user, to root, or to the
// owner of directory, as in a checkout that is mounted into a container.
func trusted(file fs.FileInfo, directory string) bool {
	owner, ok := file.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	if owner.Uid == 0 || int(owner.Uid) == os.Geteuid() {
		return true
	}
	info, err := os.Stat(directory)
	if err != nil {
		return false
	}
	here, ok := info.Sys().(*syscall.Stat_t)
	return ok && here.Uid == owner.Uid
}

// exposed reports whether others than the owner may use a file.
func exposed(info fs.FileInfo) bool { return info.Mode().Perm()&0o077 != 0 }
