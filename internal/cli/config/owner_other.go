//go:build !unix

package config

import "io/fs"

// trusted is for systems whose temporary directories belong to one user.
func trusted(fs.FileInfo, string) bool { return true }
